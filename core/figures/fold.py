"""Folds the journal into the packed figures, each entry exactly once.

A fold reads the oldest entries of the journal and how far it is folded, computes in numpy what the
entries add to each key, reads those parts of the keys, and writes the sums. `fold.lua` writes only
if no other fold has written since, and in the same step it removes the entries from the journal.
So a process may die at any point, and any number of processes may fold at the same time: the work
of all but one of them is lost, and nothing else.
"""

import logging
import secrets
from typing import Any, NamedTuple

from core.figures.additions import Additions, ChangedPlace, PackedKey, additions
from core.figures.bulk import read_bulk
from core.figures.journal_entries import JournalEntries, read_entries
from core.figures.layout import MOST_SERIES, Cube
from core.figures.merging import KeyWrite, Merge
from core.ledger.journal import ATTRIBUTE, BULK, BULK_REMOVED, CHECK, ENTRY, KEEP_JOURNAL
from core.ledger.ledger import Ledger
from core.model.clock import Clock, duration_ms, to_ms
from core.model.series import OTHERS, Series
from core.store.client import RawClient
from core.store.counters import KEEP_COUNTERS
from core.store.keys import Keys
from core.store.scripts import Scripts, encoded

log = logging.getLogger(__name__)

#: Entries of one fold: more would hold Redis for more than 30 ms in one script.
MOST_ENTRIES = 2000
#: As long as the figures of a day, which registries and the mark must outlive.
KEEP_MS = 400 * 86_400_000
_KEEP_JOURNAL_MS = duration_ms(KEEP_JOURNAL)
_KEEP_COUNTERS_MS = duration_ms(KEEP_COUNTERS)
#: Of the changed places: how long, how many, and how many of one fold. A copy that has missed more
#: reads all figures again.
_KEEP_PLACES_MS, _MOST_PLACES, _MOST_PLACES_OF_FOLD = 600_000, 20_000, 2_000
_REGISTRIES = (Cube.CHANNEL, Cube.COUNTRY, Cube.CARRIER, Cube.ERROR)
_PLACE_SEPARATOR = "\x1f"
_BULKS = (BULK, BULK_REMOVED)
#: First character of the members that `fold.lua` adds to the list of places for a fold itself.
FOLD_SIGN = "@"


class FoldMark(NamedTuple):
    """How far the journal is folded. `epoch` differs after a reset; `folds` counts from there."""

    epoch: str
    folds: int
    last: str

    @classmethod
    def parse(cls, text: str) -> "FoldMark":
        """Raises ValueError."""
        epoch, folds, last = text.split()
        return cls(epoch, int(folds), last)

    @property
    def last_ms(self) -> int:
        """When the last entry was appended, by the clock of Redis, Unix ms."""
        return int(self.last.partition("-")[0])

    def __str__(self) -> str:
        return f"{self.epoch} {self.folds} {self.last}"


class FoldResult(NamedTuple):
    """How many entries were folded, and whether more may be waiting: the fold was full, its checks
    or attributions have appended entries, or another process was faster and nothing was written."""

    entries: int
    has_more: bool


_NOTHING = FoldResult(0, has_more=False)


class Fold:
    """Folds. `ledger` applies the checks and attributes right codes. Every method raises
    StoreUnavailable."""

    def __init__(self, raw: RawClient, keys: Keys, clock: Clock, ledger: Ledger) -> None:
        self._raw = raw
        self._scripts = Scripts(raw)
        self._keys = keys
        self._clock = clock
        self._ledger = ledger
        self._token = secrets.token_hex(8)
        # The registered series by cube, as this process has read them; `_read_now`: in this fold.
        self._series: dict[Cube, set[Series]] = {}
        self._read_now: set[Cube] = set()
        self._epoch = ""

    def fold(self, *, turn_ms: int = 0, most: int = MOST_ENTRIES) -> FoldResult:
        """Fold the oldest entries, at most `most`. With `turn_ms`, only if this process has the
        turn, which it then keeps for so long."""
        mark_text, entries = self._read(turn_ms, most)
        if not entries:
            return _NOTHING
        waiting = len(entries)
        entries = _first_step(entries)
        ids = [entry_id.decode() for entry_id, _ in entries]
        mark = self._mark(mark_text, ids[0])
        checks, attributed = _texts(entries, CHECK), _texts(entries, ATTRIBUTE)
        # They append their entries, which a later fold reads. Should this process die before it has
        # written, they are applied again and change nothing.
        if checks:
            self._ledger.apply_checks(checks)
        if attributed:
            self._ledger.attribute(attributed)
        now_ms = to_ms(self._clock.now())
        journal, unreadable, counts_late = _read_journal([pair for _, pair in entries])
        self._read_now.clear()
        if mark.epoch != self._epoch:
            self._series.clear()
            self._epoch = mark.epoch
        added = None
        if len(journal.entries):
            added = additions(journal, now_ms, self._stored_series)
        merge = Merge(added) if added else None
        writes = merge.writes(self._stored(added, merge)) if added and merge else {}
        next_mark = FoldMark(mark.epoch, mark.folds + 1, ids[-1])
        counts: dict[str, int] = {
            "late_dropped": added.late if added and counts_late else 0,
            "overflow": merge.overflow if merge else 0,
            "unreadable_record": unreadable,
        }
        is_written = self._write(mark_text, next_mark, added, writes, counts, now_ms)
        if not is_written:
            # Its new series are not registered.
            self._series.clear()
            return FoldResult(0, has_more=True)
        has_appended = bool(checks or attributed)
        has_more = waiting == most or waiting > len(entries) or has_appended
        return FoldResult(len(entries), has_more=has_more)

    def _read(self, turn_ms: int, most: int) -> tuple[str, list[tuple[bytes, Any]]]:
        """How far the journal is folded, and its oldest entries: id, then name and value."""
        keys = self._keys
        if turn_ms and not self._has_turn(turn_ms):
            return "", []
        # The mark first: a fold in between makes it too old, and then `fold.lua` writes nothing.
        with self._raw.pipeline(transaction=False) as pipe:
            pipe.get(keys.folded)
            pipe.xrange(keys.journal, count=most)
            mark, entries = pipe.execute()
        return (mark or b"").decode(), [(key, _only_field(fields)) for key, fields in entries]

    def _has_turn(self, turn_ms: int) -> bool:
        """Whether this process has the turn to fold. Turns only avoid duplicate work: `fold.lua`
        ensures that each entry counts once."""
        with self._raw.pipeline(transaction=False) as pipe:
            pipe.set(self._keys.fold_turn, self._token, nx=True, px=turn_ms)
            pipe.get(self._keys.fold_turn)
            is_new, holder = pipe.execute()
            has_turn = bool(holder == self._token.encode())
            if has_turn and not is_new:
                pipe.pexpire(self._keys.fold_turn, turn_ms)
                pipe.execute()
        return has_turn

    def _mark(self, text: str, first: str) -> FoldMark:
        """The mark. An entry behind it shows that Redis' clock was set back after it lost the end
        of the journal. It is not folded yet, because a fold removes what it has folded."""
        mark = FoldMark.parse(text) if text else FoldMark(secrets.token_hex(4), 0, "0-0")
        if _order(first) <= _order(mark.last):
            log.warning(
                "the journal begins before the newest fold; its entries are folded nevertheless",
                extra={"first": first, "folded": mark.last},
            )
        return mark

    def _stored(self, added: Additions, merge: Merge) -> list[Any]:
        if not added.keys:
            return []
        groups = [
            [1, key.kind.dense_bytes(key.tier), *parts]
            for key, parts in zip(added.keys, merge.parts(), strict=True)
        ]
        names = [self._name(key) for key in added.keys]
        stored: list[Any] = self._scripts.run("read_figures", names, {"groups": groups})
        return stored

    def _write(
        self,
        mark_text: str,
        mark: FoldMark,
        added: Additions | None,
        writes: dict[int, KeyWrite],
        counts: dict[str, int],
        now_ms: int,
    ) -> bool:
        keys = self._keys
        names, plans, parts = [], [], []
        for number, write in writes.items():
            key = added.keys[number]  # type: ignore[union-attr]
            names.append(self._name(key))
            plans.append([write.size, *(write.begins or [key.ends_ms - now_ms])])
            parts += write.parts
        newest = added.newest if added else {}
        places = added.places if added else set()
        arguments = {
            "folded": mark_text,
            "now_folded": str(mark),
            "folds": mark.folds,
            "last": mark.last,
            "next": _following(mark.last),
            "writes": plans,
            "series": [
                [text for name, ms in newest.get(cube, {}).items() for text in (ms, name)]
                for cube in _REGISTRIES
            ],
            "places": [_text_of(place) for place in places]
            if len(places) <= _MOST_PLACES_OF_FOLD
            else None,
            "most_places": _MOST_PLACES,
            "counts": [part for item in counts.items() if item[1] for part in item],
            "keep_ms": KEEP_MS,
            "keep_journal_ms": _KEEP_JOURNAL_MS,
            "keep_places_ms": _KEEP_PLACES_MS,
            "keep_counters_ms": _KEEP_COUNTERS_MS,
        }
        fixed = [keys.folded, keys.journal, keys.changed, keys.counters(self._clock.now())]
        registries = [keys.registry(cube) for cube in _REGISTRIES]
        written: int = self._scripts.run(
            "fold", [*fixed, *registries, *names], [encoded(arguments), *parts]
        )
        return written == 1

    def _name(self, key: PackedKey) -> str:
        return self._keys.rollup(key.kind.name, key.tier, key.cube, key.series, key.chunk)

    def _stored_series(self, cube: Cube, series: Series) -> Series:
        """The series itself, or that of the others where its cube is full. A series that is
        registered stays so, and none becomes it once the cube is full: so what was added to a
        series is taken back from the same one."""
        most = MOST_SERIES.get(cube)
        if most is None or series in self._series.get(cube, ()):
            return series
        if cube not in self._read_now:
            # Another process may have registered it.
            self._series[cube] = self._registered(cube)
            self._read_now.add(cube)
        registered = self._series[cube]
        if series not in registered:
            if len(registered) >= most:
                return Series.of(*series.parts[:-1], OTHERS)  # type: ignore[call-arg]
            registered.add(series)
        return series

    def _registered(self, cube: Cube) -> set[Series]:
        names = self._raw.zrange(self._keys.registry(cube), 0, -1)
        return {Series(name.decode()) for name in names}


def _only_field(fields: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """The name and the value of an entry's field; empty for an entry of another program, which may
    have several."""
    return next(iter(fields.items())) if len(fields) == 1 else (b"", b"")


def _texts(entries: list[tuple[bytes, Any]], wanted_name: bytes) -> list[str]:
    return [value.decode(errors="replace") for _, (name, value) in entries if name == wanted_name]


def _first_step(entries: list[tuple[bytes, Any]]) -> list[tuple[bytes, Any]]:
    """The oldest entries that are folded together: one of many attempts alone, or those before
    it."""
    bulk = [number for number, (_, (name, _)) in enumerate(entries) if name in _BULKS]
    return entries[: max(1, bulk[0])] if bulk else entries


def _read_journal(entries: list[tuple[bytes, bytes]]) -> tuple[JournalEntries, int, bool]:
    """The entries, by name and value; how many cannot be read; and whether those that are too old
    for their minute are counted as late. Those of sample traffic are old on purpose."""
    name, value = entries[0]
    if name not in _BULKS:
        # Entries of an earlier layout have another name: their attempts are counted again.
        return *read_entries([value for name, value in entries if name == ENTRY]), True
    try:
        return read_bulk(value, is_removed=name == BULK_REMOVED), 0, False
    except ValueError:
        log.exception("an entry of the journal is left out")
        return read_entries([])[0], 1, False


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


def _following(entry_id: str) -> str:
    ms, number = _order(entry_id)
    return f"{ms}-{number + 1}"


def _text_of(place: ChangedPlace) -> str:
    return _PLACE_SEPARATOR.join([*place[:3], str(place.quarter)])


def read_changed(text: str) -> ChangedPlace:
    """The reverse of `_text_of`. Raises ValueError."""
    channel, country, carrier, quarter = text.split(_PLACE_SEPARATOR)
    return ChangedPlace(channel, Series(country), Series(carrier), int(quarter))
