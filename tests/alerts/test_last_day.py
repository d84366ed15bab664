"""The figures of the last day are kept in the process, and what folds change is read again."""

from typing import cast

import numpy as np
import pytest

from core.alerts.figures import AlertFigures
from core.alerts.last_day import LastDay
from core.figures.fold import FoldMark
from core.model.clock import to_ms
from core.model.errors import StoreUnavailable
from core.model.series import Series
from core.store.client import Client, RawClient
from tests.alerts.test_alerts import DEAD, GOOD, MINUTE, Room
from tests.alerts.test_alerts import room as room

CARRIERS = ("sms/DE/O2", "sms/FR/Orange", "voice/DE/O2")
SERIES = [
    Series(name) for name in ("all", "sms", "voice", "sms/DE", "sms/FR", "voice/DE", *CARRIERS)
]


class Folds:
    """Writes figures as folds do: with the places that have changed."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._number = 0

    def add(self, carrier: str, begin: int, counts: dict[str, int]) -> None:
        """Add to a minute, `begin` after noon."""
        room = self._room
        room.add(carrier, 1, counts, begin)
        self._number += 1
        last = f"{self._number}-0"
        channel, country, _ = Series(carrier).parts
        quarter = (to_ms(room.now) // 60_000 + begin) // 15
        place = "\x1f".join((channel, f"{channel}/{country}", carrier, str(quarter)))
        changed = {"": 0, f"@{last}": self._number, place: self._number}
        room.client.zadd(room.keys.changed, changed, nx=False)
        room.client.set(room.keys.folded, str(FoldMark("epoch", self._number, last)))


def days_of(room: Room) -> LastDay:
    return LastDay(cast(RawClient, room.raw), room.keys)


def test_what_is_kept_equals_what_is_read_anew(room: Room) -> None:
    for carrier in CARRIERS:
        room.add(carrier, 30 * 60, GOOD, -30 * 60)
    folds, kept = Folds(room), days_of(room)
    chance = np.random.default_rng(7)
    for minute in range(20):
        now_ms = to_ms(room.now + minute * MINUTE)
        # The newest minute, a late event of the last hours, and one of the day.
        for ago in (0, int(chance.integers(1, 170)), int(chance.integers(200, 1400))):
            carrier = str(chance.choice(CARRIERS))
            folds.add(carrier, minute - ago, DEAD if chance.random() < 0.5 else GOOD)
        slots, reread = kept.slots(SERIES, now_ms), days_of(room).slots(SERIES, now_ms)
        assert (slots.starts == reread.starts).all()
        for name, values in reread.figures.items():
            assert (slots.figures[name] == values).all(), name
        assert slots.figures["requested"].any()


def test_only_what_has_changed_is_read(room: Room) -> None:
    for carrier in CARRIERS:
        room.add(carrier, 60, GOOD, -60)
    folds, kept = Folds(room), days_of(room)
    folds.add("sms/DE/O2", 0, GOOD)
    kept.slots(SERIES, to_ms(room.now))
    # A change that no fold has noted is not seen, until a quarter of an hour begins.
    room.add("sms/FR/Orange", 1, GOOD)
    requested = SERIES.index(Series("sms/FR/Orange"))
    folds.add("sms/DE/O2", 0, GOOD)
    slots = kept.slots(SERIES, to_ms(room.now))
    assert slots.figures["requested"][requested, -1] == 0
    assert slots.figures["requested"][SERIES.index(Series("sms/DE/O2")), -1] == 4
    later = kept.slots(SERIES, to_ms(room.now + 15 * MINUTE))
    assert later.figures["requested"][requested, -16] == 2


def test_any_series_can_be_read_without_those_of_a_check(room: Room) -> None:
    for carrier in CARRIERS:
        room.add(carrier, 60, GOOD, -60)
    figures = AlertFigures(
        cast(Client, room.client), cast(RawClient, room.raw), room.keys, lambda: None
    )
    now_ms = to_ms(room.now)
    whole = figures.last_day(SERIES, now_ms).figures["requested"].sum(axis=1)
    for name in ("all", "sms/DE"):
        requested = figures.recent([Series(name)], now_ms).figures["requested"]
        assert requested.sum(axis=1) == [whole[SERIES.index(Series(name))]]
        assert requested.any()


def test_after_a_failed_reading_everything_is_read(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds, kept = Folds(room), days_of(room)
    folds.add("sms/DE/O2", 0, GOOD)
    now_ms = to_ms(room.now)
    kept.slots(SERIES, now_ms)
    folds.add("sms/DE/O2", 0, GOOD)
    with monkeypatch.context() as patch:

        def fail(*_: object) -> None:
            raise StoreUnavailable("Redis cannot be reached.", "Try again.")

        patch.setattr(kept, "_read_changed", fail)
        with pytest.raises(StoreUnavailable):
            kept.slots(SERIES, now_ms)
    slots = kept.slots(SERIES, now_ms)
    assert slots.figures["requested"][SERIES.index(Series("sms/DE/O2")), -1] == 4
