"""The XML of a call: its question, the code and the refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from core.model.code import Code
from core.model.language import Language
from core.plivo.call_xml import (
    QUESTIONS,
    READINGS,
    code_read_out,
    prompt,
    sentence,
    voice_of,
)
from core.wording.calls import CodeRefusal, call_texts

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


def question_xml(brand: str, language: Language, **options) -> str:
    texts = call_texts(language)
    return prompt(
        KEY_URL,
        question=texts.question(brand),
        goodbye=texts.goodbye,
        language=language,
        **options,
    )


def repeated_question_xml(language: Language) -> str:
    return question_xml("Acme", language, opening=call_texts(language).wrong_key)


def code_xml(code: str, language: Language) -> str:
    texts = call_texts(language)
    return code_read_out(
        Code(code), code_is=texts.code_is, goodbye=texts.goodbye, language=language
    )


def refusal_xml(why: CodeRefusal, language: Language) -> str:
    return sentence(call_texts(language).refusal(why), language=language)


def parse(xml: str) -> etree._Element:
    return etree.fromstring(xml.encode())


def spoken(xml: str) -> list[str]:
    return [str(speak.text) for speak in parse(xml).iter("Speak")]


def tags(xml: str) -> list[str]:
    return [str(child.tag) for child in parse(xml)]


@every_language
def test_the_question_names_the_brand_and_the_key_and_is_asked_twice(language):
    xml = question_xml("Acme & Söhne", language)
    assert tags(xml) == ["GetInput", "GetInput", "Speak", "Hangup"]
    question, repeated_question, goodbye = spoken(xml)
    assert question == repeated_question
    assert "Acme & Söhne" in question
    assert "1" in question
    assert goodbye


def test_one_key_is_awaited_and_kept_out_of_plivos_logs():
    for key_input in parse(question_xml("Acme", Language.EN)).iter("GetInput"):
        assert {str(name): str(value) for name, value in key_input.items()} == {
            "action": KEY_URL,
            "method": "POST",
            "inputType": "dtmf",
            "numDigits": "1",
            "executionTimeout": "10",
            "log": "false",
        }


def test_the_question_is_asked_twice():
    assert tags(question_xml("Acme", Language.EN)).count("GetInput") == QUESTIONS == 2


@every_language
def test_after_a_wrong_key_the_question_is_asked_again(language):
    first, *rest = spoken(repeated_question_xml(language))
    assert rest == spoken(question_xml("Acme", language))
    assert first not in rest
    assert len(rest) == QUESTIONS + 1


@every_language
def test_a_key_counts_while_any_sentence_before_it_is_spoken(language):
    for xml in (question_xml("Acme", language), repeated_question_xml(language)):
        first, *rest = spoken(xml)
        outside = [str(speak.text) for speak in parse(xml).iterchildren("Speak")]
        assert outside == rest[-1:]
        # Plivo's pages nest Speak and Play in a GetInput, and nothing else.
        assert {str(part.tag) for each in parse(xml).iter("GetInput") for part in each} == {"Speak"}
        assert parse(xml)[0].tag == "GetInput"
        assert parse(xml)[0][0].text == first


@every_language
def test_the_code_is_read_three_times_digit_by_digit_with_a_pause_between(language):
    xml = code_xml(CODE, language)
    assert tags(xml) == ["Speak", "Wait"] * READINGS + ["Speak", "Hangup"]
    *code_sentences, goodbye = spoken(xml)
    assert READINGS == 3
    assert all(text.endswith(" 0, 4, 7, 1, 1, 2.") for text in code_sentences)
    assert not any(char.isdigit() for char in goodbye)


@given(
    code=st.text(alphabet="0123456789", min_size=4, max_size=10),
    language=st.sampled_from(Language),
)
def test_every_digit_of_a_code_is_spoken_leading_zeros_too(code, language):
    code_sentence = spoken(code_xml(code, language))[0]
    assert [char for char in code_sentence if char.isdigit()] == list(code)


@every_language
@pytest.mark.parametrize("why", list(CodeRefusal))
def test_a_refusal_is_one_sentence_and_a_hangup(language, why):
    xml = refusal_xml(why, language)
    assert tags(xml) == ["Speak", "Hangup"]
    assert not any(char.isdigit() for char in spoken(xml)[0])


@every_language
def test_each_language_is_spoken_by_a_basic_voice_of_plivo_and_without_markup(language):
    for xml in (
        question_xml("Acme", language),
        repeated_question_xml(language),
        code_xml(CODE, language),
        refusal_xml(CodeRefusal.CLOSED, language),
    ):
        for speak in parse(xml).iter("Speak"):
            assert speak.get("language") == voice_of(language)
            assert speak.get("voice") == "WOMAN"
            assert len(speak) == 0
    assert voice_of(language) in VOICES
    assert voice_of(language)[:2] == language[:2]


def test_every_basic_voice_of_plivo_is_used():
    assert {voice_of(language) for language in Language} == VOICES


@given(brand=BRAND, language=st.sampled_from(Language))
def test_any_brand_is_spoken_unchanged_and_cannot_add_an_element(brand, language):
    xml = question_xml(brand, language)
    assert brand in spoken(xml)[0]
    assert {str(element.tag) for element in parse(xml).iter()} == {
        "Response",
        "GetInput",
        "Speak",
        "Hangup",
    }


@pytest.mark.parametrize("brand", ["</Speak><Hangup/>", "{}", "{0.__class__}", "R&D", "<cont>"])
def test_markup_in_a_brand_is_spoken_as_text(brand):
    assert brand in spoken(question_xml(brand, Language.EN))[0]
