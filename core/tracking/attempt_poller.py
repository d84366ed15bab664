"""Following attempts that nobody calls back about: PHLO always, messages without a PUBLIC_URL; and
every attempt while Plivo is being asked, should the process that asks die.

The attempts are in a sorted set by the moment they are due to be asked about, so a restart goes on
and several processes share the work: a claimed attempt comes back by itself, should its process
die.
"""

import logging
import threading
from datetime import datetime, timedelta

from core.ledger.exchanges import Exchange, Exchanges
from core.ledger.ledger import Applied, Ledger
from core.log import logged_id
from core.model.attempt import Attempt, AttemptEvent, EventKind, Source, State
from core.model.clock import Clock, to_ms
from core.model.errors import ProductError, ProviderRead
from core.plivo.client import PlivoClients, Recorder, SdkCall
from core.plivo.records import call_events, live_call_event, message_events
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

log = logging.getLogger(__name__)

#: Between two looks at the set.
TICK = timedelta(milliseconds=250)
#: The first question; then each wait is a quarter of the attempt's age, so it thins out by itself.
FIRST = timedelta(milliseconds=400)
SLOWEST = timedelta(seconds=30)
#: A send is answered or given up by then; an attempt still `requested` has lost its sender.
ANSWERED_BY = timedelta(minutes=3)
#: Older attempts are left to the logs.
HORIZON = timedelta(minutes=15)
_CLAIM = timedelta(seconds=30)
_BATCH = 20
#: How long the set outlives the newest of its attempts.
KEEP = timedelta(days=1)


class AttemptPoller:
    """Asks Plivo about attempts until their state is final. `start` runs it in a thread."""

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        clock: Clock,
        ledger: Ledger,
        clients: PlivoClients,
        exchanges: Exchanges,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock
        self._ledger = ledger
        self._clients = clients
        self._exchanges = exchanges
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, attempt: str, wait: timedelta = FIRST) -> None:
        """Ask about this attempt after `wait`. Raises StoreUnavailable."""
        due = to_ms(self._clock.now() + wait)
        with self._client.pipeline() as pipe:
            pipe.zadd(self._keys.follow, {attempt: due})
            pipe.expire(self._keys.follow, KEEP)
            pipe.execute()

    def ask_due(self) -> int:
        """Ask about every attempt that is due; how many there were. Raises StoreUnavailable."""
        now = self._clock.now()
        due: list[str] = self._scripts.run(
            "claim_due", [self._keys.follow], [to_ms(now), to_ms(now + _CLAIM), _BATCH]
        )
        kept = {attempt.id: attempt for attempt in self._ledger.attempts(due)}
        for one in due:
            if one not in kept:
                self.forget(one)
                continue
            try:
                self._ask_and_reschedule(kept[one])
            except ProductError:
                raise
            except Exception:
                # What cannot be followed is left to the logs: it must not hold up the others.
                log.exception("attempt not followed", extra={"attempt": one})
                self.forget(one)
        return len(due)

    def ask(self, attempt: Attempt) -> list[AttemptEvent]:
        """Ask Plivo about one attempt now and book what it says. Raises ProviderRead.

        The exchanges are recorded when they brought news, and not for every "nothing new".
        """
        heard: list[Exchange] = []
        events = self._news(attempt, heard.append)
        applied = [self._ledger.apply(event) for event in events]
        if Applied.APPLIED in applied:
            for exchange in heard:
                self._exchanges.record(attempt.verification, exchange)
        return events

    def _ask_and_reschedule(self, attempt: Attempt) -> None:
        age = self._clock.now() - attempt.moments[EventKind.REQUESTED]
        if attempt.state is State.REQUESTED and age > ANSWERED_BY:
            self._ledger.apply(_abandoned(attempt, self._clock.now()))
            self.forget(attempt.id)
            return
        try:
            self.ask(attempt)
        except ProviderRead as error:
            # One bad answer must not end the following of this attempt or of the others.
            log.warning(
                "attempt not read", extra={"attempt": logged_id(attempt.id), "cause": error.cause}
            )
        asked = self._ledger.attempt(attempt.id)
        if asked is None or asked.state.is_final or age > HORIZON:
            self.forget(attempt.id)
        else:
            self.follow(attempt.id, min(max(FIRST, age / 4), SLOWEST))

    def forget(self, attempt: str) -> None:
        """Ask about this attempt no more. Raises StoreUnavailable."""
        self._client.zrem(self._keys.follow, attempt)

    def _news(self, attempt: Attempt, record: Recorder) -> list[AttemptEvent]:
        if not attempt.reference:
            return []
        now = self._clock.now()
        if not attempt.way.is_call:
            found = self._read("messages.get", attempt.reference, record)
            return [] if found is None else message_events(attempt.id, found, now)
        # A call has a record once it has ended; before that it is among the live calls.
        found = self._read("calls.get", attempt.reference, record)
        if found is not None and getattr(found, "end_time", None):
            return call_events(attempt.id, found, now)
        found = self._read("live_calls.get", attempt.reference, record)
        event = live_call_event(attempt.id, found, now) if found is not None else None
        return [event] if event else []

    def _read(self, path: str, reference: str, record: Recorder) -> object | None:
        """The record; None when Plivo does not have it (yet)."""
        names = {"messages.get": "message_uuid", "calls.get": "call_uuid", "live_calls.get": "_id"}
        try:
            found: object = self._clients.read(SdkCall(path, {names[path]: reference}), record)
        except ProviderRead as error:
            if error.status == 404:
                return None
            raise
        return found

    def start(self) -> None:
        """Follow in the background until `stop`."""
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread and wait for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(TICK.total_seconds()):
            try:
                self.ask_due()
            except ProductError as error:
                # Redis is away: it is asked again, a little later.
                log.warning("following paused", extra={"cause": error.cause})
                self._stopping.wait(2)
            except Exception:
                # A bug in one round must not end the thread for good; the log has the traceback.
                log.exception("following failed")
                self._stopping.wait(2)


def _abandoned(attempt: Attempt, now: datetime) -> AttemptEvent:
    said = {
        "cause": "The app stopped while Plivo was being asked.",
        "remedy": "It may still arrive: wait for it before you send another.",
    }
    return AttemptEvent(attempt.id, EventKind.UNCONFIRMED, now, Source.APP, said)
