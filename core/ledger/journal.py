"""Describes the journal: what the figures do not include yet, in the order in which it happened.

The journal is a stream. Its entries have one field each:

    entry   a changed record of an attempt, before and after: `_counted.lua` writes it, and
            `core/figures/journal_entries.py` reads it
    check   an entered code, "<attempt> <kind> <Unix ms>": `check_code.lua` writes it, since a check
            must not wait for its attempt. The fold applies it as an event, which appends an entry
    attribute
            the id of the attempt that was the newest when a right code was entered: `apply.lua`
            writes it where the verification has several attempts. The fold finds out which of them
            brought the code (`core.ledger.attribution`), which appends entries
    roll…_bulk, roll…_bulk_removed
            the entries of a day of sample traffic, or of one that is taken back:
            `core/figures/bulk.py` writes and reads them

Invariant: the journal holds exactly what is not folded, since a fold removes what it has added to
the figures in the same step.
"""

from datetime import timedelta

from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import read_ms
from core.store.keys import ROLLUP_LAYOUT

#: Of the whole journal, from its newest entry or the newest fold.
KEEP_JOURNAL = timedelta(days=35)
ENTRY, CHECK, ATTRIBUTE = ROLLUP_LAYOUT.encode(), b"check", b"attribute"
#: Those of an earlier layout have other names.
BULK, BULK_REMOVED = f"{ROLLUP_LAYOUT}_bulk".encode(), f"{ROLLUP_LAYOUT}_bulk_removed".encode()


def read_check(text: str) -> AttemptEvent:
    """The event of a check. Raises ValueError."""
    attempt, kind, at_ms = text.split()
    return AttemptEvent(attempt, EventKind(kind), read_ms(at_ms), Source.APP)
