"""The errors of the figures in words for the operator."""

import re

import pytest

from core.model.error_codes import HANGUP_CAUSES
from core.wording.error_codes import MESSAGE_TEXTS
from core.wording.operator_errors import operator_error

ALL = [("sms", code) for code in MESSAGE_TEXTS] + [("voice", code) for code in HANGUP_CAUSES]
#: What only the person who waits for a code can do.
TO_THE_PERSON = re.compile(r"send it again|call instead|call again|message instead|ask for another")


@pytest.mark.parametrize(("channel", "code"), ALL)
def test_every_error_has_a_name_and_advice_for_the_operator(channel: str, code: str) -> None:
    error = operator_error(channel, code)
    assert 0 < len(error.name) <= 45
    assert error.name != "Unknown error"
    assert not TO_THE_PERSON.search(error.advice.lower())
    assert error.advice.endswith(".")


def test_an_unknown_error_keeps_no_name_of_another() -> None:
    assert operator_error("sms", "31337").name == "Unknown error"


@pytest.mark.parametrize(
    ("channel", "code", "meaning"),
    [
        ("sms", "30", "The carrier refused it as spam."),
        ("sms", "1000", "It was not delivered, and no reason was given."),
        ("voice", "1000", "The call was cancelled before it was answered."),
        ("phlo", "30", "The carrier refused it as spam."),
        ("phlo", "3010", "The line was busy."),
        ("phlo", "1000", "It was not delivered, and no reason was given."),
        ("sms", "refused", "Plivo refused the request."),
        ("voice", "unstated", "No cause was stated."),
        ("sms", "000", "No cause was stated."),
        ("sms", "503", "Plivo answered the send with an error (HTTP 503)."),
        ("sms", "429", "Plivo received too many requests from this account (HTTP 429)."),
        ("voice", "no answer", "Plivo did not answer the send, or not readably."),
    ],
)
def test_an_error_of_the_figures_has_its_meaning_and_what_to_do(
    channel: str, code: str, meaning: str
) -> None:
    found = operator_error(channel, code)
    assert found.meaning == meaning
    assert found.name
    assert found.advice
