"""The attempts of sample traffic: the same for the same seed, ripe and unripe, with incidents."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.model.clock import to_ms
from core.sample.places import PLACES
from core.sample.plan import Plan
from core.sample.traffic import MOMENTS, WAYS, attempts_of, days_of

UNTIL = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
PLAN = Plan(60, 2000, 7, UNTIL)
IS_MESSAGE = np.array([not way.is_call for way in WAYS])


def messages(ago: int, country: str, carrier: str | None = None) -> NDArray[Any]:
    """The messages to a country, or a carrier, of the day so many days before the last one."""
    table = attempts_of(days_of(PLAN)[ago], PLAN)
    is_there = np.array([c.region == country and carrier in {None, k.name} for c, k in PLACES])
    rows: NDArray[Any] = table[is_there[table["place"]] & IS_MESSAGE[table["way"]]]
    return rows


def share(rows: NDArray[Any], kind: str) -> float:
    return float((rows[kind] >= 0).mean())


def test_the_same_seed_is_the_same_traffic() -> None:
    day = days_of(PLAN)[1]
    table = attempts_of(day, PLAN)
    assert (table == attempts_of(day, PLAN)).all()
    assert len(table) != len(attempts_of(day, Plan(60, 2000, 8, UNTIL)))


def test_nothing_is_later_than_the_end_and_the_newest_attempts_are_pending() -> None:
    table = attempts_of(days_of(PLAN)[0], PLAN)
    for kind in ("requested", *MOMENTS):
        assert table[kind].max() <= to_ms(UNTIL)
    last_minute = table[table["requested"] > to_ms(UNTIL - timedelta(seconds=5))]
    assert len(last_minute) == 0 or share(last_minute, "delivered") < 0.5
    is_priced = table["cost_micros"] >= 0
    assert (table["priced"][is_priced] <= to_ms(UNTIL)).all()


def test_requests_follow_the_local_hour_and_weekday() -> None:
    """India sleeps while it is evening in the United States."""

    def by_hour(country: str) -> NDArray[np.int64]:
        rows = np.concatenate([messages(ago, country) for ago in range(35, 42)])
        hours = (rows["requested"] // 3_600_000 % 24).astype(np.int64)
        return np.bincount(hours, minlength=24)

    india, states = by_hour("IN"), by_hour("US")
    # 22 to 24 UTC: 3:30 to 5:30 in India, 17 to 19 in New York.
    assert india[22:].sum() < 0.03 * india.sum()
    assert states[22:].sum() > 0.08 * states.sum()
    per_day = [len(attempts_of(day, PLAN)) for day in days_of(PLAN)[35:42]]
    weekend = [day.weekday() > 4 for day in days_of(PLAN)[35:42]]
    assert max(n for n, is_off in zip(per_day, weekend, strict=True) if is_off) < min(
        n for n, is_off in zip(per_day, weekend, strict=True) if not is_off
    )


def test_a_carrier_is_dead_for_two_days() -> None:
    assert share(messages(24, "DE", "O2"), "delivered") == 0
    assert share(messages(26, "DE", "O2"), "delivered") > 0.85
    assert share(messages(24, "DE", "T-Mobile"), "delivered") > 0.85


def test_a_carrier_is_losing_messages_now() -> None:
    assert share(messages(1, "ID", "Telkomsel"), "delivered") < 0.5
    assert share(messages(6, "ID", "Telkomsel"), "delivered") > 0.8


def test_a_carrier_was_slow() -> None:
    def median(rows: NDArray[Any]) -> float:
        arrived = rows[rows["delivered"] >= 0]
        return float(np.median(arrived["delivered"] - arrived["sent"]))

    slow, usual = messages(13, "IN", "Vodafone"), messages(16, "IN", "Vodafone")
    assert median(slow) > 5 * median(usual)


def test_plivo_has_answered_with_errors_for_an_hour() -> None:
    table = attempts_of(days_of(PLAN)[2], PLAN)
    hour = (table["requested"] // 3_600_000 % 24).astype(int)
    unclear = table["unconfirmed"] >= 0
    assert unclear[hour == 14].mean() > 0.6
    assert unclear[hour != 14].mean() < 0.02


def test_a_country_that_was_never_served_is_pumped() -> None:
    assert [len(messages(ago, "TJ")) > 100 for ago in (10, 8, 6)] == [False, True, False]
    assert share(messages(8, "TJ"), "verified") < 0.1


def test_receipts_were_silent_in_a_country_and_codes_were_entered() -> None:
    rows = messages(18, "ES")
    assert share(rows, "delivered") == 0
    assert share(rows, "unreported") > 0.9
    assert share(rows, "verified") > 0.75


@pytest.mark.parametrize(("ago", "factor"), [(31, 1), (29, 3), (0, 3)])
def test_a_price_has_risen(ago: int, factor: int) -> None:
    rows = messages(ago, "BR")
    costs = rows["cost_micros"][rows["cost_micros"] >= 0]
    assert set(costs.tolist()) == {16_000 * factor}
