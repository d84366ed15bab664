"""The background thread that repeats a function."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from core.background import Periodic
from core.model.errors import ProductError, StoreUnavailable
from tests.world import until

NOW, HOUR = timedelta(), timedelta(hours=1)


@contextmanager
def running(periodic: Periodic) -> Iterator[Periodic]:
    periodic.start()
    try:
        yield periodic
    finally:
        periodic.stop()


def threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_a_function_is_repeated_in_a_named_thread_until_it_is_stopped() -> None:
    names: list[str] = []
    with running(Periodic("repeated", lambda: names.append(threading.current_thread().name), NOW)):
        until(lambda: len(names) > 2)
    assert set(names) == {"repeated"}
    assert threads("repeated") == []


def test_the_first_run_may_be_sooner_than_the_others() -> None:
    runs: list[int] = []
    with running(Periodic("first", lambda: runs.append(1), HOUR, first=NOW)):
        until(lambda: runs)
    assert runs == [1]


def test_a_wake_up_runs_it_at_once() -> None:
    runs: list[int] = []
    with running(Periodic("woken", lambda: runs.append(1), HOUR)) as periodic:
        periodic.wake()
        until(lambda: runs)
    assert runs == [1]


def test_a_wake_up_during_a_run_is_not_lost() -> None:
    runs: list[int] = []

    def run() -> None:
        runs.append(1)
        if len(runs) == 1:
            periodic.wake()

    periodic = Periodic("woken", run, HOUR, first=NOW)
    with running(periodic):
        until(lambda: len(runs) == 2)


def test_an_error_is_logged_once_for_each_kind_until_a_run_succeeds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away, full = (StoreUnavailable(cause, "Try again.") for cause in ("It is away.", "It is full."))
    bug = ZeroDivisionError("a bug")
    outcomes: list[Exception | None] = [away, away, full, away, bug, bug, None, away]
    remaining = iter(outcomes)

    def run() -> None:
        outcome = next(remaining, None)
        if outcome is None:
            done.append(1)
        else:
            raise outcome

    done: list[int] = []
    with (
        caplog.at_level(logging.INFO, "core.background"),
        running(Periodic("work", run, NOW, pause=NOW)),
    ):
        until(lambda: len(done) > 1)
    logged = [(record.getMessage(), getattr(record, "cause", "")) for record in caplog.records]
    assert logged == [
        ("work paused", "It is away."),
        ("work paused", "It is full."),
        ("work failed", ""),
        ("work paused", "It is away."),
    ]
    assert [record.exc_info is not None for record in caplog.records] == [False, False, True, False]


@pytest.mark.parametrize("error", [ProductError("It is away.", "Wait."), ZeroDivisionError()])
def test_after_an_error_it_pauses_and_a_stop_ends_the_pause(error: Exception) -> None:
    runs: list[int] = []

    def run() -> None:
        runs.append(1)
        raise error

    with running(Periodic("pausing", run, NOW, pause=HOUR)) as periodic:
        until(lambda: runs)
        # Not even a wake-up cuts a pause short: what failed would fail again and again.
        periodic.wake()
    assert threads("pausing") == []
    assert runs == [1]


def test_a_stop_does_not_wait_for_ever_for_a_run(caplog: pytest.LogCaptureFixture) -> None:
    begun, finish = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        finish.wait(10)

    with running(Periodic("slow", run, NOW, patience=timedelta(milliseconds=1))) as periodic:
        begun.wait(10)
    assert periodic.stopping.is_set()
    assert [record.getMessage() for record in caplog.records] == ["slow still running at stop"]
    finish.set()
    until(lambda: threads("slow") == [])


def test_a_stop_between_two_runs_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with running(Periodic("waiting", lambda: None, HOUR, patience=NOW)):
        pass
    assert caplog.records == []


def test_a_stop_before_the_start_does_nothing() -> None:
    Periodic("never", lambda: None, NOW).stop()
