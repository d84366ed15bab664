"""Every row of the sandbox's table, over real HTTP: the state, and the words that a person sees."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from core.figures.ranges import Range
from core.ledger.explorer import AttemptFilter
from core.model.attempt import State
from core.model.error_codes import hangup_cause
from core.model.verification import SendOutcome
from core.model.way import Way
from core.sandbox.facts.endings import ENDINGS
from core.sandbox.facts.hangups import HANGUP_CAUSES, Phase
from core.sandbox.facts.message_errors import MESSAGE_ERRORS
from core.wording.error_codes import hangup_text, message_error_text
from core.wording.verification import Tone, status_words
from tests.world import World, until

SMS, VOICE = Way.SMS, Way.VOICE


@dataclass(frozen=True)
class Row:
    """What an ending leads to; `heard` are counters that must have moved."""

    ending: str
    way: Way
    send: SendOutcome
    state: State
    headline: str
    detail: str
    tone: Tone
    heard: tuple[str, ...] = ()


def _error(code: int) -> Row:
    error = message_error_text(str(code))
    assert error is not None
    failed = State.FAILED if MESSAGE_ERRORS[code].state == "failed" else State.UNDELIVERED
    headline = "Failed" if failed is State.FAILED else "Not delivered"
    said = f"{error.meaning} {error.advice}"
    return Row(f"0{code:03}", SMS, SendOutcome.SENT, failed, headline, said, Tone.BAD)


def _hangup(code: int) -> Row:
    cause, text = hangup_cause(code), hangup_text(code)
    assert cause is not None
    assert text is not None
    state = State.UNDELIVERED if cause.reached else State.FAILED
    said = f"{text.meaning} {text.advice}"
    return Row(f"{code}", VOICE, SendOutcome.SENT, state, "Not reached", said, Tone.BAD)


def _refused(ending: str, cause: str, way: Way = SMS) -> Row:
    return Row(ending, way, SendOutcome.REJECTED, State.REJECTED, "Not sent", cause, Tone.BAD)


def _uncertain(ending: str, cause: str, way: Way = SMS) -> Row:
    return Row(
        ending,
        way,
        SendOutcome.UNKNOWN,
        State.UNCLEAR,
        "Unclear",
        cause,
        Tone.WARNING,
    )


def _delivered(ending: str, *heard: str) -> Row:
    return Row(
        ending,
        SMS,
        SendOutcome.SENT,
        State.DELIVERED,
        "Delivered",
        "Enter the code from the message.",
        Tone.QUIET,
        heard,
    )


UNTOUCHED = [code for code, cause in HANGUP_CAUSES.items() if cause.phase not in {Phase.ANSWERED}]

ROWS = [
    *(_error(code) for code in MESSAGE_ERRORS),
    *(_hangup(code) for code in UNTOUCHED),
    *(
        row
        for way in (SMS, VOICE)
        for row in (
            _refused("0402", "The Plivo account has no credit left (HTTP 402)", way),
            _refused("0403", "Plivo does not allow this account to reach", way),
            _uncertain("0429", "too many requests from this account (HTTP 429)", way),
            _uncertain("0500", "Plivo had an internal error (HTTP 500)", way),
            _uncertain("0503", "Plivo is not available at the moment (HTTP 503)", way),
        )
    ),
    _delivered("5555"),
    _delivered("0705"),
    _delivered("0801", "repeated"),
    _delivered("0802", "late"),
    _delivered("0803", "forged"),
    Row(
        "0700",
        SMS,
        SendOutcome.SENT,
        State.SENT,
        "Sent",
        "The carrier has it; no delivery report yet.",
        Tone.QUIET,
    ),
    Row(
        "0804",
        SMS,
        SendOutcome.SENT,
        State.ACCEPTED,
        "On its way",
        "Plivo has the message.",
        Tone.QUIET,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.way.name}-{row.ending}")
def test_an_ending_leads_to_its_state_and_words(at: World, row: Row) -> None:
    number = at.number(row.ending)
    result = at.start(number, row.way)
    assert result.outcome is row.send
    assert result.verification is not None
    verification = result.verification
    until(lambda: at.look(verification).attempts[0].state is row.state)
    view = at.look(verification)
    said = status_words(view)
    assert (said.headline, said.tone) == (row.headline, row.tone)
    assert row.detail in said.detail
    if row.heard:
        until(lambda: set(row.heard) <= set(at.services.ledger.counters()))
    if row.state is State.ACCEPTED:
        # Lost: the phone has it, and nothing is heard of it.
        at.message(number)
        assert at.look(verification).attempts[0].state is State.ACCEPTED


def test_a_time_out_is_unknown_until_the_callbacks_tell(at: World) -> None:
    """0408: the answer never comes. Here the callbacks are quicker than our patience, so the
    attempt is delivered before the send gives up, and the late time-out does not undo that."""
    number = at.number("0408")
    result = at.start(number)
    assert result.outcome is SendOutcome.UNKNOWN
    assert result.cause == "Plivo did not answer in time."
    verification = result.verification or ""
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    assert (
        at.services.verifications.check(verification, at.code(verification)).outcome == "approved"
    )


def test_a_time_out_of_a_phlo_stays_unknown(at: World) -> None:
    """Nothing calls back about a PHLO, and without its answer there is nothing to ask after."""
    result = at.start(at.number("0408"), Way.PHLO_SMS)
    assert result.outcome is SendOutcome.UNKNOWN
    said = status_words(at.look(result.verification or ""))
    assert said.headline == "Unclear"
    assert said.detail.startswith("Plivo did not answer in time.")


@pytest.mark.parametrize("ending", ["0402", "0403", "0429", "0500", "0503"])
def test_a_phlo_is_refused_in_the_same_words(at: World, ending: str) -> None:
    by_phlo = at.start(at.number(ending), Way.PHLO_SMS)
    by_sms = at.start(at.number(ending))
    assert (by_phlo.outcome, by_phlo.cause) == (by_sms.outcome, by_sms.cause)


def test_a_call_that_nobody_keys_was_not_heard(at: World) -> None:
    number = at.number()
    verification = at.started(number, VOICE)
    at.touch(number, at.call(number, "ringing"), "answer")
    at.touch(number, at.call(number, "in-progress"), "hangup")
    until(lambda: at.look(verification).attempts[0].state is State.UNDELIVERED)
    # The callback of the end may arrive before that of the answer.
    until(lambda: status_words(at.look(verification)).headline == "Not heard")


def test_nothing_is_spoken_to_a_machine(at: World) -> None:
    for way in (VOICE, Way.PHLO_CALL):
        number = at.number("9100")
        at.start(number, way)
        call = at.call(number, "ended")
        assert call["hangup_cause_code"] == 9100
        assert call["transcript"] == []


def test_every_row_of_the_table_is_tried_here() -> None:
    # 0600: tests/verification/test_warnings.py.
    tried = {row.ending for row in ROWS} | {"0408", "0600"}
    missing = [ending for ending in ENDINGS if ending.suffix not in tried]
    # Endings after the answer need a person who answers: they are in tests/sandbox.
    assert [ending.value for ending in missing] == [
        code for code in HANGUP_CAUSES if code not in UNTOUCHED
    ]


@pytest.mark.parametrize(
    ("ending", "way", "code"),
    [
        ("0429", SMS, "429"),
        ("0503", SMS, "503"),
        ("0500", Way.VOICE, "500"),
        ("0408", Way.PHLO_SMS, "no answer"),
    ],
)
def test_an_unclear_send_is_an_error_by_its_status_and_not_pending(
    at: World, ending: str, way: Way, code: str
) -> None:
    at.start(at.number(ending), way)
    queries, now = at.services.queries, at.clock.now()
    queries.forget()
    period = Range(now - timedelta(hours=1), now + timedelta(minutes=1))
    totals = queries.totals(period)
    assert (totals["requested"], totals["unclear"], totals["pending"]) == (1, 1, 0)
    assert list(queries.errors(period).index) == [(str(way.channel), code)]
    page = at.services.explorer.page(AttemptFilter(state=State.UNCLEAR, error=code))
    assert [attempt.error for attempt in page.attempts] == [code]
