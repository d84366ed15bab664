"""The queue of events in Redis: what waits, what is being sent, and what was given up.

Events come into it by the scripts that change a verification (`_outbox.lua`), so there is no method
here that adds one. One is at a time claimed by one worker; should that die, it is due again after
CLAIM. So an event is told at least once and, save for an answer that was lost on the way, at most
once.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.clock import Clock, read_ms, to_ms
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.store.scripts import Scripts
from core.webhooks.event import WebhookEvent, event_of
from core.webhooks.retry_schedule import next_wait
from core.webhooks.sender import Answer, Verdict

#: Far longer than any try takes, so that a slow one is not made twice.
CLAIM = timedelta(minutes=1)
DEAD_KEPT = 1000
_CHANCE = secrets.SystemRandom().random
_KEEP_COUNT = timedelta(days=2)
_UNREADABLE = Answer(Verdict.GONE, None, "What is kept of this event cannot be read.")


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that is this worker's to send. `tries` counts this one too."""

    event: WebhookEvent
    tries: int


class _Ending(StrEnum):
    """What becomes of an event after a try. The values are those of `settle_event.lua`."""

    TOLD = "told"
    AGAIN = "again"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many events wait (those being sent are among them), were told this UTC day, and were
    given up and are kept."""

    waiting: int
    told_today: int
    dead: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up: after how many tries, when, and how the last one ended.

    `status` is the HTTP status of that answer, None where there was none; `cause` is a sentence.
    """

    event: WebhookEvent
    tries: int
    given_up_at: datetime
    status: int | None
    cause: str


class Outbox:
    """Every method raises StoreUnavailable when Redis does not answer.

    `receiver` is the host that events go to, safe to show; None: WEBHOOK_URL is not set, nobody is
    told and nothing is queued. `chance` gives a number from 0 to 1, for the spread of the waits.
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

    def counts(self) -> Counts:
        """How many events there are."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.zcard(self._keys.outbox)
            pipe.get(self._keys.told(self._clock.now()))
            pipe.zcard(self._keys.dead)
            waiting, told, dead = pipe.execute()
        return Counts(waiting, int(told or 0), dead)

    def dead_letters(self, most: int = DEAD_KEPT) -> list[DeadLetter]:
        """The newest events that were given up, newest first."""
        listed = self._client.zrevrange(self._keys.dead, 0, most - 1, withscores=True)
        if not listed:
            return []
        names = [name for one, _ in listed for name in (one, f"{one} tries", f"{one} last")]
        values = self._client.hmget(self._keys.dead_events, *names)
        found = []
        for n, (one, given_up_ms) in enumerate(listed):
            facts, tries, last = values[3 * n : 3 * n + 3]
            # One that was sent again between the two questions is no dead letter any more.
            if facts is None or tries is None or last is None:
                continue
            event = self._read(one, facts)
            if event is None:
                continue
            try:
                said = json.loads(last)
                status, cause = said["status"], said["cause"]
                letter = DeadLetter(
                    event, int(tries), read_ms(str(int(given_up_ms))), status, cause
                )
            except (KeyError, OverflowError, TypeError, ValueError) as error:
                self._left_out.record("dead letter", one, error)
            else:
                found.append(letter)
        return found

    def resend(self, one: str) -> bool:
        """Send the dead letter with this id again, at once and with all its tries before it; False
        when it is no dead letter (any more)."""
        answer = self._scripts.run(
            "resend_event", [*self._waiting, *self._dead], [to_ms(self._clock.now()), one]
        )
        return bool(answer)

    def resend_all(self) -> int:
        """Send all dead letters again; how many."""
        listed = self._client.zrange(self._keys.dead, 0, -1)
        return sum(self.resend(one) for one in listed)

    def claim(self, most: int) -> list[Claim]:
        """Up to `most` events that are due, the longest waiting first. Each is one caller's, until
        that settles it or CLAIM is over."""
        now = self._clock.now()
        parts = self._scripts.run(
            "claim_events", self._waiting, [to_ms(now), to_ms(now + CLAIM), most]
        )
        claims = []
        for one, facts, tries in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if event := self._read(one, facts):
                claims.append(Claim(event, int(tries)))
            else:
                # It would be due again and again, and nobody could be told of it.
                self._settle(one, int(tries), _Ending.DEAD, now, _UNREADABLE)
        return claims

    def _read(self, one: str, facts: str) -> WebhookEvent | None:
        """The event in what is kept of it; None where that cannot be read."""
        try:
            return event_of(one, facts)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._left_out.record("event", one, error)
            return None

    def settle(self, claim: Claim, answer: Answer) -> None:
        """Write down how a try ended: the event is told, is due again later, or is given up."""
        now = self._clock.now()
        ending, due = _Ending.TOLD, now
        if answer.verdict is not Verdict.TAKEN:
            wait = next_wait(claim.tries, answer.retry_after, self._chance())
            if wait is None or answer.verdict is Verdict.GONE:
                ending = _Ending.DEAD
            else:
                ending, due = _Ending.AGAIN, now + wait
        self._settle(claim.event.id, claim.tries, ending, due, answer)

    def _settle(self, one: str, tries: int, ending: _Ending, due: datetime, answer: Answer) -> None:
        now = self._clock.now()
        self._scripts.run(
            "settle_event",
            [*self._waiting, *self._dead, self._keys.told(now)],
            [
                to_ms(now),
                one,
                tries,
                ending,
                to_ms(due),
                json.dumps({"status": answer.status, "cause": answer.cause}),
                int(_KEEP_COUNT.total_seconds() * 1000),
                DEAD_KEPT,
            ],
        )
