"""Removes series from the registries that have no figures left, after sample traffic was removed:
else filters would still offer their countries and carriers."""

import secrets
from datetime import timedelta

from core.figures.fold import KEEP_MS, FoldMark
from core.figures.layout import MOST_SERIES, Cube, Tier
from core.figures.packed_reader import PackedReader, SlotRange
from core.figures.packing import COUNTER_KIND, ERROR_KIND
from core.model.clock import Clock, duration_ms, to_ms
from core.model.series import Series
from core.store.client import RawClient
from core.store.keys import Keys
from core.store.scripts import Scripts

_TIER = Tier.DAY
_CUBES = tuple(Cube)
_TRIES = 20


class Registries:
    """The registered series of all cubes. Every method raises StoreUnavailable."""

    def __init__(self, raw: RawClient, keys: Keys, clock: Clock) -> None:
        self._raw = raw
        self._scripts = Scripts(raw)
        self._keys = keys
        self._clock = clock
        self._reader = PackedReader(raw, keys)

    def forget_unused(self) -> None:
        """Remove the series whose days are all 0. Under constant traffic they may stay."""
        for _ in range(_TRIES):
            with self._raw.pipeline(transaction=False) as pipe:
                pipe.get(self._keys.folded)
                folded = (pipe.execute()[0] or b"").decode()
            if not folded or self._forget(folded):
                return

    def _forget(self, folded: str) -> bool:
        """False where a fold was faster."""
        unused = [self._unused(cube) for cube in _CUBES]
        if not any(unused):
            return True
        mark = FoldMark.parse(folded)._replace(epoch=secrets.token_hex(4))
        names = [self._keys.registry(cube) for cube in _CUBES]
        arguments = {
            "folded": folded,
            "now_folded": str(mark),
            "series": unused,
            "keep_ms": KEEP_MS,
        }
        return bool(self._scripts.run("forget_series", [self._keys.folded, *names], arguments))

    def _unused(self, cube: Cube) -> list[Series]:
        names = [
            Series(name.decode()) for name in self._raw.zrange(self._keys.registry(cube), 0, -1)
        ]
        # What a full registry has refused is counted as OTHERS, and must stay so.
        if not names or len(names) >= MOST_SERIES.get(cube, len(names) + 1):
            return []
        kind = ERROR_KIND if cube is Cube.ERROR else COUNTER_KIND
        now_ms = to_ms(self._clock.now())
        newest = _TIER.chunk_of(now_ms + duration_ms(timedelta(days=1)))
        oldest = _TIER.chunk_of(now_ms - _TIER.keep_ms) - 1
        ranges = [
            SlotRange(kind, _TIER, cube, names, chunk, 0, _TIER.slots)
            for chunk in range(oldest, newest + 1)
        ]
        used: set[Series] = set()
        for part, rows, slots in self._reader.read(ranges):
            totals = slots.sum(axis=(1, 2)).tolist()
            used |= {name for name, total in zip(part.names[rows], totals, strict=True) if total}
        return [name for name in names if name not in used]
