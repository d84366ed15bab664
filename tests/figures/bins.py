"""The bin of one duration, for tests that compare histograms."""

import numpy as np

from core.figures.packing import bins_of


def bin_of(ms: int) -> int:
    """The bin of a duration in ms."""
    return int(bins_of(np.array([ms]))[0])
