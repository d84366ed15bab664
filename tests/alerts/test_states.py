"""The states of an alert: it does not flap, and it ends only by good or missing checks."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from core.alerts.states import MOST_SILENT, AlertState, Finding, Standing, after_missed_checks, step

BAD, GOOD, MIDDLE, SILENT = Finding.BAD, Finding.GOOD, Finding.MIDDLE, Finding.SILENT
FINDINGS = st.lists(st.sampled_from(Finding), max_size=30)


def after(*findings: Finding) -> Standing:
    return reduce(step, findings, Standing())


@given(FINDINGS)
def test_an_alert_fires_only_after_two_bad_checks_in_a_row(findings: list[Finding]) -> None:
    before, now = after(*findings[:-1]).state, after(*findings).state
    if now is AlertState.FIRING and not before.is_alert:
        assert findings[-2:] == [BAD, BAD]


@given(FINDINGS)
def test_two_bad_checks_fire_and_two_good_ones_end_it_from_any_state(
    findings: list[Finding],
) -> None:
    assert after(*findings, BAD, BAD).state is AlertState.FIRING
    assert after(*findings, GOOD, GOOD).state is AlertState.OK


@given(FINDINGS)
def test_a_firing_alert_ends_only_by_two_good_checks_in_a_row_or_by_silence(
    findings: list[Finding],
) -> None:
    before, now = after(*findings[:-1]).state, after(*findings).state
    if before.is_alert and not now.is_alert:
        silence = findings[-MOST_SILENT:] == [SILENT] * MOST_SILENT
        assert silence or [one for one in findings if one is not SILENT][-2:] == [GOOD, GOOD]


@given(FINDINGS)
def test_the_middle_raises_nothing_and_ends_nothing(findings: list[Finding]) -> None:
    before, now = after(*findings).state, after(*findings, MIDDLE).state
    assert now.is_alert == before.is_alert
    assert now in {before, AlertState.OK}


@given(FINDINGS)
def test_after_missed_checks_an_alert_continues_and_a_pending_alert_starts_again(
    findings: list[Finding],
) -> None:
    before = after(*findings)
    standing = after_missed_checks(before)
    assert standing.state.is_alert == before.state.is_alert
    assert step(standing, BAD).state in {AlertState.PENDING, AlertState.FIRING}
    assert (step(standing, BAD).state is AlertState.FIRING) == before.state.is_alert


def test_a_relapse_fires_at_once_and_good_must_be_twice_in_a_row() -> None:
    assert after(BAD, BAD, GOOD).state is AlertState.RECOVERING
    assert after(BAD, BAD, GOOD, BAD).state is AlertState.FIRING
    assert after(BAD, BAD, GOOD, MIDDLE, GOOD).state is AlertState.RECOVERING


def test_one_bad_check_is_pending_and_is_dropped_by_the_next_that_is_not() -> None:
    assert after(BAD).state is AlertState.PENDING
    for finding in (GOOD, MIDDLE):
        assert after(BAD, finding).state is AlertState.OK
    assert after(BAD, SILENT).state is AlertState.NO_DATA
