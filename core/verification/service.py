"""Starting, resending, checking and canceling a verification: the rules in their order."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import Protocol

from core.clock import Clock, from_ms, to_ms
from core.delivery.attempt import (
    Attempt,
    AttemptEvent,
    Channel,
    EventKind,
    Mode,
    Source,
    attempt_id,
    verification_of,
)
from core.delivery.ledger import Ledger
from core.errors import AttemptRejected, AttemptUnknown, NumberRefused, ProviderError
from core.grant import INTERNAL, Grant
from core.keyring import Keyring, new_id
from core.provider.language import language_for
from core.provider.request import AttemptRequest
from core.settings import Settings
from core.verification import words
from core.verification.code import Code, code_of, read_entered
from core.verification.model import (
    CancelOutcome,
    CheckOutcome,
    CheckResult,
    SendOutcome,
    SendResult,
    Status,
    Verification,
    View,
)
from core.verification.number import LONGEST_TYPED, PhoneNumber, parse_number
from core.verification.policy import Policy
from core.verification.records import Guess, Known, Reservation, VerificationRecords

log = logging.getLogger(__name__)


class Sender(Protocol):
    """The provider, as far as a verification needs it."""

    def obstacle(self, channel: Channel) -> tuple[str, str] | None:
        """Why a channel cannot be used at all, as (cause, remedy); None when it can."""
        ...

    def calls_back(self, channel: Channel) -> bool:
        """Whether reports on such an attempt arrive by themselves."""
        ...

    def send(self, request: AttemptRequest) -> str:
        """Ask for one attempt; return its reference. Raises AttemptRejected, AttemptUnknown."""
        ...


class Follows(Protocol):
    """Asks after attempts from their reservation on, until their state is final; so it also settles
    those whose sender has died."""

    def forget(self, attempt: str) -> None:
        """It is heard of by itself from now on."""
        ...


class Verifications:
    """The verification service. Every method raises StoreUnavailable when Redis does not answer;
    then nothing was sent that is not recorded, and nothing was approved."""

    def __init__(
        self,
        settings: Settings,
        keyring: Keyring,
        policy: Policy,
        records: VerificationRecords,
        ledger: Ledger,
        sender: Sender,
        follower: Follows,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._keyring = keyring
        self._policy = policy
        self._records = records
        self._ledger = ledger
        self._sender = sender
        self._follower = follower
        self._clock = clock
        # Digests, not codes. Made with the code at the start, so that a check need not derive it.
        self._expected_digest = lru_cache(maxsize=10_000)(self._derive_digest)
        # Whoever guesses guesses again, and to read a number takes as long as to check a code.
        self._number_index = lru_cache(maxsize=10_000)(self._index_of)

    def read_number(
        self, typed: str, *, region: str | None, channel: Channel, mode: Mode
    ) -> PhoneNumber:
        """The number that was typed, if it may be verified that way. Raises NumberRefused."""
        return parse_number(
            typed,
            default_region=region,
            allowed=self._settings.allowed_countries,
            sender=self._settings.sender,
            for_sms=_mode(channel, mode) is Mode.SMS,
        )

    def start(
        self,
        typed: str,
        channel: Channel,
        *,
        grant: Grant,
        idempotency_key: str,
        mode: Mode = Mode.SMS,
        region: str | None = None,
        locale: str | None = None,
        address: str | None = None,
    ) -> SendResult:
        """Start a verification and send its code, once for each `idempotency_key`: the same request
        again is a `DUPLICATE`, another one with that key is `KEY_REUSED`. `grant` is what who asks
        may do; a send that it does not cover is `NOT_ALLOWED`.

        `mode` matters to a PHLO only; `region` is where a national number is from; `locale` and the
        number's country choose the language; `address` is the client's, for its budget.
        """
        mode = _mode(channel, mode)
        if grant.refusal is not None:
            return SendResult(SendOutcome.NOT_ALLOWED, None, None, *grant.refusal)
        try:
            number = self.read_number(typed, region=region, channel=channel, mode=mode)
        except NumberRefused as error:
            return SendResult(SendOutcome.NUMBER_REFUSED, cause=error.cause, remedy=error.remedy)
        if not grant.covers(number.region):
            return _refused(None, SendOutcome.NOT_ALLOWED, "country", 0)
        if obstacle := self._sender.obstacle(channel):
            return SendResult(
                SendOutcome.CHANNEL_UNAVAILABLE, cause=obstacle[0], remedy=obstacle[1]
            )
        verification = self._new(number, channel, mode, locale, grant)
        reservation = self._reservation(verification, address, grant)
        idempotency = self._keyring.index("start", idempotency_key)
        record = _record_of(verification)
        answer, *details = self._records.start(verification, reservation, idempotency, record)
        if answer == "duplicate":
            made = str(details[0])
            if self._records.request_of(made) in {None, verification.request}:
                return SendResult(SendOutcome.DUPLICATE, made)
            return _refused(None, SendOutcome.KEY_REUSED, "", 0)
        if answer != "started":
            return self._over(None, str(answer), str(details[0]), int(details[1]))
        return self._send(verification, 1, reservation, verification)

    def resend(
        self,
        verification: str,
        *,
        grant: Grant,
        seen: int,
        call: bool = False,
        address: str | None = None,
    ) -> SendResult:
        """Send the same code again, by the same channel, or `call` in place of a message. What the
        grant does not cover is `NOT_ALLOWED`; another one's verification is `NOT_FOUND`.

        `seen` is the number of attempts that the caller knew of: two clicks on one view send once.
        """
        now = self._clock.now()
        view = self.look(verification, grant)
        if view is None:
            return _refused(None, SendOutcome.NOT_FOUND, "", 0)
        if grant.refusal is not None:
            return SendResult(SendOutcome.NOT_ALLOWED, verification, None, *grant.refusal)
        current = view.verification
        if not grant.covers(current.region):
            return _refused(verification, SendOutcome.NOT_ALLOWED, "country", 0)
        channel, mode, at_once = current.channel, current.mode, False
        if call and mode is Mode.SMS:
            channel = Channel.PHLO if channel is Channel.PHLO else Channel.VOICE
            mode = Mode.CALL
            offer = view.call_offer
            at_once = offer is not None and now >= offer.at
        if obstacle := self._sender.obstacle(channel):
            return SendResult(
                SendOutcome.CHANNEL_UNAVAILABLE, verification, None, obstacle[0], obstacle[1]
            )
        reservation = self._reservation(current, address, grant)
        changed = replace(current, channel=channel, mode=mode)
        answer, *details = self._records.resend(
            changed,
            reservation,
            seen=seen,
            at_once=at_once,
            record=_record_of(changed, view.attempts[0] if view.attempts else None),
        )
        match answer:
            case "started":
                before = replace(current, next_send_at=from_ms(details[0]))
                return self._send(changed, seen + 1, reservation, before)
            case "duplicate":
                return SendResult(SendOutcome.DUPLICATE, verification)
            case "not_found":
                return _refused(None, "not_found", "", 0)
            case "closed":
                return _refused(verification, "closed", str(details[0]), 0)
            case _:
                return self._over(verification, str(answer), str(details[0]), int(details[1]))

    def check(self, verification: str, entered: str, grant: Grant = INTERNAL) -> CheckResult:
        """Check what a person entered: counted first, then compared, and used up when it is right.
        A verification that the grant does not reach is `NOT_FOUND`, as an unknown one is.

        Text that cannot be a code at all is `MALFORMED` and not counted.
        """
        # Not by check_all: what a batch needs would be a tenth of the time of one check.
        known = self._records.known([verification]).get(verification)
        if known is not None and not grant.may_touch(known.owner):
            known = None
        read = self._read(verification, known, entered)
        if isinstance(read, CheckResult):
            return read
        return _checked(*self._records.check_one(read, self._clock.now()))

    def check_all(self, entered: Sequence[tuple[str, str]]) -> list[CheckResult]:
        """`check` of many at once (verification, what was entered), in their order, each as if it
        came alone, in one round trip."""
        known = self._records.known(dict.fromkeys(one for one, _ in entered))
        read = [self._read(one, known.get(one), text) for one, text in entered]
        guesses = [one for one in read if isinstance(one, Guess)]
        answers = iter(self._records.check(guesses, self._clock.now()))
        return [one if isinstance(one, CheckResult) else _checked(*next(answers)) for one in read]

    def _read(self, verification: str, known: Known | None, entered: str) -> Guess | CheckResult:
        """What was entered, ready to be checked; or how that ends without."""
        if known is None:
            return CheckResult(CheckOutcome.NOT_FOUND)
        code = read_entered(entered, known.digits)
        if code is None:
            return CheckResult(CheckOutcome.MALFORMED)
        digest = self._keyring.code_digest(verification, code)
        return Guess(verification, known, digest, self._expected_digest(verification, known.digits))

    def check_newest(self, entered: Sequence[tuple[str, str]]) -> list[CheckResult]:
        """`check_all` for callers that know a number only (number, what was entered): against its
        newest verification. A number that cannot be one is `NOT_FOUND`, as an unknown one is."""
        # What is too long to be a number is not remembered either.
        indexes = [
            self._number_index(typed) if len(typed) <= LONGEST_TYPED else "" for typed, _ in entered
        ]
        newest = self._ledger.newest_of_numbers({index for index in indexes if index})
        # No verification is named "": it is not found.
        named = [verification_of(newest.get(index, "")) for index in indexes]
        texts = (text for _, text in entered)
        return self.check_all(list(zip(named, texts, strict=True)))

    def cancel(self, verification: str, grant: Grant = INTERNAL) -> CancelOutcome:
        """End an open verification; its code is refused from now on."""
        if not grant.touches_all and self.look(verification, grant) is None:
            return CancelOutcome.NOT_FOUND
        answer = self._records.cancel(verification, self._clock.now())
        if answer in {CancelOutcome.CANCELED, CancelOutcome.NOT_FOUND}:
            return CancelOutcome(answer)
        return CancelOutcome.CLOSED

    def look(self, verification: str, grant: Grant = INTERNAL) -> View | None:
        """The verification with its attempts, as of now; None when it is not known (any more), or
        not to the holder of this grant."""
        now = self._clock.now()
        found = self._records.get(verification, now)
        if found is None or not grant.may_touch(found.owner):
            return None
        attempts = [
            _with_checks(attempt, found) for attempt in self._ledger.attempts(found.attempt_ids)
        ]
        offer = None
        if attempts and found.status is Status.PENDING:
            offer = self._policy.call_offer(attempts[-1], found.next_send_at)
        return View(found, attempts, now, offer)

    def spent_today(self) -> Decimal:
        """US dollars that the sends of this UTC day are booked at."""
        return Decimal(self._records.spent(self._clock.now())) / 1_000_000

    def code_for(self, verification: Verification) -> Code:
        """The code of an open verification, to be spoken in a call."""
        return code_of(self._keyring, verification.id, verification.digits)

    def _index_of(self, typed: str) -> str:
        """The digest of a number, "" for what cannot be one."""
        try:
            number = parse_number(typed, default_region=None, for_sms=False)
        except NumberRefused:
            return ""
        return self._keyring.index("number", number.e164)

    def _derive_digest(self, verification: str, digits: int) -> str:
        code = code_of(self._keyring, verification, digits)
        return self._keyring.code_digest(verification, code.reveal())

    def _over(self, verification: str | None, answer: str, why: str, retry_ms: int) -> SendResult:
        """A refusal by a budget, which is counted: it may be somebody's attack. A cooldown is not,
        since it is anybody's impatience."""
        if answer in {SendOutcome.OVER_BUDGET, SendOutcome.LOCKED}:
            self._ledger.count(f"refused_{why}")
        return _refused(verification, answer, why, retry_ms)

    def _new(
        self, number: PhoneNumber, channel: Channel, mode: Mode, locale: str | None, grant: Grant
    ) -> Verification:
        now = self._clock.now()
        return Verification(
            id=new_id(),
            status=Status.PENDING,
            to=number.e164,
            to_masked=number.masked,
            region=number.region,
            country=number.country,
            carrier=number.carrier,
            language=language_for(locale, number.region).value,
            channel=channel,
            mode=mode,
            digits=self._settings.code_length,
            started_at=now,
            expires_at=now + timedelta(seconds=self._settings.lifetime_seconds),
            checks_left=self._settings.checks_per_verification,
            checks_allowed=self._settings.checks_per_verification,
            attempts=1,
            next_send_at=now,
            number_index=self._keyring.index("number", number.e164),
            request=self._keyring.index("request", "\0".join((number.e164, channel, mode))),
            owner=grant.owner,
        )

    def _reservation(
        self, verification: Verification, address: str | None, grant: Grant
    ) -> Reservation:
        return Reservation(
            now=self._clock.now(),
            price_micros=int(self._settings.assumed_price * 1_000_000),
            spend_limit_micros=int(self._settings.spend_per_day * 1_000_000),
            region=verification.region,
            prefix=verification.to[:-4],
            number_index=verification.number_index,
            address=_network(address),
            allowance=grant.allowance,
        )

    def _send(
        self,
        verification: Verification,
        number: int,
        reservation: Reservation,
        before: Verification,
    ) -> SendResult:
        """Send an attempt that is reserved and written; `before` is what a refusal goes back to."""
        attempt = attempt_id(verification.id, number)
        self._expected_digest(verification.id, verification.digits)
        request = AttemptRequest(
            attempt=attempt,
            channel=verification.channel,
            mode=verification.mode,
            to=verification.to,
            digits=self.code_for(verification).reveal(),
            minutes=self._settings.lifetime_minutes,
        )
        try:
            reference = self._sender.send(request)
        except AttemptRejected as error:
            self._book(attempt, EventKind.REJECTED, _said(error))
            self._records.give_back(attempt, reservation, before)
            self._follower.forget(attempt)
            return SendResult(
                SendOutcome.REJECTED, verification.id, None, error.cause, error.remedy
            )
        except AttemptUnknown as error:
            self._book(attempt, EventKind.UNCONFIRMED, _said(error))
            self._follower.forget(attempt)
            return SendResult(SendOutcome.UNKNOWN, verification.id, None, error.cause, error.remedy)
        self._book(attempt, EventKind.ACCEPTED, {"reference": reference} if reference else {})
        if self._sender.calls_back(verification.channel):
            self._follower.forget(attempt)
        return SendResult(SendOutcome.SENT, verification.id)

    def _book(self, attempt: str, kind: EventKind, fields: dict[str, str]) -> None:
        self._ledger.apply(AttemptEvent(attempt, kind, self._clock.now(), Source.APP, fields))


def _mode(channel: Channel, mode: Mode) -> Mode:
    match channel:
        case Channel.SMS:
            return Mode.SMS
        case Channel.VOICE:
            return Mode.CALL
        case Channel.PHLO:
            return mode


def _network(address: str | None) -> str | None:
    """What one client has one of: an IPv4 address, also where a server that listens to both kinds
    writes it as ::ffff:192.0.2.1, or the /64 of an IPv6 address."""
    if address is None or ":" not in address:
        return address
    try:
        one = IPv6Address(address)
    except ValueError:
        return address
    return str(one.ipv4_mapped or IPv6Network((int(one), 64), strict=False))


def _record_of(verification: Verification, first: Attempt | None = None) -> dict[str, str]:
    """What an attempt keeps of its verification; no number, only its mask and its digest. `first`
    is the verification's first attempt where this is a later one."""
    origin = {"origin": "first"}
    if first is not None:
        same = (first.channel, first.mode) == (verification.channel, verification.mode)
        origin = {
            "origin": "resend" if same else "fallback",
            "first_channel": first.channel,
            "first_ms": str(to_ms(first.moments[EventKind.REQUESTED])),
        }
    return origin | {
        "number_index": verification.number_index,
        "channel": verification.channel,
        "mode": verification.mode,
        "to_masked": verification.to_masked,
        "region": verification.region,
        "carrier": verification.carrier,
    }


def _with_checks(attempt: Attempt, verification: Verification) -> Attempt:
    """The attempt with what people did about it. The newest one gets the credit (last touch)."""
    moments = dict(attempt.moments)
    if attempt.number in verification.checked_at:
        moments[EventKind.CHECKED] = verification.checked_at[attempt.number]
    if verification.verified_at is not None and attempt.number == verification.attempts:
        moments[EventKind.VERIFIED] = verification.verified_at
    return replace(attempt, moments=moments)


def _said(error: ProviderError) -> dict[str, str]:
    return {"cause": error.cause, "remedy": error.remedy}


def _checked(outcome: str, left: int, retry_ms: int) -> CheckResult:
    retry = timedelta(milliseconds=retry_ms) if retry_ms else None
    return CheckResult(CheckOutcome(outcome), left, retry)


def _refused(verification: str | None, answer: str, why: str, retry_ms: int) -> SendResult:
    outcome = SendOutcome(answer)
    retry = timedelta(milliseconds=retry_ms) if retry_ms else None
    cause, remedy = words.send_refusal(outcome, why, retry)
    return SendResult(outcome, verification, retry, cause, remedy)
