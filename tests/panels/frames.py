"""Small frames of figures for the tests of the panels."""

from datetime import UTC, datetime
from math import nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.figures.catalogue import QUERY_COLUMNS
from core.figures.layout import BINS
from core.figures.receipts import ReceiptHealth
from core.panels.figure_inputs import FigureInputs, RipeInput, TimesInput

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
NO_TIMES = np.zeros(BINS, dtype=np.int64)


def row(**given: int) -> "pd.Series[Any]":
    return pd.Series({name: given.get(name, 0) for name in QUERY_COLUMNS})


def steps(n: int = 4, **given: int) -> pd.DataFrame:
    index = pd.date_range("2026-11-24", periods=n, freq="15min", tz="UTC", name="start")
    frame = pd.DataFrame([row(**given)] * n, index=index)
    frame["complete"] = [True] * (n - 1) + [False]
    return frame


def inputs(
    now: "pd.Series[Any]",
    before: "pd.Series[Any] | None" = None,
    frame: pd.DataFrame | None = None,
    heat: NDArray[np.int64] | None = None,
    history: pd.DataFrame | None = None,
    past: NDArray[np.int64] | None = None,
) -> FigureInputs:
    """The input of the figures of a range that is ripe as a whole; `history` and `past`, the times,
    are those of the windows before it: by default 28 like `before`."""
    if frame is None:
        frame = steps(requested=10, confirmed=9)
    if heat is None:
        heat = np.zeros((4, BINS), dtype=np.int64)
    if history is None:
        history = pd.DataFrame([now if before is None else before] * 28)
    pair = None if before is None else (now, before)
    ripe = RipeInput(now, pair, frame, history)
    sums = heat.sum(axis=0)
    times = TimesInput(
        sums,
        None if past is None else (sums, past[-1]),
        heat,
        np.zeros((1, BINS), dtype=np.int64) if past is None else past,
    )
    return FigureInputs(now, pair, frame, ripe, ripe, times)


def channels(**given: dict[str, int]) -> pd.DataFrame:
    frame = pd.DataFrame([row(**one) for one in given.values()])
    frame.index = pd.Index(list(given), name="channel")
    return frame


def countries(**rates: tuple[int, int]) -> pd.DataFrame:
    made = [row(requested=n, started=n, confirmed=k, converted=k) for n, k in rates.values()]
    index = pd.MultiIndex.from_tuples([(c, "") for c in rates], names=["country", "carrier"])
    frame = pd.DataFrame(made, index=index)
    frame["p95_ms"], frame["spark"] = nan, [[1.0, nan]] * len(frame)
    frame["receipts"], frame["silent_since"] = ReceiptHealth.ARRIVING, pd.NaT
    return frame
