"""Plivo's error codes and hangup causes, as values."""

import pytest

from core.model.error_codes import hangup_cause, message_error_code


@pytest.mark.parametrize("code", [None, "", " ", "0", "000"])
def test_plivos_ways_to_state_no_error_are_no_error(code: str | None) -> None:
    assert message_error_code(code) is None


@pytest.mark.parametrize("code", ["30", " 30 ", "1000", "31337", "abc"])
def test_any_other_code_is_kept(code: str) -> None:
    assert message_error_code(code) == code.strip()


@pytest.mark.parametrize("code", [3010, "3010", " 3010 "])
def test_a_hangup_cause_is_found_as_a_number_and_as_text(code: str | int) -> None:
    cause = hangup_cause(code)
    assert cause
    assert (cause.code, cause.name) == ("3010", "Busy Line")


@pytest.mark.parametrize("code", [None, ""])
def test_no_cause_is_none(code: str | None) -> None:
    assert hangup_cause(code) is None


@pytest.mark.parametrize("code", [0, "0"])
def test_cause_0_is_a_cause(code: str | int) -> None:
    cause = hangup_cause(code)
    assert cause
    assert cause.name == "Unknown"


def test_an_unknown_cause_has_the_values_of_0_and_its_own_code() -> None:
    cause = hangup_cause("4711")
    assert cause
    assert (cause.code, cause.name, cause.reached) == ("4711", "Unknown", False)


@pytest.mark.parametrize("code", [3000, 3010, 3020, 4000, 4010, 6010, 7011, 8011, 9100])
def test_a_call_that_the_other_side_ended_had_reached_it(code: int) -> None:
    cause = hangup_cause(code)
    assert cause
    assert cause.reached


@pytest.mark.parametrize("code", [1000, 1010, 2000, 2030, 5000, 5020])
def test_a_call_that_plivo_gave_up_had_not_reached_the_other_side(code: int) -> None:
    cause = hangup_cause(code)
    assert cause
    assert not cause.reached
