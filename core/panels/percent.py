"""Shares in percent: of columns of counts, and in words."""

from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures.rates import ENOUGH, Rate
from core.wording.formats import percent


def percent_of(part: Any, whole: Any) -> NDArray[np.float64]:
    """`part` in % of `whole`, element by element; nan where `whole` is 0."""
    parts, wholes = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(wholes > 0, 100 * parts / wholes, nan)


def enough_percent_of(part: Any, whole: Any) -> NDArray[np.float64]:
    """The same, and nan where `whole` is too small for a percentage (`rates.ENOUGH`)."""
    return np.where(np.asarray(whole) >= ENOUGH, percent_of(part, whole), nan)


def share_words(rate: Rate) -> str:
    """ "97.4 %"; "1 of 1" where there are too few for a percentage."""
    return percent(rate.value) if rate.is_enough else f"{rate.k:,} of {rate.n:,}"
