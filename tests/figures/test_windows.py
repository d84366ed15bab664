"""A window counts the attempts requested in it, and follows corrections."""

import itertools
from datetime import datetime, timedelta

from core.figures.catalogue import COLUMNS
from core.figures.ripeness import Ripeness
from core.figures.slot_reader import SlotReader
from core.figures.windows import Window, WindowFigures, read_window
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import from_ms, to_ms
from tests.world import World

_ids = itertools.count()
#: The windows that end now.
NOW = (Window.HOUR, Window.TODAY)


def requested(at: World, moment: datetime, region: str = "DE") -> str:
    attempt = f"{next(_ids):024d}-1"
    record = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": region}
    more = {"carrier": "O2", "origin": "first"}
    at.services.ledger.apply(
        AttemptEvent(attempt, EventKind.REQUESTED, moment, Source.APP, record | more)
    )
    return attempt


def report(at: World, attempt: str, kind: EventKind, **fields: str) -> None:
    at.services.ledger.apply(
        AttemptEvent(attempt, kind, at.clock.now(), Source.CALLBACK, dict(fields))
    )


def read(at: World, window: Window, now: datetime) -> WindowFigures:
    s = at.services
    s.fold.settle()
    return read_window(SlotReader(s.client, s.connection.raw, s.keys), window, now, Ripeness())


def column(figures: WindowFigures, name: str) -> dict[str, int]:
    values = figures.counters[:, COLUMNS.index(name)]
    return {series: int(n) for series, n in zip(figures.series, values, strict=True)}


def test_the_hour_begins_with_a_minute_and_today_at_midnight_utc(at: World) -> None:
    now = at.clock.now().replace(second=30)
    minute = now.replace(second=0, microsecond=0)
    midnight = minute.replace(hour=0, minute=0)
    requested(at, minute - timedelta(hours=1))
    requested(at, minute - timedelta(hours=1, milliseconds=1), "FR")
    requested(at, midnight, "GB")
    requested(at, midnight - timedelta(milliseconds=1), "US")
    hour = column(read(at, Window.HOUR, now), "requested")
    since = {"DE": minute - timedelta(hours=1), "GB": midnight, "US": midnight}
    assert ("sms/FR" in hour, hour["sms/DE"]) == (False, 1)
    assert ("sms/GB" in hour) == (since["GB"] >= since["DE"])
    today = column(read(at, Window.TODAY, now), "requested")
    assert ("sms/US" in today, today["sms/GB"]) == (False, 1)


def test_the_ripe_hour_holds_no_attempt_whose_code_is_still_valid(at: World) -> None:
    now = at.clock.now().replace(second=30, microsecond=0)
    for region, age in {"DE": 4, "FR": 6, "GB": 64, "US": 66}.items():
        requested(at, now - timedelta(minutes=age), region)
    ripe = column(read(at, Window.RIPE_HOUR, now), "requested")
    assert ripe == {"sms/FR": 1, "sms/GB": 1}


def test_a_corrected_state_is_subtracted_with_its_error(at: World) -> None:
    now = at.clock.now()
    attempt = requested(at, from_ms(to_ms(now) - 1000))
    report(at, attempt, EventKind.UNDELIVERED, error_code="30", cost_micros="7700")
    for window in NOW:
        figures = read(at, window, now)
        assert column(figures, "undelivered") == {"sms/DE": 1}
        assert figures.errors == {("sms", "30"): 1}
    report(at, attempt, EventKind.DELIVERED)
    for window in NOW:
        figures = read(at, window, now)
        assert column(figures, "undelivered") == {"sms/DE": 0}
        assert column(figures, "delivered") == {"sms/DE": 1}
        assert column(figures, "cost_micros") == {"sms/DE": 7700}
        assert figures.errors == {}


def test_a_series_without_an_attempt_in_the_window_is_left_out(at: World) -> None:
    now = at.clock.now()
    requested(at, now - timedelta(days=2))
    for window in Window:
        figures = read(at, window, now)
        assert (figures.series, len(figures.counters), figures.errors) == ((), 0, {})
