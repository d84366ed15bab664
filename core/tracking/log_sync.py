"""Reads Plivo's logs into the ledger: settles what callbacks missed, and adds prices.

The lists are read in windows of time, in pages of 20 rows, within 20 requests a minute (Plivo's
limit for the account). A window's rows are applied before the cursor moves, so that after a crash
one window is read again, and the ledger counts nothing twice. Then each attempt of the last 72
hours that has not ended is polled. An attempt that has no end after 72 hours becomes `unknown`; an
unclear send that the logs do not have stays unclear.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, Source, State
from core.model.clock import Clock, duration_ms, to_ms
from core.model.errors import ProductError, ProviderRead
from core.plivo.client import PlivoClients
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts
from core.tracking.log_reader import LogReader, StopRequested
from core.tracking.log_rows import KEEP_FOREIGN, LogRows
from core.tracking.log_status import (
    LogRun,
    LogRunOutcome,
    LogStatus,
    Progress,
    progress_fields,
    read_status,
)
from core.tracking.log_turn import Turn, cursor_field, cursor_of

log = logging.getLogger(__name__)

WINDOW = timedelta(hours=6)
#: How far back the first run reads. A later run begins this long before the end of the last one:
#: rows appear late.
FIRST, OVERLAP = timedelta(hours=24), timedelta(minutes=30)
#: How long Plivo keeps its logs.
HISTORY = timedelta(days=90)
#: No receipt comes later than this after the request.
RECEIPT_HORIZON = timedelta(hours=72)
_DAY_MS = 86_400_000
_HORIZON_MS = duration_ms(RECEIPT_HORIZON)


class LogSync:
    """Reads the logs, in one process at a time. `wait` sleeps for a number of seconds."""

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        clock: Clock,
        keyring: Keyring,
        ledger: Ledger,
        clients: PlivoClients,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock
        self._ledger = ledger
        wait = wait or threading.Event().wait
        self._reader = LogReader(client, keys, clock, clients, wait, self._is_stopped)
        self._rows = LogRows(client, keys, clock, keyring, ledger, clients)

    def run(
        self,
        since: datetime | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> LogRun:
        """Read from `since`, or from where the last run ended, until now. Raises StoreUnavailable;
        an error of Plivo is an outcome."""
        turn = Turn(self._client, self._scripts, self._keys)
        if not turn.take():
            return LogRun(LogRunOutcome.BUSY, Progress(0))
        began = self._clock.now()
        windows = list(self._windows(since, began))
        progress = Progress(len(windows))
        try:
            turn.note(stop=0, outcome="", cause="", **progress_fields(progress))
            for start, end in windows:
                progress = self._read_window(start, end, progress)
                spent = self._clock.now() - began
                windows_done = progress.windows_done + 1
                time_left = spent / windows_done * (progress.windows - windows_done)
                progress = replace(progress, windows_done=windows_done, left=time_left)
                if not turn.note(cursor=cursor_field(end), **progress_fields(progress)):
                    return LogRun(LogRunOutcome.BUSY, progress)
                on_progress(progress)
            progress = self._settle(progress)
            return _end(turn, LogRunOutcome.DONE, progress)
        except StopRequested:
            return _end(turn, LogRunOutcome.STOPPED, progress)
        except ProviderRead as error:
            turn.note(outcome=LogRunOutcome.FAILED, cause=f"{error.cause} {error.remedy}")
            log.warning("logs not read", extra={"cause": error.cause})
            return LogRun(LogRunOutcome.FAILED, progress, error.cause, error.remedy)
        finally:
            turn.end()

    def status(self) -> LogStatus:
        """The state of the log sync, whichever process runs it. Raises StoreUnavailable."""
        stored = self._client.hgetall(self._keys.logs)
        is_running = self._client.get(self._keys.log_turn) is not None
        return read_status(stored, is_running=is_running)

    def request_stop(self) -> None:
        """End the current run, in whichever process, before its next request. Its window will be
        read again."""
        with self._client.pipeline() as pipe:
            pipe.hset(self._keys.logs, "stop", "1")
            pipe.expire(self._keys.logs, KEEP_FOREIGN)
            pipe.execute()

    def start_in_background(self, since: datetime | None = None) -> None:
        """Run once in a thread of this process; `status` has its progress."""
        threading.Thread(target=self._run_logged, args=(since,), name="logs", daemon=True).start()

    def _run_logged(self, since: datetime | None) -> None:
        try:
            self.run(since)
        except ProductError as error:
            log.warning("logs not read", extra={"cause": error.cause})
        except Exception:
            # No caller sees an exception of this thread.
            log.exception("reading the logs failed")

    def _windows(
        self, since: datetime | None, now: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        if since is None:
            cursor = cursor_of(self._client.hgetall(self._keys.logs))
            since = cursor - OVERLAP if cursor else now - FIRST
        start = max(since, now - HISTORY)
        while start < now:
            end = min(start + WINDOW, now)
            yield start, end
            start = end

    def _is_stopped(self) -> bool:
        return self._client.hmget(self._keys.logs, "stop") == ["1"]

    def _read_window(self, start: datetime, end: datetime, progress: Progress) -> Progress:
        for is_call in (False, True):
            for row in self._reader.rows(start, end, is_call=is_call):
                progress = replace(progress, rows=progress.rows + 1)
                progress = self._rows.apply(row, progress, is_call=is_call)
        return progress

    def _settle(self, progress: Progress) -> Progress:
        """Poll the attempts that have not ended, newest first; those past the horizon get no end
        any more."""
        now = self._clock.now()
        last = None
        while entries := self._ledger.recent(last):
            for attempt in self._ledger.attempts([entry.attempt for entry in entries]):
                age = now - attempt.moments[EventKind.REQUESTED]
                if attempt.state.is_final or EventKind.UNREPORTED in attempt.moments:
                    continue
                if attempt.reference and age > timedelta(minutes=1):
                    progress = self._rows.poll(attempt, progress)
                if age > RECEIPT_HORIZON and attempt.state is not State.UNCLEAR:
                    unreported = AttemptEvent(attempt.id, EventKind.UNREPORTED, now, Source.LOG)
                    self._ledger.apply(unreported)
            last = entries[-1]
            if to_ms(now) - last.requested_ms > _HORIZON_MS + _DAY_MS:
                break
        return progress


def _end(turn: Turn, outcome: LogRunOutcome, progress: Progress) -> LogRun:
    turn.note(outcome=outcome, **progress_fields(progress))
    log.info("logs read", extra={"outcome": outcome, "rows": progress.rows})
    return LogRun(outcome, progress)
