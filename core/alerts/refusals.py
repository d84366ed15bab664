"""Reads how many numbers budgets refused, of series and in slots of time."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from core.alerts.sequential import Floats, Indices
from core.alerts.wholes import is_part
from core.model.series import ALL_TRAFFIC, Series
from core.store.client import RawClient
from core.store.keys import Keys
from core.store.refusals import RefusedNumbers, read_refusals


class RefusalReading:
    """Every method raises StoreUnavailable."""

    def __init__(self, raw: RawClient, keys: Keys) -> None:
        self._raw = raw
        self._keys = keys

    def counts(self, series: Sequence[Series], starts: Indices, end_ms: int) -> Floats:
        """(series, slots), of slots that follow each other. 0 for carriers: no budget is by
        carrier."""
        values = np.zeros((len(series), len(starts)))
        rows = {name: row for row, name in enumerate(series)}
        refusals = read_refusals(self._raw, self._keys, int(starts[0]), end_ms)
        slots = np.searchsorted(starts, [refusal.at_ms for refusal in refusals], side="right") - 1
        for refusal, slot in zip(refusals, slots.tolist(), strict=True):
            for name in {ALL_TRAFFIC, Series.of(refusal.series.channel), refusal.series}:
                if (row := rows.get(name)) is not None:
                    values[row, slot] += refusal.numbers
        return values

    def budgets(self, since_ms: Mapping[Series, int], now_ms: int) -> dict[Series, tuple[str, ...]]:
        """The names of the budgets that refused numbers of each series since a moment of its own;
        the most numbers first."""
        if not since_ms:
            return {}
        refusals = read_refusals(self._raw, self._keys, min(since_ms.values()), now_ms + 1)
        return {series: _budgets(refusals, series, begin) for series, begin in since_ms.items()}


def _budgets(refusals: Sequence[RefusedNumbers], series: Series, since_ms: int) -> tuple[str, ...]:
    numbers: Counter[str] = Counter()
    for refusal in refusals:
        is_of_series = refusal.series == series or is_part(refusal.series, series)
        if is_of_series and refusal.budget and refusal.at_ms >= since_ms:
            numbers[refusal.budget] += refusal.numbers
    return tuple(budget for budget, _ in numbers.most_common())
