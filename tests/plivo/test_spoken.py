"""The spoken text of a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from core.model.code import Code
from core.plivo.language import Language, language_for
from core.plivo.spoken import (
    QUESTIONS,
    READINGS,
    SpokenRefusal,
    again,
    code_read_out,
    prompt,
    refused,
)

KEY_URL = "https://example.com/plivo/key/abc?x=1&y=2"
CODE = "047112"
# The basic voices that Plivo names.
# fmt: off
VOICES = {
    "da-DK", "nl-NL", "en-AU", "en-GB", "en-US", "fr-FR", "fr-CA", "de-DE", "it-IT", "pl-PL",
    "pt-PT", "pt-BR", "ru-RU", "es-ES", "es-US", "sv-SE",
}
# fmt: on
BRAND = st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]))

every_language = pytest.mark.parametrize("language", list(Language))


def read(xml: str) -> etree._Element:
    return etree.fromstring(xml.encode())


def spoken(xml: str) -> list[str]:
    return [str(speak.text) for speak in read(xml).iter("Speak")]


def tags(xml: str) -> list[str]:
    return [str(child.tag) for child in read(xml)]


@every_language
def test_the_question_names_the_brand_and_the_key_and_is_asked_twice(language):
    xml = prompt(KEY_URL, brand="Acme & Söhne", language=language)
    assert tags(xml) == ["Wait", "GetInput", "GetInput", "Speak", "Hangup"]
    question, repeated, goodbye = spoken(xml)
    assert question == repeated
    assert "Acme & Söhne" in question
    assert "1" in question
    assert goodbye


def test_one_key_is_awaited_and_kept_out_of_plivos_logs():
    for listen in read(prompt(KEY_URL, brand="Acme", language=Language.EN)).iter("GetInput"):
        assert {str(name): str(value) for name, value in listen.items()} == {
            "action": KEY_URL,
            "method": "POST",
            "inputType": "dtmf",
            "numDigits": "1",
            "executionTimeout": "10",
            "log": "false",
        }


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_the_question_is_asked_as_often_as_wanted(tries):
    xml = prompt(KEY_URL, brand="Acme", language=Language.EN, tries=tries)
    assert tags(xml).count("GetInput") == tries


@every_language
def test_after_a_wrong_key_the_question_is_asked_again(language):
    first, *rest = spoken(again(KEY_URL, brand="Acme", language=language))
    assert rest == spoken(prompt(KEY_URL, brand="Acme", language=language))
    assert first not in rest
    assert len(rest) == QUESTIONS + 1


@every_language
def test_the_code_is_read_three_times_digit_by_digit_with_a_pause_between(language):
    xml = code_read_out(Code(CODE), language=language)
    assert tags(xml) == ["Speak", "Wait"] * READINGS + ["Speak", "Hangup"]
    *readings, goodbye = spoken(xml)
    assert READINGS == 3
    assert all(reading.endswith(" 0, 4, 7, 1, 1, 2.") for reading in readings)
    assert not any(char.isdigit() for char in goodbye)


@given(
    code=st.text(alphabet="0123456789", min_size=4, max_size=10),
    language=st.sampled_from(Language),
)
def test_every_digit_of_every_code_is_said_leading_zeros_too(code, language):
    reading = spoken(code_read_out(Code(code), language=language))[0]
    assert [char for char in reading if char.isdigit()] == list(code)


@every_language
@pytest.mark.parametrize("why", list(SpokenRefusal))
def test_without_a_code_there_is_one_sentence_and_the_end(language, why):
    xml = refused(language, why)
    assert tags(xml) == ["Speak", "Hangup"]
    assert not any(char.isdigit() for char in spoken(xml)[0])


def test_each_reason_for_silence_has_words_of_its_own_in_each_language():
    # A language and its regional voices share their sentences.
    texts = {
        spoken(refused(language, why))[0]
        for language in Language
        if "-" not in language
        for why in SpokenRefusal
    }
    assert len(texts) == 11 * len(SpokenRefusal)


@every_language
def test_each_language_is_spoken_by_a_basic_voice_of_plivos_and_without_markup(language):
    for xml in (
        prompt(KEY_URL, brand="Acme", language=language),
        again(KEY_URL, brand="Acme", language=language),
        code_read_out(Code(CODE), language=language),
        refused(language),
    ):
        for speak in read(xml).iter("Speak"):
            assert speak.get("language") == language.voice
            assert speak.get("voice") == "WOMAN"
            assert len(speak) == 0
    assert language.voice in VOICES
    assert language.voice[:2] == language[:2]


def test_all_voices_of_plivos_are_used():
    assert {language.voice for language in Language} == VOICES


@given(brand=BRAND, language=st.sampled_from(Language))
def test_any_brand_is_spoken_as_it_is_written_and_cannot_add_an_element(brand, language):
    xml = prompt(KEY_URL, brand=brand, language=language)
    assert brand in spoken(xml)[0]
    assert {str(element.tag) for element in read(xml).iter()} == {
        "Response",
        "Wait",
        "GetInput",
        "Speak",
        "Hangup",
    }


@pytest.mark.parametrize("brand", ["</Speak><Hangup/>", "{}", "{0.__class__}", "R&D", "<cont>"])
def test_a_brand_with_markup_in_it_is_only_text(brand):
    assert brand in spoken(prompt(KEY_URL, brand=brand, language=Language.EN))[0]


@pytest.mark.parametrize(
    ("locale", "region", "language"),
    [
        ("de-DE", "US", Language.DE),  # the person wins over the number
        ("en-US", "DE", Language.EN),
        ("en", "GB", Language.EN_GB),
        ("en-AU", "DE", Language.EN_AU),
        ("fr-CA", "US", Language.FR_CA),
        ("fr-CH", "CH", Language.FR),
        ("pt-br", None, Language.PT_BR),
        ("pt_PT", "BR", Language.PT),
        ("es-419", "DE", Language.ES_US),
        ("es-ES", "US", Language.ES),
        ("es", "DE", Language.ES),
        ("ja-JP", "GB", Language.EN_GB),
        ("ja-JP", "JP", Language.EN),
        (None, "DE", Language.DE),
        (None, "MX", Language.ES_US),
        (None, "BR", Language.PT_BR),
        (None, "FI", Language.EN),  # Swedish is official there too, but few speak it
        (None, "XX", Language.EN),
        ("*", "", Language.EN),
        ("", None, Language.EN),
        (None, None, Language.EN),
    ],
)
def test_the_language_is_the_persons_else_the_countrys_else_english(locale, region, language):
    assert language_for(locale, region) is language


@given(st.text(), st.text())
def test_no_locale_and_no_region_is_an_error(locale, region):
    assert language_for(locale, region) in Language
