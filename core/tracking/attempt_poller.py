"""Polls Plivo for attempts without callbacks: PHLO always, messages without a PUBLIC_URL; and every
attempt during its send, in case the sending process dies.

The attempts are in a sorted set by the time their next poll is due, so that a restart goes on and
several processes share the work. A claimed attempt is due again if its process dies.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from core.ledger.exchanges import Exchanges
from core.ledger.ledger import EventOutcome, Ledger
from core.log import logged_id
from core.model.attempt import Attempt, AttemptEvent, EventKind, Source, State
from core.model.clock import Clock, to_ms
from core.model.errors import ProductError, ProviderRead
from core.model.exchange import Exchange
from core.plivo.client import PlivoClients
from core.plivo.record_calls import has_ended, live_call_of, record_of
from core.plivo.records import call_events, live_call_event, message_events
from core.plivo.sdk_call import Recorder, SdkCall
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

log = logging.getLogger(__name__)

#: Between two checks of the set.
TICK = timedelta(milliseconds=250)
#: Until the first poll. Each later wait is a quarter of the attempt's age, between these limits.
FIRST_POLL_AFTER = timedelta(milliseconds=400)
SLOWEST = timedelta(seconds=30)
#: A send has been answered or has timed out by then: an attempt that is still `requested` was
#: being sent by a process that has died.
ANSWERED_BY = timedelta(minutes=3)
#: Older attempts are left to the log sync.
POLLING_HORIZON = timedelta(minutes=15)
_CLAIM = timedelta(seconds=30)
_BATCH = 20
#: How long the set outlives the newest of its attempts.
POLLS_KEPT = timedelta(days=1)


class AttemptPoller:
    """Polls attempts until their state is final."""

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

    def schedule(self, attempt: str, wait: timedelta = FIRST_POLL_AFTER) -> None:
        """Poll this attempt after `wait`. Raises StoreUnavailable."""
        due = to_ms(self._clock.now() + wait)
        with self._client.pipeline() as pipe:
            pipe.zadd(self._keys.polls, {attempt: due})
            pipe.expire(self._keys.polls, POLLS_KEPT)
            pipe.execute()

    def poll_due(self) -> int:
        """Poll every attempt that is due; returns their number. Raises StoreUnavailable."""
        now = self._clock.now()
        due: list[str] = self._scripts.run(
            "claim_due",
            [self._keys.polls],
            {"now_ms": to_ms(now), "next_due_ms": to_ms(now + _CLAIM), "most": _BATCH},
        )
        attempts = {attempt.id: attempt for attempt in self._ledger.attempts(due)}
        for attempt_id in due:
            if attempt_id not in attempts:
                self.forget(attempt_id)
                continue
            try:
                self._poll_and_reschedule(attempts[attempt_id])
            except ProductError:
                raise
            except Exception:
                # A failing attempt is left to the log sync: it must not delay the others.
                log.exception("attempt not polled", extra={"attempt": logged_id(attempt_id)})
                self.forget(attempt_id)
        return len(due)

    def poll(self, attempt: Attempt) -> list[AttemptEvent]:
        """Read one attempt from Plivo now and apply its events. Raises ProviderRead.

        The exchanges are recorded only if an event changed the attempt.
        """
        exchanges: list[Exchange] = []
        events = self._events(attempt, exchanges.append)
        applied = [self._ledger.apply(event) for event in events]
        if EventOutcome.APPLIED in applied:
            kinds = tuple(event.kind for event in events)
            for exchange in exchanges:
                # The answer to the last request had the events.
                reported = kinds if exchange is exchanges[-1] else ()
                about_attempt = replace(exchange, attempt=attempt.id, events=reported)
                self._exchanges.record(attempt.verification, about_attempt)
        return events

    def _poll_and_reschedule(self, attempt: Attempt) -> None:
        age = self._clock.now() - attempt.moments[EventKind.REQUESTED]
        if attempt.state is State.REQUESTED and age > ANSWERED_BY:
            self._ledger.apply(_abandoned(attempt, self._clock.now()))
            self.forget(attempt.id)
            return
        try:
            self.poll(attempt)
        except ProviderRead as error:
            # One bad answer must not end the polling of this attempt or of the others.
            log.warning(
                "attempt not read", extra={"attempt": logged_id(attempt.id), "cause": error.cause}
            )
        updated = self._ledger.attempt(attempt.id)
        if updated is None or updated.state.is_final or age > POLLING_HORIZON:
            self.forget(attempt.id)
        else:
            self.schedule(attempt.id, min(max(FIRST_POLL_AFTER, age / 4), SLOWEST))

    def forget(self, attempt: str) -> None:
        """Stop polling this attempt. Raises StoreUnavailable."""
        self._client.zrem(self._keys.polls, attempt)

    def _events(self, attempt: Attempt, record: Recorder) -> list[AttemptEvent]:
        if not attempt.reference:
            return []
        now = self._clock.now()
        is_call = attempt.way.is_call
        answer = self._read(record_of(attempt.reference, is_call=is_call), record)
        if not is_call:
            return [] if answer is None else message_events(attempt.id, answer, now)
        if has_ended(answer):
            return call_events(attempt.id, answer, now)
        # Before a call has ended, it is among the live calls.
        live_call = self._read(live_call_of(attempt.reference), record)
        event = live_call_event(attempt.id, live_call, now) if live_call is not None else None
        return [event] if event else []

    def _read(self, call: SdkCall, record: Recorder) -> object | None:
        """The record; None if Plivo does not have it (yet)."""
        try:
            answer: object = self._clients.read(call, record)
        except ProviderRead as error:
            if error.status == 404:
                return None
            raise
        return answer


def _abandoned(attempt: Attempt, now: datetime) -> AttemptEvent:
    fields = {
        "cause": "The app stopped during the send.",
        "remedy": "It may still arrive: wait for it before you send another.",
    }
    return AttemptEvent(attempt.id, EventKind.UNCONFIRMED, now, Source.APP, fields)
