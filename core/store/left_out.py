"""Logs and counts, once each, values and records that could not be read and were left out."""

import logging
from collections import OrderedDict
from threading import Lock

from core.model.clock import Clock, SystemClock
from core.model.errors import StoreUnavailable
from core.store.client import Client
from core.store.counters import add_to_counters
from core.store.keys import Keys

log = logging.getLogger(__name__)

#: Names of the counters.
VALUE, RECORD = "unreadable_value", "unreadable_record"
_REMEMBERED = 10_000


class LeftOut:
    """Reports each value or record once per process, since lists are read often and Plivo repeats
    its callbacks."""

    def __init__(self, client: Client, keys: Keys, clock: Clock | None = None) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock or SystemClock()
        self._reported: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._lock = Lock()

    def value(self, of: str, field: str, printable: str) -> None:
        """A value of a callback, an answer or a record. `printable` may be logged."""
        if self._is_new(VALUE, of, field):
            log.warning(
                "value left out", extra={"of": _short(of), "field": field, "value": printable}
            )
            self._count(VALUE)

    def record(self, kind: str, name: str, error: Exception) -> None:
        """A stored record as a whole."""
        if self._is_new(RECORD, kind, name):
            # Not the error's text: it may repeat what is stored.
            why = type(error).__name__
            log.warning("record left out", extra={"record": kind, "of": _short(name), "cause": why})
            self._count(RECORD)

    def _is_new(self, *what: str) -> bool:
        with self._lock:
            if what in self._reported:
                return False
            self._reported[what] = None  # type: ignore[index]
            if len(self._reported) > _REMEMBERED:
                self._reported.popitem(last=False)
        return True

    def _count(self, what: str) -> None:
        try:
            add_to_counters(self._client, self._keys, self._clock, {what: 1})
        except StoreUnavailable as error:
            # Reading goes on where Redis takes no writes; the log has the line.
            log.warning("not counted", extra={"counter": what, "cause": error.cause})


def _short(name: str) -> str:
    """The beginning of an id: enough to find it, too little to open its verification."""
    return ascii(name)[1:-1] if " " in name else f"{ascii(name[:6])[1:-1]}…"
