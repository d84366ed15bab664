"""Places whose attempts are left out of the series that include them."""

from dataclasses import dataclass

import numpy as np

from core.alerts.sequential import Bools, Floats, Indices


@dataclass(frozen=True, slots=True)
class Apart:
    """Pumped places, and those with more attempts in the last day than in the four weeks before:
    their attempts are no sign of the others'. `parents`: the row of the series that includes each
    series, -1 where there is none."""

    parents: Indices
    is_apart: Bools

    def without(self, values: Floats) -> Floats:
        """(series, slots), with the places apart left out of their wholes."""
        if not self.is_apart.any():
            return values
        left_out = np.where(self.is_apart[:, None], values, 0.0)
        # The smallest first: a whole that is apart itself is left out as a whole.
        depths = self._depths()
        for depth in range(int(depths.max()), 0, -1):
            for row in np.flatnonzero(depths == depth):
                parent = self.parents[row]
                if not self.is_apart[parent]:
                    left_out[parent] += left_out[row]
        kept: Floats = np.where(self.is_apart[:, None], values, np.maximum(values - left_out, 0.0))
        return kept

    def _depths(self) -> Indices:
        """How many series include each series."""
        depths = np.zeros(len(self.parents), dtype=np.intp)
        rows = np.arange(len(self.parents))
        above = self.parents.copy()
        while len(rows := rows[above[rows] >= 0]):
            depths[rows] += 1
            above[rows] = self.parents[above[rows]]
        return depths
