"""Reads Plivo's logs into the ledger: settles what callbacks missed, and adds prices.

The lists are read in windows of time, a page of 20 rows after the other, within 20 requests a
minute (Plivo's limit, which is of the account). A window's rows are applied before the cursor
moves, so a crash reads one window again, and the ledger counts nothing twice. After the windows,
attempts of the last 72 hours that have not ended are asked after one by one; what has no end by
then is `unknown`.

A row is an attempt of ours by its uuid. Without one (no answer to the send, or a PHLO) it is ours
by its number, its kind and its time. What is nobody's was sent by another program of the account:
it is counted apart. Filters of the lists are in UTC; times in the rows have the account's offset.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from core.ledger.ledger import Applied, Ledger
from core.log import logged_id
from core.model.attempt import Attempt, AttemptEvent, EventKind, Source
from core.model.clock import Clock, to_ms
from core.model.errors import ProductError, ProviderRead
from core.model.unreadable import Unreadable
from core.plivo.client import PlivoClients, SdkCall
from core.plivo.records import LogRow, call_events, message_events
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts
from core.tracking.log_turn import Turn, cursor_field, cursor_of

log = logging.getLogger(__name__)

WINDOW = timedelta(hours=6)
#: The first reading goes back so far, a later one to before the end of the last: rows come late.
FIRST, OVERLAP = timedelta(hours=24), timedelta(minutes=30)
#: Plivo keeps them so long.
HISTORY = timedelta(days=90)
REQUESTS_A_MINUTE = 20
_PAGE = 20
#: No receipt after this: nothing will come any more.
HORIZON = timedelta(hours=72)
_BEFORE, _AFTER = timedelta(seconds=30), timedelta(minutes=5)
_MINUTE = timedelta(minutes=1)
_KEEP_FOREIGN = timedelta(days=100)
_NO_UUID = (Unreadable("uuid", "missing"),)


class LogRunOutcome(StrEnum):
    """How a reading ended."""

    DONE = "done"
    STOPPED = "stopped"  # somebody asked for it; the next one goes on from there
    BUSY = "busy"  # another process is reading
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a reading stands. `left` is an estimate, None at first."""

    windows: int
    windows_done: int = 0
    rows: int = 0
    settled: int = 0
    foreign: int = 0
    left: timedelta | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class LogRun:
    """How it ended. `cause` and `remedy` are sentences, "" unless it failed."""

    outcome: LogRunOutcome
    progress: Progress
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """What is known of the logs in all processes. `outcome` is of the last reading that ended."""

    is_running: bool
    through: datetime | None
    outcome: LogRunOutcome | None
    progress: Progress
    cause: str


class _Stopped(Exception):
    """Somebody wants the reading to end."""


class LogSync:
    """Reads the logs, one process at a time. `wait` stands still for some seconds."""

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
        self._keyring = keyring
        self._ledger = ledger
        self._clients = clients
        self._wait = wait or threading.Event().wait

    def run(
        self, since: datetime | None = None, tell: Callable[[Progress], None] = lambda now: None
    ) -> LogRun:
        """Read from `since`, or from where the last reading ended, until now. Raises
        StoreUnavailable; what Plivo does not answer is an outcome."""
        turn = Turn(self._client, self._scripts, self._keys)
        if not turn.take():
            return LogRun(LogRunOutcome.BUSY, Progress(0))
        began = self._clock.now()
        windows = list(self._windows(since, began))
        now = Progress(len(windows))
        try:
            turn.note(stop=0, outcome="", cause="", **_fields(now))
            for start, end in windows:
                now = self._window(start, end, now)
                spent = self._clock.now() - began
                done = now.windows_done + 1
                left = spent / done * (now.windows - done)
                now = replace(now, windows_done=done, left=left)
                if not turn.note(cursor=cursor_field(end), **_fields(now)):
                    return LogRun(LogRunOutcome.BUSY, now)
                tell(now)
            now = self._settle(now)
            return self._ended(turn, LogRunOutcome.DONE, now)
        except _Stopped:
            return self._ended(turn, LogRunOutcome.STOPPED, now)
        except ProviderRead as error:
            turn.note(outcome=LogRunOutcome.FAILED, cause=f"{error.cause} {error.remedy}")
            log.warning("logs not read", extra={"cause": error.cause})
            return LogRun(LogRunOutcome.FAILED, now, error.cause, error.remedy)
        finally:
            turn.end()

    def status(self) -> LogStatus:
        """How the logs stand, whichever process reads them. Raises StoreUnavailable."""
        found = self._client.hgetall(self._keys.logs)
        running = self._client.get(self._keys.log_turn) is not None
        left = found.get("left_ms", "")
        return LogStatus(
            is_running=running,
            through=cursor_of(found),
            outcome=next((one for one in LogRunOutcome if one == found.get("outcome")), None),
            progress=replace(
                Progress(*(_count(found.get(name, "")) for name in _COUNTS)),
                left=timedelta(milliseconds=_count(left)) if left else None,
            ),
            cause=found.get("cause", ""),
        )

    def request_stop(self) -> None:
        """End the reading that is under way, in whichever process, before its next request. The
        window that it is in will be read again."""
        with self._client.pipeline() as pipe:
            pipe.hset(self._keys.logs, "stop", "1")
            pipe.expire(self._keys.logs, _KEEP_FOREIGN)
            pipe.execute()

    def start_in_background(self, since: datetime | None = None) -> None:
        """Read in a thread of this process; `status` tells how it goes."""
        threading.Thread(target=self._run_logged, args=(since,), name="logs", daemon=True).start()

    def _run_logged(self, since: datetime | None) -> None:
        try:
            self.run(since)
        except ProductError as error:
            log.warning("logs not read", extra={"cause": error.cause})
        except Exception:
            # A thread has nobody to raise to; the log has the traceback.
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

    def _ended(self, turn: Turn, outcome: LogRunOutcome, now: Progress) -> LogRun:
        turn.note(outcome=outcome, **_fields(now))
        log.info("logs read", extra={"outcome": outcome, "rows": now.rows})
        return LogRun(outcome, now)

    def _window(self, start: datetime, end: datetime, now: Progress) -> Progress:
        for path, is_call, moment in (
            ("messages.list", False, "message_time"),
            ("calls.list", True, "end_time"),
        ):
            for row in self._rows(path, moment, start, end):
                now = self._row(row, replace(now, rows=now.rows + 1), is_call=is_call)
        return now

    def _rows(self, path: str, moment: str, start: datetime, end: datetime) -> Iterator[Any]:
        span = {f"{moment}__gte": _filter(start), f"{moment}__lt": _filter(end)}
        offset = 0
        while True:
            arguments = {**span, "limit": _PAGE, "offset": offset}
            page = self._read(SdkCall(path, arguments))
            rows = list(getattr(page, "objects", page) or [])
            yield from rows
            if len(rows) < _PAGE:
                return
            offset += _PAGE

    def _row(self, record: Any, now: Progress, *, is_call: bool) -> Progress:
        row = LogRow.model_validate(record)
        if row.message_direction not in {"", "outbound"}:
            return now
        by_reference = self._ledger.attempt_by_reference(row.uuid) if row.uuid else None
        attempt = by_reference or self._unnamed(row, is_call=is_call)
        if attempt is None and not row.uuid:
            self._ledger.leave_out("a row of Plivo's logs", row.unreadable or _NO_UUID)
            return now
        if attempt is None:
            return replace(now, foreign=now.foreign + self._count_foreign(row.uuid))
        return self._apply(attempt, self._events(attempt, record), now)

    def _events(self, attempt: Attempt, record: Any) -> list[AttemptEvent]:
        """The news in a record; none where it cannot be read: that must not end the reading of the
        others."""
        read = call_events if attempt.way.is_call else message_events
        try:
            return read(attempt.id, record, self._clock.now(), Source.LOG)
        except ProviderRead as error:
            self._ledger.leave_out(attempt.id, [Unreadable("record", error.cause)])
            return []

    def _apply(self, attempt: Attempt, events: list[AttemptEvent], now: Progress) -> Progress:
        counted = self._ledger.apply_all(events)
        after = self._ledger.attempt(attempt.id)
        ended = after is not None and after.state.is_final and not attempt.state.is_final
        return replace(now, settled=now.settled + (counted[Applied.APPLIED] > 0 and ended))

    def _unnamed(self, row: LogRow, *, is_call: bool) -> Attempt | None:
        """The attempt of ours without a uuid that this row must be."""
        if row.at is None or not row.to_number:
            return None
        number = f"+{row.to_number.lstrip('+')}"
        near = [
            (abs(row.at - requested), attempt)
            for attempt in self._ledger.attempts_of_number(self._keyring.index("number", number))
            if not attempt.reference and attempt.way.is_call is is_call
            for requested in [attempt.moments[EventKind.REQUESTED]]
            if requested - _BEFORE <= row.at <= requested + _AFTER
        ]
        return min(near, key=lambda pair: pair[0])[1] if near else None

    def _count_foreign(self, uuid: str) -> int:
        """1 for a message or call of others that was not counted before."""
        with self._client.pipeline() as pipe:
            key = self._keys.foreign(self._clock.now())
            before = self._keys.foreign(self._clock.now() - timedelta(days=30))
            pipe.sismember(before, uuid)
            pipe.sadd(key, uuid)
            pipe.expire(key, _KEEP_FOREIGN)
            known, added, _ = pipe.execute()
        if known or not added:
            return 0
        self._ledger.count("foreign")
        return 1

    def _settle(self, now: Progress) -> Progress:
        """Ask after what has not ended, newest first; past the horizon, it has no end."""
        at = self._clock.now()
        before = None
        while entries := self._ledger.recent(before):
            for attempt in self._ledger.attempts([one.attempt for one in entries]):
                age = at - attempt.moments[EventKind.REQUESTED]
                if attempt.state.is_final or EventKind.UNREPORTED in attempt.moments:
                    continue
                if attempt.reference and age > timedelta(minutes=1):
                    now = self._ask(attempt, now)
                if age > HORIZON:
                    silent = AttemptEvent(attempt.id, EventKind.UNREPORTED, at, Source.LOG)
                    self._ledger.apply(silent)
            before = entries[-1]
            if to_ms(at) - before.requested_ms > _ms(HORIZON + timedelta(days=1)):
                break
        return now

    def _ask(self, attempt: Attempt, now: Progress) -> Progress:
        is_call = attempt.way.is_call
        path, name = ("calls.get", "call_uuid") if is_call else ("messages.get", "message_uuid")
        try:
            row: Any = self._clients.read(
                SdkCall(path, {name: attempt.reference}), lambda exchange: None
            )
            if is_call and not getattr(row, "end_time", None):
                return now
        except ProviderRead as error:
            # One record that Plivo does not give must not end the reading of the others.
            log.info(
                "attempt not read", extra={"attempt": logged_id(attempt.id), "cause": error.cause}
            )
            return now
        return self._apply(attempt, self._events(attempt, row), now)

    def _read(self, call: SdkCall) -> Any:
        """Plivo's answer, within the limit of requests. Raises ProviderRead, _Stopped."""
        self._await_turn()
        try:
            return self._clients.read(call, lambda exchange: None)
        finally:
            # Plivo counts a request when it arrives, which is after it was noted and before its
            # answer: the later moment is the safe one.
            self._note_request(again=True)

    def _await_turn(self) -> None:
        """Wait until another request is allowed; the moments are in Redis, for all processes.
        Raises _Stopped when a stop was requested."""
        while True:
            if self._is_stopped():
                raise _Stopped
            oldest = self._client.lrange(
                self._keys.log_requests, REQUESTS_A_MINUTE - 1, REQUESTS_A_MINUTE - 1
            )
            noted_ms = _count(oldest[0]) if oldest else 0
            left_ms = noted_ms + _ms(_MINUTE) - to_ms(self._clock.now())
            # A moment ahead of this clock says nothing of the last minute.
            if not 0 < left_ms <= _ms(_MINUTE):
                break
            self._wait(min(left_ms / 1000, 5.0))
        self._note_request()

    def _note_request(self, *, again: bool = False) -> None:
        """Note a request of now; `again` in place of the newest one."""
        with self._client.pipeline() as pipe:
            if again:
                pipe.lpop(self._keys.log_requests)
            pipe.lpush(self._keys.log_requests, to_ms(self._clock.now()))
            pipe.ltrim(self._keys.log_requests, 0, REQUESTS_A_MINUTE - 1)
            pipe.expire(self._keys.log_requests, 2 * _MINUTE)
            pipe.execute()


_COUNTS = ("windows", "windows_done", "rows", "settled", "foreign")


def _count(stored: str) -> int:
    """A stored number; 0 for what is none, which the next reading replaces."""
    return int(stored) if stored.isdecimal() and len(stored) < 16 else 0


def _fields(now: Progress) -> dict[str, str | int]:
    left = "" if now.left is None else _ms(now.left)
    return {name: getattr(now, name) for name in _COUNTS} | {"left_ms": left}


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _filter(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
