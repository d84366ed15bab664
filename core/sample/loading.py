"""Loads sample traffic into the ledger."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core.ledger.ledger import EventOutcome, Ledger
from core.model.clock import Clock
from core.model.errors import SampleRefused
from core.sample.traffic import days_of, events_of
from core.store.batches import batched
from core.store.client import Client
from core.store.keys import Keys

MOST_DAYS, MOST_PER_DAY = 90, 20_000
#: The defaults.
DAYS, PER_DAY, SEED = 30, 2000, 7
#: As long as the daily figures are kept.
_KEEP_MARK = timedelta(days=400)
_BATCH = 2000

#: Called with the part that is done, from 0 to 1, and a sentence to show.
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """How many events there are, and how many of them were new."""

    events: int
    applied: int


class Sample:
    """Loads sample traffic into the sandbox's figures, which `settle` brings up to date. Nothing is
    sent."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        clock: Clock,
        ledger: Ledger,
        settle: Callable[[], None],
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._ledger = ledger
        self._settle = settle

    def load(
        self,
        *,
        days: int = DAYS,
        per_day: int = PER_DAY,
        seed: int = SEED,
        progress: Progress = lambda done, text: None,
    ) -> LoadResult:
        """Generate `per_day` verifications a day for the last `days` days. Loading twice adds none.
        Raises SampleRefused (live, or too much), StoreUnavailable."""
        if self._keys.environment != "sandbox":
            raise SampleRefused(
                "Sample traffic belongs to the sandbox, and this is the live environment.",
                "Set PLIVO_MODE=sandbox, or read the real figures.",
            )
        if not (1 <= days <= MOST_DAYS and 1 <= per_day <= MOST_PER_DAY):
            raise SampleRefused(
                f"{days} days of {per_day} verifications are outside the limits.",
                f"Choose 1 to {MOST_DAYS} days and 1 to {MOST_PER_DAY:,} verifications a day.",
            )
        until = self._clock.now()
        mark = {"days": days, "per_day": per_day, "seed": seed, "until": until.isoformat()}
        # Marked before the first event is applied: sample traffic must never look real.
        with self._client.pipeline() as pipe:
            pipe.set(self._keys.simulated, json.dumps(mark), ex=_KEEP_MARK)
            pipe.execute()
        counted: Counter[EventOutcome] = Counter()
        for n, day in enumerate(days_of(days, until)):
            progress(n / days, f"{day:%d %b}: {counted.total():,} events so far")
            for part in batched(events_of(day, per_day, seed, until), _BATCH):
                counted += self._ledger.apply_all(part)
                # At once, so that the journal does not grow by all of it.
                self._settle()
        progress(1, f"{counted.total():,} events")
        return LoadResult(counted.total(), counted.total() - counted[EventOutcome.REPEATED])
