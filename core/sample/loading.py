"""Loads sample traffic, day by day, and takes it back.

A day is one entry of the journal, appended in the same step as its mark: so it is counted once,
also if two processes load it, or one is killed. The newest attempts also get records, so that the
Attempts page lists them. To remove the traffic, the same entries are taken back: the figures of all
other attempts stay exact.
"""

from collections.abc import Callable, Iterable
from datetime import date
from threading import Lock
from typing import Any

from core.figures.bulk import pack_bulk
from core.figures.registries import Registries
from core.ledger.journal import BULK, BULK_REMOVED, KEEP_JOURNAL
from core.ledger.ledger import Ledger
from core.model.clock import Clock, duration_ms
from core.sample.control import KEEP_MS, SampleControl
from core.sample.entries import entries_of, events_of, id_of
from core.sample.plan import DAYS, PER_DAY, SEED, Plan, SampleState, SampleStatus
from core.sample.traffic import attempts_of, days_of
from core.store.batches import batched
from core.store.client import Client, RawClient
from core.store.keys import Keys
from core.store.scripts import Scripts, encoded

#: The newest attempts, which have records: some pages of the list.
RECORDS = 500
_KEEP_JOURNAL_MS = duration_ms(KEEP_JOURNAL)
_BATCH = 1000


class Sample:
    """Does what the status in Redis asks for. `settle` folds the journal; `forget_alerts` ends
    all alerts. Every method raises StoreUnavailable."""

    def __init__(
        self,
        control: SampleControl,
        client: Client,
        raw: RawClient,
        keys: Keys,
        clock: Clock,
        ledger: Ledger,
        settle: Callable[[], None],
        forget_alerts: Callable[[], None],
    ) -> None:
        self.control = control
        self._client = client
        self._scripts = Scripts(raw)
        self._keys = keys
        self._ledger = ledger
        self._settle = settle
        self._forget_alerts = forget_alerts
        self._registries = Registries(raw, keys, clock)
        # Two threads of one process would only do the same work.
        self._lock = Lock()

    def load(
        self,
        *,
        days: int = DAYS,
        per_day: int = PER_DAY,
        seed: int = SEED,
        progress: Callable[[SampleState], object] = lambda state: None,
    ) -> SampleState:
        """Load about `per_day` verifications a day for the last `days` days. Loading twice adds
        nothing. Raises SampleRefused: see SampleControl."""
        self.control.load(days, per_day, seed)
        self.work(progress=progress)
        return self.control.state()

    def remove(self) -> int:
        """Remove all sample traffic; returns how many attempts it had. Raises SampleRefused."""
        attempts = self.control.state().attempts
        self.control.remove()
        self.work()
        return attempts

    def work(
        self,
        should_stop: Callable[[], bool] = lambda: False,
        progress: Callable[[SampleState], object] = lambda state: None,
    ) -> None:
        """Load, or remove, what is missing: until it is done, or is stopped, or
        `should_stop` after a day."""
        with self._lock:
            while not should_stop():
                state = self.control.state()
                if state.plan is None or not state.status.has_work:
                    return
                progress(state)
                if state.status is SampleStatus.LOADING:
                    self._load_next(state, state.plan)
                else:
                    self._remove_next(state.plan)

    def _load_next(self, state: SampleState, plan: Plan) -> None:
        """Load the newest day that is missing; after the first one, the records."""
        written = set(self._client.hkeys(self._keys.sample_days))
        if written and not state.has_records:
            self._write_records(plan)
            return
        missing = [day for day in days_of(plan) if day.isoformat() not in written]
        if missing:
            packed = pack_bulk(entries_of(attempts_of(missing[0], plan)))
            self._change_day(plan, missing[0].isoformat(), packed)
        else:
            self.control.finish(plan, "loaded")

    def _remove_next(self, plan: Plan) -> None:
        """Take a day back; after the last one, remove the rest."""
        days = self._client.hkeys(self._keys.sample_days)
        if days:
            self._change_day(plan, days[0], b"")
            return
        self._remove_records(self._client.smembers(self._keys.sample_attempts))
        self._registries.forget_unused()
        # They are about all traffic together.
        self._forget_alerts()
        self._client.delete(self._keys.sample_attempts)
        self.control.finish(plan, "removed")

    def _change_day(self, plan: Plan, day: str, packed: bytes) -> None:
        """Count a day, or take it back (b""), unless another process was faster."""
        arguments = {
            "plan": str(plan),
            "day": day,
            "entry": (BULK if packed else BULK_REMOVED).decode(),
            "keep_ms": KEEP_MS,
            "keep_journal_ms": _KEEP_JOURNAL_MS,
        }
        keys = [self._keys.sample, self._keys.sample_days, self._keys.journal]
        self._scripts.run("sample_day", keys, [encoded(arguments), packed])
        # At once, so that the journal does not grow, and pages show the day.
        self._settle()

    def _write_records(self, plan: Plan) -> None:
        """Write the newest attempts, which the figures include already. Writing them again changes
        nothing."""
        newest: list[tuple[date, Any]] = []
        for day in days_of(plan):
            newest += [(day, row) for row in reversed(attempts_of(day, plan))]
            if len(newest) >= RECORDS:
                break
        rows = newest[:RECORDS]
        ids = [id_of(row, day, plan) for day, row in rows]
        if ids:
            # First, so that they can be removed whenever this process is killed.
            with self._client.pipeline() as pipe:
                pipe.sadd(self._keys.sample_attempts, *ids)
                pipe.pexpire(self._keys.sample_attempts, KEEP_MS)
                pipe.execute()
        events = (event for day, row in reversed(rows) for event in events_of(row, day, plan))
        for part in batched(events, _BATCH):
            self._ledger.apply_all(part, is_counted=True)
            state = self.control.state()
            if state.status is not SampleStatus.LOADING or state.plan != plan:
                # Another process removes them, and may have missed these.
                self._remove_records(ids)
                return
        self.control.finish(plan, "recorded")

    def _remove_records(self, ids: Iterable[str]) -> None:
        for part in batched(ids, _BATCH):
            with self._client.pipeline() as pipe:
                for attempt in part:
                    pipe.unlink(self._keys.attempt(attempt), self._keys.history(attempt))
                pipe.zrem(self._keys.recent, *part)
                pipe.execute()
