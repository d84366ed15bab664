"""Shares in percent of columns of counts."""

from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray


def percent_of(part: Any, whole: Any) -> NDArray[np.float64]:
    """`part` in % of `whole`, element by element; nan where `whole` is 0."""
    parts, wholes = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(wholes > 0, 100 * parts / wholes, nan)
