"""Reads and writes verifications in Redis: their hashes, and the keys that each step touches."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.model.attempt import OverBudget, attempt_id
from core.model.clock import duration_ms, read_ms, to_ms
from core.model.phone_number import PhoneNumber
from core.model.series import carrier_named
from core.model.verification import CancelOutcome, Status, Verification
from core.model.way import Way
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.store.scripts import Scripts
from core.tracking.attempt_poller import FIRST_POLL_AFTER, POLLS_KEPT
from core.verification.check_records import CheckContext, CheckRecords
from core.verification.policy import Policy
from core.verification.send_budgets import Reservation, SendBudgets, with_budgets
from core.verification.send_replies import (
    ResendReply,
    Started,
    StartReply,
    resend_reply,
    start_reply,
)

#: More than any budget allows; each is read when a verification is looked at.
_MOST_ATTEMPTS = 999
#: Of an attempt, by its number: the field with the moment of the first check.
_CHECKED = "checked_ms_"


class VerificationRecords:
    """Reads and writes verifications. `keep` outlasts every lifetime: the moment of expiry decides,
    the TTL only cleans up. If the key went first, a late report would have nothing to attach to.
    `webhooks_enabled`: the scripts queue events for WEBHOOK_URL in the step that makes them true.
    """

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        keyring: Keyring,
        policy: Policy,
        keep: timedelta,
        *,
        webhooks_enabled: bool,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._policy = policy
        self._keep_ms = duration_ms(keep)
        self._queue = [keys.outbox, keys.outbox_events] if webhooks_enabled else []
        self._budgets = SendBudgets(keys, keyring, policy)
        self.checks = CheckRecords(client, scripts, keys, policy, self._queue)
        #: The digest of a client's network, in keys.
        self.client_index = self._budgets.client_index
        self._left_out = LeftOut(client, keys)

    def start(
        self,
        verification: Verification,
        reservation: Reservation,
        idempotency: str,
        record: dict[str, str],
    ) -> StartReply:
        """Reserve and write a verification and its first attempt, which keeps `record`."""
        first = attempt_id(verification.id, 1)
        keys, budgets = with_budgets(
            [
                self._keys.start(idempotency),
                self._keys.verification(verification.id),
                self._keys.spend(reservation.now),
                self._keys.attempt(first),
                self._keys.history(first),
                self._keys.polls,
                self._keys.recent,
                self._keys.number(verification.number_index),
            ],
            self._budgets.of(reservation),
        )
        reply = start_reply(
            self._scripts.run(
                "start_verification",
                [*keys, self._keys.expiries, *self._queue] if self._queue else keys,
                {
                    **self._reserved(verification, reservation),
                    "cooldown_ms": duration_ms(self._policy.cooldown(1)),
                    "expires_ms": to_ms(verification.expires_at) if self._queue else None,
                    "fields": _fields(verification),
                    "record": record,
                    "budgets": budgets,
                },
            ),
            reservation.now,
        )
        if isinstance(reply, Started):
            self._remember(verification, 1)
        return reply

    def resend(
        self,
        verification: Verification,
        reservation: Reservation,
        *,
        seen: int,
        at_once: bool,
        record: dict[str, str],
    ) -> ResendReply:
        """Reserve and write one more attempt, which keeps `record`. `seen` is the number of
        attempts that the caller knows of."""
        following = attempt_id(verification.id, seen + 1)
        keys, budgets = with_budgets(
            [
                self._keys.verification(verification.id),
                self._keys.spend(reservation.now),
                self._keys.attempt(following),
                self._keys.history(following),
                self._keys.polls,
                self._keys.recent,
                self._keys.number(verification.number_index),
            ],
            self._budgets.of(reservation),
        )
        reply = resend_reply(
            self._scripts.run(
                "resend",
                keys,
                {
                    **self._reserved(verification, reservation),
                    "seen": seen,
                    "cooldown_ms": duration_ms(self._policy.cooldown(seen + 1)),
                    "at_once": at_once,
                    "channel": verification.way.channel,
                    "mode": verification.way.mode,
                    "changes": self._keys.changes,
                    "record": record,
                    "budgets": budgets,
                },
            ),
            verification.id,
        )
        if isinstance(reply, Started):
            self._remember(verification, seen + 1)
        return reply

    def give_back(self, attempt: str, reservation: Reservation, before: Verification) -> None:
        """Return what a definitely unsent attempt had reserved, all but the address's budget.

        `before` is the verification as it was: its wait and its way come back too.
        """
        refusals = self._policy.refusals
        self._scripts.run(
            "give_back",
            [
                self._keys.verification(before.id),
                self._keys.spend(reservation.now),
                self._keys.refusals(reservation.number_index),
                *self._budgets.returned_keys(reservation),
            ],
            {
                "entry": reservation.entry(attempt),
                "price_micros": reservation.price_micros,
                "attempts": int(attempt.rpartition("-")[2]),
                "next_send_ms": to_ms(before.next_send_at),
                "channel": before.way.channel,
                "mode": before.way.mode,
                "refusals": {"limit": refusals.limit, "window_ms": duration_ms(refusals.window)},
            },
        )

    def cancel(self, verification: str, now: datetime) -> CancelOutcome:
        """End the verification, if it is open."""
        status: str = self._scripts.run(
            "cancel",
            [self._keys.verification(verification), *self._queue],
            {
                "now_ms": to_ms(now),
                "changes": self._keys.changes,
                "verification": verification,
            },
        )
        match status:
            case "canceled":
                return CancelOutcome.CANCELED
            case "not_found":
                return CancelOutcome.NOT_FOUND
            case _:
                return CancelOutcome.CLOSED

    def get(self, verification: str, now: datetime) -> Verification | None:
        """The verification as of `now`; None when it is unknown, no longer kept, or cannot be
        read."""
        return self._read(
            verification, self._client.hgetall(self._keys.verification(verification)), now
        )

    def get_all(self, verifications: Sequence[str], now: datetime) -> list[Verification]:
        """Those of these verifications that `get` would return, in one round trip."""
        with self._client.pipeline(transaction=False) as pipe:
            for verification in verifications:
                pipe.hgetall(self._keys.verification(verification))
            records = zip(verifications, pipe.execute(), strict=True)
        read = [self._read(verification, record, now) for verification, record in records]
        return [verification for verification in read if verification is not None]

    def _read(
        self, verification: str, record: dict[str, str], now: datetime
    ) -> Verification | None:
        try:
            return _verification(verification, record, now) if record else None
        except (KeyError, ValueError) as error:
            self._left_out.record("verification", verification, error)
            return None

    def spent(self, now: datetime) -> int:
        """Micro-dollars booked on that UTC day."""
        return int(self._client.get(self._keys.spend(now)) or 0)

    def request_of(self, verification: str) -> str | None:
        """What a verification was started with, as its digest; None when it is no longer kept."""
        (request,) = self._client.hmget(self._keys.verification(verification), "request")
        return request

    def _remember(self, verification: Verification, attempts: int) -> None:
        context = CheckContext(
            attempts,
            verification.number_index,
            verification.digits,
            verification.owner,
            self._policy.is_test_number(verification.to),
        )
        self.checks.remember(verification.id, context)

    def _reserved(self, verification: Verification, reservation: Reservation) -> dict[str, Any]:
        """The arguments that both scripts take. The first poll is written with the attempt: if
        this process dies before Plivo has answered, another one settles the attempt."""
        return {
            "now_ms": to_ms(reservation.now),
            "verification": verification.id,
            "keep_ms": self._keep_ms,
            "price_micros": reservation.price_micros,
            "spend_limit_micros": reservation.spend_limit_micros,
            "enforces": self._policy.enforces,
            "poll_at_ms": to_ms(reservation.now + FIRST_POLL_AFTER),
            "poll_keep_ms": duration_ms(POLLS_KEPT),
        }


def _fields(verification: Verification) -> dict[str, str | int]:
    to = verification.to
    return {
        "to": to.e164,
        "to_masked": to.masked,
        "region": to.region,
        "country": to.country,
        "carrier": verification.carrier,
        "language": verification.language,
        **verification.way.fields,
        "digits": verification.digits,
        "started_ms": to_ms(verification.started_at),
        "expires_ms": to_ms(verification.expires_at),
        "checks_left": verification.checks_left,
        "checks_allowed": verification.checks_allowed,
        "number_index": verification.number_index,
        "request": verification.request,
        "owner": verification.owner,
    }


def _verification(verification: str, record: dict[str, str], now: datetime) -> Verification:
    expires_at = read_ms(record["expires_ms"])
    status = Status(record["status"])
    if status is Status.PENDING and now >= expires_at:
        status = Status.EXPIRED
    verified_ms = record.get("verified_ms")
    attempts = int(record["attempts"])
    if attempts > _MOST_ATTEMPTS:
        raise ValueError("no number of attempts")
    return Verification(
        id=verification,
        status=status,
        to=PhoneNumber(
            e164=record["to"],
            masked=record["to_masked"],
            region=record["region"],
            country=record["country"],
        ),
        carrier=carrier_named(record["carrier"]),
        language=record["language"],
        way=Way.of(record["channel"], record["mode"]),
        digits=int(record["digits"]),
        started_at=read_ms(record["started_ms"]),
        expires_at=expires_at,
        checks_left=max(0, int(record["checks_left"])),
        checks_allowed=int(record["checks_allowed"]),
        attempts=attempts,
        next_send_at=read_ms(record["next_send_ms"]),
        number_index=record["number_index"],
        request=record.get("request", ""),
        owner=record.get("owner", ""),
        verified_at=read_ms(verified_ms) if verified_ms else None,
        over_budget=OverBudget.parse(record.get("over_budget")),
        checked_at={
            int(name.removeprefix(_CHECKED)): read_ms(ms)
            for name, ms in record.items()
            if name.startswith(_CHECKED)
        },
    )
