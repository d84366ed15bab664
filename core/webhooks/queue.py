"""The queue of events in Redis: waiting, being sent, and dead letters.

The scripts that change a verification add the events (`_outbox.lua`), so no method here does. An
event is claimed by one worker at a time; if that worker dies, the event is due again after CLAIM.
So an event is delivered at least once and, unless an answer is lost, at most once.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.clock import Clock, duration_ms, read_ms, to_ms
from core.store.batches import batched
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.store.scripts import Scripts
from core.webhooks.alert_event import ID_PREFIX
from core.webhooks.answer import Answer, Verdict
from core.webhooks.event import QueuedEvent, read_event
from core.webhooks.retry_schedule import next_wait

#: Far longer than any try takes, so that a slow try is not repeated.
CLAIM = timedelta(minutes=1)
DEAD_KEPT = 1000
_CHANCE = secrets.SystemRandom().random
_KEEP_COUNT = timedelta(days=2)
_BATCH = 1000
_UNREADABLE = Answer(Verdict.GONE, None, "The stored event cannot be read.")


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that this worker is to send. `tries` counts this try too."""

    event: QueuedEvent
    tries: int


class _Ending(StrEnum):
    """What happens to an event after a try. The values are those of `settle_event.lua`."""

    DELIVERED = "delivered"
    AGAIN = "again"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many events wait (those being sent included), were delivered this UTC day, and are kept
    as dead letters."""

    waiting: int
    delivered_today: int
    dead: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that is not retried any more: after how many tries, when, and the last answer.

    `status` is the HTTP status of that answer, None if there was none; `cause` is a sentence.
    """

    event: QueuedEvent
    tries: int
    given_up_at: datetime
    status: int | None
    cause: str


class Outbox:
    """Every method raises StoreUnavailable when Redis does not answer.

    `receiver` is the host that events go to, safe to show; None if WEBHOOK_URL is not set, so that
    nothing is queued. `chance` returns a number from 0 to 1, for the spread of the waits.
    """

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        clock: Clock,
        receiver: str | None,
        chance: Callable[[], float] = _CHANCE,
    ) -> None:
        self.receiver = receiver
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock
        self._chance = chance
        self._left_out = LeftOut(client, keys, clock)
        self._waiting = [keys.outbox, keys.outbox_events]
        self._dead = [keys.dead, keys.dead_events]

    def counts(self) -> QueueCounts:
        """The number of events in each state."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.zcard(self._keys.outbox)
            pipe.get(self._keys.webhooks_delivered(self._clock.now()))
            pipe.zcard(self._keys.dead)
            waiting, delivered, dead = pipe.execute()
        return QueueCounts(waiting, int(delivered or 0), dead)

    def dead_letters(self, most: int = DEAD_KEPT) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        listed = self._client.zrevrange(self._keys.dead, 0, most - 1, withscores=True)
        if not listed:
            return []
        names = [name for id_, _ in listed for name in (id_, f"{id_} tries", f"{id_} last")]
        values = self._client.hmget(self._keys.dead_events, *names)
        letters = []
        for n, (event_id, given_up_ms) in enumerate(listed):
            stored, tries, last = values[3 * n : 3 * n + 3]
            # An event that was resent between the two reads is no dead letter any more.
            if stored is None or tries is None or last is None:
                continue
            event = self._read(event_id, stored)
            if event is None:
                continue
            try:
                answer = json.loads(last)
                status, cause = answer["status"], answer["cause"]
                letter = DeadLetter(
                    event, int(tries), read_ms(str(int(given_up_ms))), status, cause
                )
            except (KeyError, OverflowError, TypeError, ValueError) as error:
                self._left_out.record("dead letter", event_id, error)
            else:
                letters.append(letter)
        return letters

    def resend(self, event_id: str) -> bool:
        """Send the dead letter with this id again, at once and with all its tries; False if it is
        no dead letter (any more)."""
        resent: int = self._scripts.run(
            "resend_event",
            [*self._waiting, *self._dead],
            {"now_ms": to_ms(self._clock.now()), "id": event_id},
        )
        return resent == 1

    def resend_all(self) -> int:
        """Send all dead letters again; returns their number."""
        listed = self._client.zrange(self._keys.dead, 0, -1)
        return sum(self.resend(event_id) for event_id in listed)

    def remove_verification_events(self) -> None:
        """Remove the queued events of verifications. Those of alerts stay: a receiver that was
        notified of an alert gets its end."""
        queued = self._client.zrange(self._keys.outbox, 0, -1)
        for part in batched((id_ for id_ in queued if not id_.startswith(ID_PREFIX)), _BATCH):
            fields = [name for id_ in part for name in (id_, f"{id_} tries", f"{id_} last")]
            with self._client.pipeline() as pipe:
                pipe.zrem(self._keys.outbox, *part)
                pipe.hdel(self._keys.outbox_events, *fields)
                pipe.execute()

    def claim(self, most: int) -> list[Claim]:
        """Up to `most` events that are due, the longest waiting first. No other caller gets them
        until they are settled or CLAIM is over."""
        now = self._clock.now()
        claimed: list[tuple[str, str, str]] = self._scripts.run(
            "claim_events",
            self._waiting,
            {"now_ms": to_ms(now), "next_due_ms": to_ms(now + CLAIM), "most": most},
        )
        claims = []
        for event_id, stored, tries in claimed:
            if event := self._read(event_id, stored):
                claims.append(Claim(event, int(tries)))
            else:
                # It would be due again and again, and can never be sent.
                self._settle(event_id, int(tries), _Ending.DEAD, now, _UNREADABLE)
        return claims

    def _read(self, event_id: str, stored: str) -> QueuedEvent | None:
        """The stored event; None if it cannot be read."""
        try:
            return read_event(event_id, stored)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._left_out.record("event", event_id, error)
            return None

    def settle(self, claim: Claim, answer: Answer) -> None:
        """Record the end of a try: the event was delivered, is due again later, or is a dead
        letter."""
        now = self._clock.now()
        ending, due = _Ending.DELIVERED, now
        if answer.verdict is not Verdict.ACCEPTED:
            wait = next_wait(claim.tries, answer.retry_after, self._chance())
            if wait is None or answer.verdict is Verdict.GONE:
                ending = _Ending.DEAD
            else:
                ending, due = _Ending.AGAIN, now + wait
        self._settle(claim.event.id, claim.tries, ending, due, answer)

    def _settle(
        self, event_id: str, tries: int, ending: _Ending, due: datetime, answer: Answer
    ) -> None:
        now = self._clock.now()
        self._scripts.run(
            "settle_event",
            [*self._waiting, *self._dead, self._keys.webhooks_delivered(now)],
            {
                "now_ms": to_ms(now),
                "id": event_id,
                "try": str(tries),
                "ending": ending,
                "due_ms": to_ms(due),
                "answer": json.dumps({"status": answer.status, "cause": answer.cause}),
                "count_keep_ms": duration_ms(_KEEP_COUNT),
                "most_dead": DEAD_KEPT,
            },
        )
