"""The log sync, over real HTTP: a run settles attempts without callbacks."""

from datetime import timedelta
from typing import Any

import pytest

from core.model.attempt import AttemptEvent, EventKind, Source, State
from core.model.clock import to_ms
from core.model.errors import ProviderRead
from core.model.way import Way
from core.plivo.sdk_call import SdkCall
from core.store.scripts import Scripts
from core.tracking.log_status import LogRunOutcome, Progress
from core.tracking.log_sync import RECEIPT_HORIZON, LogSync
from core.tracking.log_turn import Turn
from tests.world import World, until


def state_of(at: World, verification: str) -> State:
    attempt = at.services.ledger.attempt(f"{verification}-1")
    assert attempt is not None
    return attempt.state


def logs_of(at: World, **changed: Any) -> LogSync:
    s = at.services
    parts: dict[str, Any] = {"clock": at.clock, "ledger": s.ledger, "clients": s.clients}
    # Messages of other tests may fill more pages than a minute allows: the clock moves.
    parts |= {"wait": at.clock.advance} | changed
    return LogSync(s.client, Scripts(s.client), s.keys, keyring=s.keyring, **parts)


def wait_until_settled(at: World, *numbers: str) -> None:
    """Wait until the sandbox's messages to these numbers are in their final states. Other tests
    leave messages that never get there."""

    def ended(number: str) -> bool:
        listed = SdkCall("messages.list", {"to_number": number.lstrip("+")})
        page: Any = at.services.clients.read(listed, lambda exchange: None)
        states = {row.message_state for row in page}
        return bool(states) and states <= {"delivered", "undelivered", "failed"}

    until(lambda: all(ended(number) for number in numbers))


def wait_for_live_calls(at: World) -> None:
    """Wait until the calls of other tests are over: they are listed when they end."""
    live = SdkCall("live_calls.list_ids", {})
    until(lambda: not at.services.clients.read(live, lambda exchange: None).calls)


def test_a_run_settles_a_lost_callback_and_a_time_out_and_counts_foreign_rows(
    at: World,
) -> None:
    lost, silent, other = at.number("0804"), at.number("0408"), at.number()
    first = at.started(lost)
    second = at.start(silent).verification
    assert second is not None
    foreign = SdkCall("messages.create", {"src": "+14155550100", "dst": other, "text": "Hello"})
    at.services.clients.send(foreign, lambda exchange: None)
    wait_until_settled(at, lost, silent, other)
    assert state_of(at, first) is not State.DELIVERED
    ended = logs_of(at).run(at.clock.now() - timedelta(minutes=5))
    assert ended.outcome is LogRunOutcome.DONE
    assert state_of(at, first) is State.DELIVERED
    assert state_of(at, second) is State.DELIVERED
    settled = at.services.ledger.attempt(f"{second}-1")
    assert settled is not None
    assert settled.reference
    assert settled.cost_micros > 0
    assert settled.units == 1
    assert at.services.ledger.counters()["foreign"] >= 1


def test_a_second_run_changes_nothing(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    wait_for_live_calls(at)
    until(lambda: state_of(at, verification) is State.DELIVERED)
    logs, since = logs_of(at), at.clock.now() - timedelta(minutes=5)
    logs.run(since)
    before = at.services.ledger.attempt(f"{verification}-1")
    counted = at.services.ledger.counters().get("foreign", 0)
    again = logs.run(since)
    assert again.progress.settled == 0
    assert again.progress.foreign == 0
    assert at.services.ledger.attempt(f"{verification}-1") == before
    assert at.services.ledger.counters().get("foreign", 0) == counted


def test_a_phlo_without_callbacks_is_found_by_its_number(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.PHLO_SMS)
    wait_until_settled(at, number)
    logs_of(at).run(at.clock.now() - timedelta(minutes=5))
    assert state_of(at, verification) is State.DELIVERED


@pytest.mark.parametrize(
    ("kind", "source", "ending"),
    [
        (EventKind.SENT, Source.CALLBACK, (State.UNKNOWN, "")),
        (EventKind.UNCONFIRMED, Source.APP, (State.UNCLEAR, "no answer")),
    ],
)
def test_after_72_hours_without_a_receipt_a_sent_attempt_is_unknown_and_an_unclear_one_is_unclear(
    at: World, kind: EventKind, source: Source, ending: tuple[State, str]
) -> None:
    attempt = "a" * 24 + "-1"
    requested = at.clock.now() - RECEIPT_HORIZON - timedelta(minutes=1)
    record = {"channel": "sms", "mode": "sms", "to_masked": "•", "region": "US", "carrier": ""}
    ledger = at.services.ledger
    ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, requested, Source.APP, record))
    ledger.apply(AttemptEvent(attempt, kind, requested, source))
    logs_of(at).run(at.clock.now() - timedelta(minutes=5))
    stored = ledger.attempt(attempt)
    assert stored is not None
    assert (stored.state, stored.error) == ending


def test_two_processes_do_not_read_at_once(at: World) -> None:
    outcomes = []

    def run_another(now: Progress) -> None:
        outcomes.append(logs_of(at).run().outcome)

    assert (
        logs_of(at).run(at.clock.now() - timedelta(minutes=5), run_another).outcome
        is LogRunOutcome.DONE
    )
    assert outcomes == [LogRunOutcome.BUSY]
    until(lambda: logs_of(at).run(at.clock.now()).outcome is not LogRunOutcome.BUSY)


def test_a_reader_whose_turn_has_expired_cannot_move_the_cursor(at: World) -> None:
    s = at.services
    slow, quick = (Turn(s.client, Scripts(s.client), s.keys) for _ in range(2))
    assert slow.take()
    assert not quick.take()
    s.client.delete(s.keys.log_turn)  # its time is over
    assert quick.take()
    assert quick.note(cursor=2)
    assert not slow.note(cursor=1)
    slow.end()
    assert s.client.hgetall(s.keys.logs)["cursor"] == "2"
    assert quick.note(cursor=3)


def test_a_run_that_dies_is_continued_by_the_next(at: World) -> None:
    since = at.clock.now() - timedelta(days=1)

    class Died(Exception):
        pass

    def die(now: Progress) -> None:
        if now.windows_done == 2:
            raise Died

    with pytest.raises(Died):
        logs_of(at).run(since, die)
    through = logs_of(at).status().through
    assert through is not None
    assert abs(through - since - timedelta(hours=12)) < timedelta(seconds=1)
    # A second half-hour of overlap, and the rest of the day.
    reports: list[Progress] = []
    until(lambda: logs_of(at).run(None, reports.append).outcome is LogRunOutcome.DONE)
    assert reports[-1].windows == 3


def test_a_run_that_waits_for_its_next_request_stops_at_once(at: World) -> None:
    waited: list[float] = []
    logs: LogSync

    def wait(seconds: float) -> None:
        waited.append(seconds)
        at.clock.advance(seconds)
        logs.request_stop()

    logs = logs_of(at, wait=wait)
    ended = logs.run(at.clock.now() - timedelta(days=4))
    assert ended.outcome is LogRunOutcome.STOPPED
    assert len(waited) == 1
    # It goes on from there.
    again = logs_of(at, wait=lambda seconds: at.clock.advance(seconds))
    until(lambda: again.run().outcome is LogRunOutcome.DONE)


def test_a_stop_request_ends_a_run_after_its_window(at: World) -> None:
    logs = logs_of(at)
    ended = logs.run(at.clock.now() - timedelta(days=1), lambda now: logs.request_stop())
    assert ended.outcome is LogRunOutcome.STOPPED
    assert ended.progress.windows_done == 1
    assert logs.status().outcome is LogRunOutcome.STOPPED


def test_the_lists_are_read_at_most_twenty_times_a_minute(at: World) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        at.clock.advance(seconds)

    request_times: list[int] = []

    class Counting:
        def read(self, call: SdkCall, record: Any = None) -> Any:
            if call.path.endswith(".list"):
                request_times.append(to_ms(at.clock.now()))
            return at.services.clients.read(call, record)

    logs_of(at, clients=Counting(), wait=wait).run(at.clock.now() - timedelta(days=4))
    assert len(request_times) >= 32
    assert waited
    for earlier, later in zip(request_times, request_times[20:], strict=False):
        assert later - earlier >= 60_000


def test_a_request_counts_from_its_latest_possible_arrival(at: World) -> None:
    """A request is noted, then the machine is busy, then it arrives."""
    arrivals: list[int] = []

    class Busy:
        def read(self, call: SdkCall, record: Any = None) -> Any:
            if call.path.endswith(".list"):
                at.clock.advance(0 if arrivals else 2)
                arrivals.append(to_ms(at.clock.now()))
            return at.services.clients.read(call, record)

    logs_of(at, clients=Busy()).run(at.clock.now() - timedelta(days=4))
    assert arrivals[20] - arrivals[0] >= 60_000


def test_an_error_of_plivo_is_an_outcome_with_its_cause(at: World) -> None:
    class Down:
        def read(self, call: SdkCall, record: Any = None) -> Any:
            raise ProviderRead("Plivo did not answer.", "Try again later.")

    ended = logs_of(at, clients=Down()).run(at.clock.now() - timedelta(minutes=5))
    assert (ended.outcome, ended.cause) == (LogRunOutcome.FAILED, "Plivo did not answer.")
    assert "Try again later." in logs_of(at).status().cause
