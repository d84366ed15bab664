"""Figures of the attempts that were requested within a window that ends now.

All of a window is of the same attempts, so its shares never exceed 100 %, and what a late report
corrects is corrected here too: these figures rise and fall.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from core.figures.layout import COLUMNS, Counts, Cube, Tier
from core.figures.ranges import Piece, Range, pieces
from core.figures.slot_reader import SlotReader
from core.model.clock import to_ms


class Window(StrEnum):
    """Since when."""

    HOUR = "1h"  # 60 minutes before the minute under way, and that minute
    TODAY = "today"  # midnight, UTC

    def pieces(self, now: datetime) -> list[Piece]:
        """The slots that make it up."""
        now_ms = to_ms(now)
        if self is Window.TODAY:
            # One slot is enough: what is to come is not in it yet.
            return [Piece(Tier.DAY, now_ms // Tier.DAY.slot_ms * Tier.DAY.slot_ms, 1)]
        minute = now.replace(second=0, microsecond=0)
        return pieces(Range(minute - timedelta(hours=1), now), now)


@dataclass(frozen=True, slots=True)
class Windowed:
    """What a window holds.

    `counters`: (series of countries such as "sms/DE", layout.COLUMNS), of those with an attempt in
    it. `errors`: by channel and code, how many attempts of all countries each has ended.
    """

    series: tuple[str, ...]
    counters: Counts
    errors: dict[tuple[str, str], int]


def read_window(reading: SlotReader, window: Window, now: datetime) -> Windowed:
    """What a window holds at this moment. Raises StoreUnavailable."""
    cut = window.pieces(now)
    since_ms = cut[0].start_ms
    countries = reading.series(Cube.COUNTRY, since_ms)
    counters = reading.counters(Cube.COUNTRY, countries, cut)[:, 0]
    # An error's country is empty where all of them are meant.
    names = [n for n in reading.series(Cube.ERROR, since_ms) if n.split("/", 2)[1] == ""]
    counts = reading.errors(names, cut)
    errors = {}
    for name, count in zip(names, counts, strict=True):
        if count:
            channel, _, code = name.split("/", 2)
            errors[channel, code] = int(count)
    asked = np.flatnonzero(counters[:, COLUMNS.index("requested")])
    return Windowed(tuple(countries[at] for at in asked), counters[asked], errors)
