"""Reads the figures of the attempts that were requested within a window.

All figures of a window are of the same attempts, so a share never exceeds 100 %, and a late report
corrects them: these figures rise and fall.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from core.figures.catalogue import COLUMNS
from core.figures.layout import Cube, Tier
from core.figures.packing import Counts
from core.figures.ranges import Piece, Range, pieces
from core.figures.ripeness import Ripeness
from core.figures.slot_reader import SlotReader
from core.model.clock import to_ms
from core.model.series import Series


class Window(StrEnum):
    """When the window starts. The ripe hour is for rates: its attempts are as old as a code is
    valid (`ripeness`)."""

    HOUR = "1h"  # 60 minutes before the current minute
    RIPE_HOUR = "1h_ripe"  # 60 minutes before the newest attempt that is ripe, to the minute
    TODAY = "today"  # midnight, UTC

    def pieces(self, now: datetime, ripeness: Ripeness) -> list[Piece]:
        """The slots of the window."""
        now_ms = to_ms(now)
        match self:
            case Window.TODAY:
                # The day's slot alone: it holds no attempt of the future.
                return [Piece(Tier.DAY, now_ms // Tier.DAY.slot_ms * Tier.DAY.slot_ms, 1)]
            case Window.RIPE_HOUR:
                end = (now - ripeness.age("confirmed")).replace(second=0, microsecond=0)
                return pieces(Range(end - timedelta(hours=1), end), now)
            case Window.HOUR:
                minute = now.replace(second=0, microsecond=0)
                return pieces(Range(minute - timedelta(hours=1), now), now)


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """The figures of a window.

    `counters`: (series of countries such as "sms/DE", COLUMNS), of those with an attempt in the
    window. `errors`: by channel and code, how many attempts in all countries ended with that code.
    """

    series: tuple[Series, ...]
    counters: Counts
    errors: dict[tuple[str, str], int]


def read_window(
    reader: SlotReader, window: Window, now: datetime, ripeness: Ripeness
) -> WindowFigures:
    """The figures of the window at `now`. Raises StoreUnavailable."""
    slots = window.pieces(now, ripeness)
    since_ms = slots[0].start_ms
    countries = reader.series(Cube.COUNTRY, since_ms)
    counters = reader.counters(Cube.COUNTRY, countries, slots)[:, 0]
    # The series of all countries together have an empty country.
    names = [name for name in reader.series(Cube.ERROR, since_ms) if not name.country]
    counts = reader.errors(names, slots)
    errors = {}
    for name, count in zip(names, counts, strict=True):
        if count:
            errors[name.channel, name.last] = int(count)
    active = np.flatnonzero(counters[:, COLUMNS.index("requested")])
    return WindowFigures(tuple(countries[row] for row in active), counters[active], errors)
