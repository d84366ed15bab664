"""Describes the journal: what the figures do not include yet, in the order in which it happened.

The journal is a stream. Its entries have one field each:

    entry   a changed record of an attempt, before and after: `_counted.lua` writes it, and
            `core/figures/journal_entries.py` reads it
    check   an entered code, "<attempt> <kind> <Unix ms>": `check_code.lua` writes it, since a check
            must not wait for its attempt. The fold applies it as an event, which appends an entry
    bulk    the entries of a day of sample traffic: `core/figures/bulk.py` writes and reads it
    bulk_removed
            the same, of a day that is taken back

Invariant: the journal holds exactly what is not folded, since a fold removes what it has added to
the figures in the same step.
"""

from datetime import timedelta

from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import read_ms

#: Of the whole journal, from its newest entry or the newest fold.
KEEP_JOURNAL = timedelta(days=35)
ENTRY, CHECK = b"entry", b"check"
#: `sample_day.lua` writes these names.
BULK, BULK_REMOVED = b"bulk", b"bulk_removed"


def read_check(text: str) -> AttemptEvent:
    """The event of a check. Raises ValueError."""
    attempt, kind, at_ms = text.split()
    return AttemptEvent(attempt, EventKind(kind), read_ms(at_ms), Source.APP)
