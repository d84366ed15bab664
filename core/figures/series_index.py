"""Selects series of a cube by their parts and by their newest request."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.figures.filters import ALL, Filters
from core.model.series import Series

_DIMENSIONS = 3
#: The code of a part that a series does not have, and of a value that no series has.
_NO_PART, _NO_SERIES = -1, -2
_MOST_SELECTIONS = 64


class SeriesIndex:
    """All series of a cube, sorted by name, with the newest request of each, Unix ms."""

    def __init__(self, newest: Mapping[str, float]) -> None:
        self._names = sorted(map(Series, newest))
        self._newest = np.array([newest[name] for name in self._names], dtype=float)
        self._selections: dict[bytes, list[Series]] = {}
        #: Of each dimension: the codes of its values, and that of each series.
        self._codes: list[dict[str, int]] = []
        self._code_of: list[NDArray[np.intp]] = []
        parts = [name.parts for name in self._names]
        for place in range(_DIMENSIONS):
            codes: dict[str, int] = {}
            values = [part[place] if place < len(part) else None for part in parts]
            code_of = [
                _NO_PART if value is None else codes.setdefault(value, len(codes))
                for value in values
            ]
            self._codes.append(codes)
            self._code_of.append(np.array(code_of, dtype=np.intp))

    def renew(self, newest: Mapping[str, float]) -> bool:
        """Take over the newest requests; False, and nothing changes, if these are other series."""
        if len(newest) != len(self._names):
            return False
        values = [newest.get(name) for name in self._names]
        if None in values:
            return False
        self._newest = np.array(values, dtype=float)
        return True

    def select(self, since_ms: float, filters: Filters = ALL) -> list[Series]:
        """The series with an attempt since then whose parts, as far as they have them, have the
        values of the filters. The same selection is the same list, so it must not be changed."""
        is_selected = self._newest >= since_ms
        values = (filters.channel, filters.country, filters.carrier)
        for value, codes, code_of in zip(values, self._codes, self._code_of, strict=True):
            if value is not None:
                code = codes.get(value, _NO_SERIES)
                is_selected &= (code_of == code) | (code_of == _NO_PART)
        key = is_selected.tobytes()
        if key not in self._selections:
            if len(self._selections) >= _MOST_SELECTIONS:
                self._selections.clear()
            rows = np.flatnonzero(is_selected).tolist()
            self._selections[key] = [self._names[row] for row in rows]
        return self._selections[key]
