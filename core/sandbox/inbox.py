"""Lists what arrived on all handsets, newest first, and searches it.

Decision: a table of its own with one short text for each entry. A search reads the whole table
where nothing matches: with 100,000 entries about 20 ms, against 180 ms in the wide tables of
messages and calls. Rejected: a full-text index (FTS5), which costs more at each arrival than the
message itself, and finds no word of less than three characters.
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from core.sandbox.handsets import ALL_NUMBERS
from core.sandbox.storage import Storage

#: Words of a search beyond this number are ignored.
MAX_WORDS = 8
#: How many ids a search looks through at a time: a few milliseconds.
SLICE = 2_000

_SELECT = "SELECT id, reference, channel, number, code FROM inbox"
_NUMBER = re.compile(r"[+\d\s().-]*\d[+\d\s().-]*")


class InboxChannel(StrEnum):
    """How an entry arrived."""

    SMS = "sms"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A message that arrived at a moment (Unix seconds), or a call that began to ring. What a call
    speaks is added later."""

    reference: str
    channel: InboxChannel
    number: str
    sender: str
    arrived_at: float
    text: str = field(default="", repr=False)
    code: str | None = field(default=None, repr=False)


class Inbox:
    """Reads and writes the table `inbox`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, entry: InboxEntry) -> None:
        """Add a message that arrived, or a call that rings. Nothing changes if it is in the inbox,
        or if its handset has been emptied since."""
        self._storage.run(
            "INSERT OR IGNORE INTO inbox (reference, channel, number, code, words)"
            " SELECT :reference, :channel, :number, :code, :words WHERE :arrived_at > COALESCE("
            "(SELECT MAX(cleared_at) FROM handsets WHERE number IN (:number, :all)), 0)",
            reference=entry.reference,
            channel=entry.channel.value,
            number=entry.number,
            code=entry.code,
            words=_folded(f"{entry.number} {entry.sender} {entry.text} {entry.code or ''}"),
            arrived_at=entry.arrived_at,
            all=ALL_NUMBERS,
        )

    def add_speech(self, call_uuid: str, text: str, code: str | None) -> None:
        """Add what a call has spoken, and the code in it so far. Text that is spoken again is in it
        already."""
        self._storage.run(
            "UPDATE inbox SET words = words || :words, code = COALESCE(:code, code)"
            " WHERE reference = :reference AND instr(words, :words) = 0",
            reference=call_uuid,
            words=_folded(f" {text} {code or ''}"),
            code=code,
        )

    def slices(self, search: str, before: int | None, limit: int) -> Iterator[list[sqlite3.Row]]:
        """Rows of id, reference, channel, number and code, newest first, at most `limit`: those
        with an id below `before` and every word of `search` in the number, the sender, the text or
        the code. Each slice has the matches in SLICE ids: a search without a match reads all, and
        between two slices the caller can let others run."""
        words = {f"word{n}": f"%{_escaped(word)}%" for n, word in enumerate(_words(search))}
        where = "".join(f" AND words LIKE :{name} ESCAPE '\\'" for name in words)
        ids = self._storage.rows(
            "SELECT (SELECT MIN(id) FROM inbox) AS first, (SELECT MAX(id) FROM inbox) AS last"
        )[0]
        if ids["first"] is None:
            return
        end = ids["last"] + 1
        if before is not None:
            end = min(end, before)
        while end > ids["first"] and limit > 0:
            rows = self._storage.rows(
                f"{_SELECT} WHERE id >= :start AND id < :end{where} ORDER BY id DESC LIMIT :limit",
                start=end - SLICE,
                end=end,
                limit=limit,
                **words,
            )
            yield rows
            limit -= len(rows)
            end -= SLICE

    def find(self, reference: str) -> sqlite3.Row | None:
        """The row of a message or call."""
        return self._storage.row(f"{_SELECT} WHERE reference = :reference", reference=reference)


def _words(search: str) -> list[str]:
    """The words to search for. A number or a code is one word, without its separators."""
    if _NUMBER.fullmatch(search):
        return [re.sub(r"\D", "", search)]
    return _folded(search).split()[:MAX_WORDS]


def _folded(text: str) -> str:
    """Without differences of case, which LIKE ignores in ASCII only, and without the zero byte, at
    which LIKE ends."""
    return text.casefold().replace("\0", " ")


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)
