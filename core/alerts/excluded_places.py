"""Places whose attempts are excluded from the series that include them."""

from dataclasses import dataclass

import numpy as np

from core.alerts.sequential import Bools, Floats, Indices


@dataclass(frozen=True, slots=True)
class ExcludedPlaces:
    """Pumped places, and those with more attempts in the last day than in the four weeks before:
    their shares say nothing about other places. `parents`: the row of the series that includes each
    series, -1 where there is none."""

    parents: Indices
    is_excluded: Bools

    def removed_from(self, values: Floats) -> Floats:
        """(series, slots), where the series that include an excluded place do not count it."""
        if not self.is_excluded.any():
            return values
        excluded = np.where(self.is_excluded[:, None], values, 0.0)
        # The smallest first: a whole that is itself excluded is subtracted as a whole.
        depths = self._depths()
        for depth in range(int(depths.max()), 0, -1):
            for row in np.flatnonzero(depths == depth):
                parent = self.parents[row]
                if not self.is_excluded[parent]:
                    excluded[parent] += excluded[row]
        remaining: Floats = np.where(
            self.is_excluded[:, None], values, np.maximum(values - excluded, 0.0)
        )
        return remaining

    def _depths(self) -> Indices:
        """How many series include each series."""
        depths = np.zeros(len(self.parents), dtype=np.intp)
        rows = np.arange(len(self.parents))
        above = self.parents.copy()
        while len(rows := rows[above[rows] >= 0]):
            depths[rows] += 1
            above[rows] = self.parents[above[rows]]
        return depths
