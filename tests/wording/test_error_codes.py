"""Plivo's codes in words for people."""

import re

import pytest

from core.wording.error_codes import (
    HANGUP_TEXTS,
    MESSAGE_TEXTS,
    hangup_text,
    message_error_text,
)

# Every code of a sent message that Plivo documents, and the three of media messages.
DOCUMENTED_ERRORS = [
    *(10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 200, 201, 300),
    *(420, 450, 451, 452, 900, 910, 1000),
]
DOCUMENTED_CAUSES = [
    *(0, 1000, 1010, 1020),
    *(2000, 2010, 2020, 2030, 2040, 2050, 2060, 2070),
    *(3000, 3010, 3020, 3030, 3040, 3050, 3070, 3080, 3090, 3100, 3110, 3120, 3130, 3140),
    *(4000, 4010, 4020, 4030),
    *(5000, 5010, 5020, 5030),
    *(6000, 6010, 6020),
    *(7011, 7012, 7013, 7014, 7022, 7023, 7024, 7032, 7033, 7034),
    *(8011, 8012, 8013, 8014),
    *(9000, 9100, 9110),
]
ALL = [*MESSAGE_TEXTS.values(), *HANGUP_TEXTS.values()]
JARGON = re.compile(
    r"\b(MSISDN|DLR|SMSC|MCC|MNC|HLR|API|XML|HTTP|URI|UUID|DTMF|SIP|endpoint|payload|"
    r"dispatch|queue[ds]?\b(?! until)|oops|successfully|please|invalid|barred)\b",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"[A-Z][^.!?]*\.")


def test_every_documented_message_error_has_words():
    assert sorted(map(int, MESSAGE_TEXTS)) == DOCUMENTED_ERRORS


def test_every_documented_hangup_cause_has_words():
    assert sorted(map(int, HANGUP_TEXTS)) == DOCUMENTED_CAUSES


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.code)
def test_the_meaning_is_one_plain_sentence_and_so_is_the_advice(entry):
    for text in (entry.meaning, entry.advice):
        assert SENTENCE.fullmatch(text)
        assert not JARGON.search(text)
        assert len(text) <= 90


@pytest.mark.parametrize("code", [None, "", " ", "0", "000"])
def test_plivos_ways_to_say_no_error_are_no_error(code):
    assert message_error_text(code) is None


def test_an_error_reads_as_one_line_for_the_page():
    error = message_error_text("30")
    assert error
    assert error.words == (
        "The carrier refused it as spam (error 30). Change the text, or call instead."
    )


@pytest.mark.parametrize("code", ["160", "210", "950", "960", "2403", "31337", "abc"])
def test_an_unknown_error_reads_as_1000_and_keeps_its_own_code(code):
    error, unknown = message_error_text(code), message_error_text("1000")
    assert error
    assert unknown
    assert error.code == code
    assert f"(error {code})" in error.words
    assert (error.meaning, error.advice) == (unknown.meaning, unknown.advice)


@pytest.mark.parametrize("code", ["200", "451", "452", "900", "910", "70"])
def test_no_further_send_or_call_is_advised_after_a_refusal_or_for_money_and_fraud(code):
    error = message_error_text(code)
    assert error
    assert "call instead" not in error.advice.lower()
    assert not re.search(r"\bsend (it )?again", error.advice, re.IGNORECASE)


@pytest.mark.parametrize("code", [3010, "3010", " 3010 "])
def test_a_hangup_cause_is_found_as_a_number_and_as_text(code):
    cause = hangup_text(code)
    assert cause
    assert cause.code == "3010"
    assert cause.words == "The line was busy (hangup cause 3010). Call again in a minute."


@pytest.mark.parametrize("code", [None, ""])
def test_a_call_without_a_stated_cause_has_no_text(code):
    assert hangup_text(code) is None


@pytest.mark.parametrize("code", [0, "0"])
def test_cause_0_is_a_cause(code):
    cause = hangup_text(code)
    assert cause
    assert (
        cause.words
        == "The call ended, and no reason was given (hangup cause 0). Call again in a minute."
    )


def test_an_unknown_cause_reads_as_0_and_keeps_its_own_code():
    cause, unknown = hangup_text("4711"), hangup_text(0)
    assert cause
    assert unknown
    assert (cause.code, cause.meaning) == ("4711", unknown.meaning)
