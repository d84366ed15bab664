"""The table of endings, as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sandbox.facts.endings import TABLE, EndingKind, EndingRow, ending_of
from core.sandbox.facts.hangups import HANGUP_CAUSES
from core.sandbox.facts.message_errors import MESSAGE_ERRORS

SUFFIXES = st.from_regex(r"[0-9]{4}", fullmatch=True)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.pattern)
def test_the_example_of_a_row_leads_to_that_row(row: EndingRow) -> None:
    outcome = ending_of(f"+1415555{row.example}")
    assert (outcome.pattern, outcome.kind) == (row.pattern, row.kind)


def test_every_kind_of_ending_has_a_row() -> None:
    assert {row.kind for row in TABLE} == set(EndingKind)


@given(prefix=st.text("0123456789", min_size=3, max_size=10), suffix=SUFFIXES)
def test_the_last_four_digits_always_decide(prefix: str, suffix: str) -> None:
    assert ending_of(prefix + suffix) == ending_of(suffix)


@given(suffix=SUFFIXES)
def test_separators_never_change_the_outcome(suffix: str) -> None:
    assert ending_of(f"+1 (415) 555-{suffix[:2]} {suffix[2:]}") == ending_of(suffix)


@given(suffix=SUFFIXES)
def test_every_ending_has_a_complete_sentence(suffix: str) -> None:
    sentence = ending_of(suffix).sentence
    assert sentence.startswith("Message: ")
    assert "{" not in sentence


@pytest.mark.parametrize("code", sorted(MESSAGE_ERRORS))
def test_every_message_error_has_an_ending(code: int) -> None:
    outcome = ending_of(f"1415555{code:04}")
    assert (outcome.kind, outcome.value) == (EndingKind.MESSAGE_ERROR, code)


@pytest.mark.parametrize("code", sorted(HANGUP_CAUSES))
def test_every_hangup_cause_has_an_ending(code: int) -> None:
    outcome = ending_of(f"1415555{code}")
    assert (outcome.kind, outcome.value) == (EndingKind.HANGUP, code)


@pytest.mark.parametrize("suffix", ["0000", "0001", "0123", "0999", "3060", "7021", "9999"])
def test_a_code_that_plivo_does_not_document_changes_nothing(suffix: str) -> None:
    assert ending_of(f"1415555{suffix}").kind is EndingKind.NORMAL


def test_a_late_number_says_how_late() -> None:
    assert ending_of("14155550742").value == 42
    assert ending_of("14155550700").kind is EndingKind.NO_RECEIPT
