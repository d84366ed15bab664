"""Turns packed figures into the columns and rows of pandas frames."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS, QUERY_COLUMNS, STATES
from core.figures.packing import Counts
from core.figures.steps import Steps

_REQUESTED, _CONFIRMED = COLUMNS.index("requested"), COLUMNS.index("confirmed")
_STATE_PLACES = [COLUMNS.index(name) for name in STATES]
_INDEX = pd.Index(QUERY_COLUMNS)


def totals(values: Counts) -> "pd.Series[int]":
    """(COLUMNS,) as a series by QUERY_COLUMNS."""
    return pd.Series(_with_pending(values), index=QUERY_COLUMNS)


def table(values: Counts) -> pd.DataFrame:
    """(rows, COLUMNS) as a frame with QUERY_COLUMNS."""
    return pd.DataFrame(_with_pending(values), columns=_INDEX)


def confirmed_rates(values: Counts) -> list[NDArray[np.float64]]:
    """(rows, parts, COLUMNS): the confirmed rate of each part, nan without attempts. Arrays, since
    ten thousand lists of numbers take half a second."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = values[:, :, _CONFIRMED] / values[:, :, _REQUESTED]
    return list(rates)


def moments(steps: Steps) -> pd.DatetimeIndex:
    """The starts of steps as an index of moments of their zone, `start`."""
    starts = np.array(steps.starts, dtype="datetime64[ms]").astype("datetime64[us]")
    return pd.DatetimeIndex(starts, tz="UTC", name="start").tz_convert(steps.zone)


@lru_cache(maxsize=32)
def pairs_index(pairs: tuple[tuple[str, str], ...], names: tuple[str, str]) -> pd.MultiIndex:
    """An index of pairs. Queries have the same ones again and again, and pandas needs a
    millisecond for 150 of them."""
    return pd.MultiIndex.from_tuples(pairs, names=names)


def group_sums(values: Counts, groups: Sequence[int], count: int) -> Counts:
    """Add up the rows of each of `count` groups; `groups` holds the group of each row."""
    sums = np.zeros((count, *values.shape[1:]), dtype=np.int64)
    for group, row in zip(groups, values, strict=True):
        sums[group] += row
    return sums


def _with_pending(values: Counts) -> Counts:
    """COLUMNS, then the attempts in none of STATES."""
    pending = values[..., _REQUESTED] - values[..., _STATE_PLACES].sum(axis=-1)
    return np.concatenate([values, pending[..., None]], axis=-1)
