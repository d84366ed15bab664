"""Folds the journal in the background, and before figures are read.

Light to import: numpy loads with the first entry.
"""

import logging
import time
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from core.ledger.ledger import Ledger
from core.model.clock import Clock, duration_ms
from core.model.errors import ProductError, StoreReadOnly
from core.once import Once
from core.store.client import RawClient
from core.store.keys import Keys

if TYPE_CHECKING:
    from core.figures.fold import Fold

log = logging.getLogger(__name__)

#: Between two runs: the figures may lag this far behind an event.
TICK = timedelta(milliseconds=250)
#: How long one process folds alone. If it dies, another one takes over after this time.
_TURN_MS = duration_ms(timedelta(seconds=2))
#: How long a reader waits for the figures to be complete. Only a backlog takes longer.
SETTLE_SECONDS = 1.0


class FoldWorker:
    """The fold of one process. Every method may be called in any thread, and raises
    StoreUnavailable."""

    def __init__(self, raw: RawClient, keys: Keys, clock: Clock, ledger: Ledger) -> None:
        self._raw = raw
        self._keys = keys

        def make_fold() -> "Fold":
            from core.figures.fold import Fold

            return Fold(raw, keys, clock, ledger)

        self._fold = Once(make_fold)
        # Two folds of one process would only race.
        self._lock = Lock()

    def run(self) -> None:
        """Fold what there is, unless another process does."""
        while self._has_more(turn_ms=_TURN_MS):
            pass

    def settle(self, seconds: float | None = None) -> None:
        """Fold what is in the journal now, so that the figures include every event that was applied
        before. Ends earlier if that takes longer than `seconds`, by default SETTLE_SECONDS, or
        for a reason that is logged: figures that lag behind are better than none."""
        ends = time.monotonic() + (SETTLE_SECONDS if seconds is None else seconds)
        try:
            while self._has_more() and time.monotonic() < ends:
                pass
        except StoreReadOnly as error:
            log.warning("figures are not complete: %s", error.cause)
        except ProductError:
            raise
        except Exception:
            # A bug, or a key that another program has written; a page must not fail for it.
            log.exception("fold failed before a reading")

    def _has_more(self, *, turn_ms: int = 0) -> bool:
        """Fold once; whether more may be waiting."""
        with self._lock:
            is_empty = self._raw.xlen(self._keys.journal) == 0
            return not is_empty and self._fold().fold(turn_ms=turn_ms).has_more
