"""The queue by itself, on a real Redis: verifications change, and nothing is sent."""

from collections.abc import Iterable
from datetime import timedelta
from typing import cast

import redis

from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, Source, attempt_id
from core.model.phone_number import PhoneNumber
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
from core.webhooks.answer import Answer, Verdict
from core.webhooks.expiry import Expiries
from core.webhooks.notifier import Notifier
from core.webhooks.queue import Claim, Outbox
from core.webhooks.receivers import Receivers
from core.webhooks.sender import WebhookSender
from core.webhooks.worker import WebhookWorker
from tests.world import MovableClock

KEEP = timedelta(days=7)
LIFETIME = timedelta(seconds=300)
ACCEPTED = Answer(Verdict.ACCEPTED, 200, "")
REFUSED = Answer(Verdict.REFUSED, 500, "It answered with HTTP 500.")
GONE = Answer(Verdict.GONE, 410, "It wants no more events (HTTP 410).")


class QueueProcess:
    """A process that uses the queue. Waits have no spread here, so that they are exact."""

    def __init__(self, client: redis.Redis, clock: MovableClock) -> None:
        self.clock = clock
        self.keys = Keys("sandbox")
        self.client = client
        store = cast(Client, client)
        scripts = Scripts(store)
        self.keyring = keyring = Keyring(b"k" * 32)
        self.ledger = Ledger(store, scripts, self.keys, clock, KEEP, webhooks_enabled=True)
        self.records = VerificationRecords(
            store, scripts, self.keys, keyring, Policy(Settings()), KEEP, webhooks_enabled=True
        )
        self.outbox = Outbox(store, scripts, self.keys, clock, "example.com", lambda: 0.0)
        self.expiries = Expiries(store, scripts, self.keys, clock)

    def worker(self, url: str, secret: str) -> WebhookWorker:
        """A worker that sends to this address."""
        return WebhookWorker(
            self.outbox,
            self.expiries,
            Receivers(WebhookSender(url, secret, self.clock), Notifier((), self.keyring)),
        )

    def start(self) -> str:
        """Start a verification of a new number; returns its id."""
        now, verification_id = self.clock.now(), new_id()
        verification = Verification(
            id=verification_id,
            status=Status.PENDING,
            to=PhoneNumber("+14155550123", "+1 415 ••• ••23", "US", "United States"),
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
            number_index=verification_id,
            request="",
        )
        # Its budgets are its own too.
        ids = (verification_id,) * 3
        reservation = Reservation(now, 1, 10**9, *ids, None)
        record = _record(verification_id)
        answer = self.records.start(verification, reservation, verification_id, record)
        assert isinstance(answer, Started)
        return verification_id

    def apply(self, verification: str, kinds: Iterable[tuple[int, EventKind]]) -> None:
        """Apply events of attempts of a verification, by their number."""
        for number, kind in kinds:
            fields = _record(verification) if kind is EventKind.REQUESTED else {}
            attempt = attempt_id(verification, number)
            self.ledger.apply(
                AttemptEvent(attempt, kind, self.clock.now(), Source.CALLBACK, fields)
            )

    def claim_one(self) -> Claim:
        """Claim the only event that is due."""
        (claim,) = self.outbox.claim(10)
        return claim

    def deliver_all(self) -> list[str]:
        """Settle all events that are due as delivered; returns their ids."""
        ids = []
        while claims := self.outbox.claim(50):
            for claim in claims:
                self.outbox.settle(claim, ACCEPTED)
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
