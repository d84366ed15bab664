"""The queue by itself, on a real Redis: verifications are written and change, and nobody sends."""

from collections.abc import Iterable
from datetime import timedelta
from typing import cast

import redis

from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, Source, attempt_id
from core.model.verification import Status, Verification
from core.model.way import Way
from core.settings.keyring import Keyring, new_id
from core.settings.settings import Settings
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts
from core.verification.policy import Policy
from core.verification.records import VerificationRecords
from core.verification.send_budgets import Reservation
from core.verification.send_replies import Started
from core.webhooks.expiry import Expiries
from core.webhooks.queue import Claim, Outbox
from core.webhooks.sender import Answer, Verdict, WebhookSender
from core.webhooks.worker import Worker
from tests.world import MovableClock

KEEP = timedelta(days=7)
LIFETIME = timedelta(seconds=300)
TAKEN = Answer(Verdict.TAKEN, 200, "")
REFUSED = Answer(Verdict.REFUSED, 500, "It answered with HTTP 500.")
GONE = Answer(Verdict.GONE, 410, "It wants no more events (HTTP 410).")


class Desk:
    """One process's part in the queue. Waits have no spread here, so that they are exact."""

    def __init__(self, client: redis.Redis, clock: MovableClock) -> None:
        self.clock = clock
        self.keys = Keys("sandbox")
        self.client = client
        store = cast(Client, client)
        scripts = Scripts(store)
        keyring = Keyring(b"k" * 32)
        self.ledger = Ledger(store, scripts, self.keys, clock, KEEP, webhooks_enabled=True)
        self.records = VerificationRecords(
            store, scripts, self.keys, keyring, Policy(Settings()), KEEP, webhooks_enabled=True
        )
        self.outbox = Outbox(store, scripts, self.keys, clock, "example.com", lambda: 0.0)
        self.expiries = Expiries(store, scripts, self.keys, clock)

    def worker(self, url: str, secret: str) -> Worker:
        """One that sends to this address."""
        return Worker(self.outbox, self.expiries, WebhookSender(url, secret, self.clock))

    def start(self) -> str:
        """A verification, of a number that has no other; its id."""
        now, one = self.clock.now(), new_id()
        verification = Verification(
            id=one,
            status=Status.PENDING,
            to="+14155550123",
            to_masked="+1 415 ••• ••23",
            region="US",
            country="United States",
            carrier="",
            language="en",
            way=Way.SMS,
            digits=6,
            started_at=now,
            expires_at=now + LIFETIME,
            checks_left=5,
            checks_allowed=5,
            attempts=1,
            next_send_at=now,
            number_index=one,
            request="",
        )
        # Nobody shares a budget with it either.
        reservation = Reservation(now, 1, 10**9, one, one, one, None)
        answer = self.records.start(verification, reservation, one, _record(one))
        assert isinstance(answer, Started)
        return one

    def hear(self, verification: str, kinds: Iterable[tuple[int, EventKind]]) -> None:
        """News of the attempts of that number."""
        for number, kind in kinds:
            fields = _record(verification) if kind is EventKind.REQUESTED else {}
            one = attempt_id(verification, number)
            self.ledger.apply(AttemptEvent(one, kind, self.clock.now(), Source.CALLBACK, fields))

    def claim_one(self) -> Claim:
        """The one event that is due."""
        (claim,) = self.outbox.claim(10)
        return claim

    def take_all(self) -> list[str]:
        """Everything that is due is told; the ids."""
        ids = []
        while claims := self.outbox.claim(50):
            for claim in claims:
                self.outbox.settle(claim, TAKEN)
                ids.append(claim.event.id)
        return ids


def _record(verification: str) -> dict[str, str]:
    return {
        "origin": "first",
        "number_index": verification,
        "channel": "sms",
        "mode": "sms",
        "to_masked": "+1 415 ••• ••23",
        "region": "US",
        "carrier": "",
    }
