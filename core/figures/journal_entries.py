"""Reads entries of the journal into arrays: `_counted.lua` writes the same bytes.

An entry holds the part of an attempt's record that its figures are made of, after a change and
before it, and the place where the attempt is counted, which never changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Moments are Unix ms; -1 stands for a value that there is not.
IMAGE = np.dtype(
    [
        ("rank", "i1"),
        ("proof", "i1"),  # the bits of `core.ledger.attribution`; 0 where there was none
        ("accepted", "<f8"),
        ("queued", "<f8"),  # a call: ringing
        ("handed", "<f8"),  # sent; a call: answered
        ("undelivered", "<f8"),
        ("delivered", "<f8"),
        ("checked", "<f8"),  # the first code that was entered while the attempt was the newest
        ("code", "<f8"),  # the right code, whichever attempt of the verification brought it
        ("cost_micros", "<f8"),
        ("units", "<f8"),
    ]
)
#: Origins of attempts by their number in ENTRY; `_counted.lua` has the same.
ORIGINS = ("first", "resend", "fallback")
ENTRY = np.dtype(
    [
        ("origin", "i1"),
        ("is_sms", "i1"),
        ("was_counted", "i1"),
        ("requested", "<f8"),
        ("after", IMAGE),
        ("before", IMAGE),
    ]
)
_SEPARATOR = "\x1f"
_PLACE_FIELDS = 5


class Place(NamedTuple):
    """Where an attempt is counted, and under which error before and after the change ("": none)."""

    channel: str
    country: str
    carrier: str
    error_before: str
    error_after: str


@dataclass(frozen=True, slots=True)
class JournalEntries:
    """Entries as arrays. `places` are the distinct places, `place` the place of each entry. `sign`:
    1, or -1 where what the entries have added is taken back."""

    entries: NDArray[Any]
    place: NDArray[np.intp]
    places: list[Place]
    sign: int = 1


def read_entries(packed: Sequence[bytes]) -> tuple[JournalEntries, int]:
    """The entries, and how many were left out because they are too short, or have no moment."""
    size = ENTRY.itemsize
    whole = [entry for entry in packed if len(entry) >= size]
    entries = np.frombuffer(b"".join([entry[:size] for entry in whole]), dtype=ENTRY)
    has_moment = np.isfinite(entries["requested"])
    if not has_moment.all():
        entries = entries[has_moment]
        whole = list(compress(whole, has_moment))
    numbers: dict[bytes, int] = {}
    place = [numbers.setdefault(entry[size:], len(numbers)) for entry in whole]
    places = [_read_place(text) for text in numbers]
    return JournalEntries(entries, np.array(place, dtype=np.intp), places), len(packed) - len(whole)


def _read_place(text: bytes) -> Place:
    fields = text.decode(errors="replace").split(_SEPARATOR, _PLACE_FIELDS - 1)
    return Place(*fields, *[""] * (_PLACE_FIELDS - len(fields)))
