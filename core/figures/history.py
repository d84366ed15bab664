"""Finds when the history of the figures begins. A period from before it cannot be compared with."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from core.figures.catalogue import COLUMNS
from core.figures.layout import Cube, Tier
from core.figures.ranges import Piece
from core.figures.slot_reader import SlotReader
from core.model.clock import from_ms, to_ms
from core.model.series import Series

_REQUESTED = COLUMNS.index("requested")


def history_begins(reader: SlotReader, now: datetime) -> datetime | None:
    """When the first attempt that the figures hold was requested, to the quarter-hour; the end of
    its day (UTC) where the quarter-hours have expired. None without any. Raises
    StoreUnavailable."""
    now_ms, day_ms = to_ms(now), Tier.DAY.slot_ms
    channels = reader.series(Cube.CHANNEL, 0)
    first_day = -(-(now_ms - Tier.DAY.keep_ms) // day_ms) * day_ms
    days = Piece(Tier.DAY, first_day, (now_ms - first_day) // day_ms + 1)
    day = _first_slot(reader, channels, days)
    if day is None:
        return None
    if now_ms < Tier.QUARTER.expires_ms(day):
        quarters = Piece(Tier.QUARTER, day, day_ms // Tier.QUARTER.slot_ms)
        quarter = _first_slot(reader, channels, quarters)
        return from_ms(day if quarter is None else quarter)
    return from_ms(day + day_ms)


def _first_slot(reader: SlotReader, channels: Sequence[Series], piece: Piece) -> int | None:
    """The start of the first slot with an attempt, Unix ms."""
    starts = list(range(piece.start_ms, piece.end_ms, piece.tier.slot_ms))
    counts = reader.counters(Cube.CHANNEL, channels, [piece], starts).sum(axis=0)
    used = np.flatnonzero(counts[:, _REQUESTED])
    return starts[int(used[0])] if len(used) else None
