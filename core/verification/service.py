"""Starts, resends, checks and cancels verifications: the rules in their order."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol

import phonenumbers

from core.ledger.ledger import Ledger
from core.model.attempt import (
    Attempt,
    AttemptEvent,
    EventKind,
    Source,
    attempt_id,
)
from core.model.clock import Clock, to_ms
from core.model.errors import AttemptRejected, AttemptUnknown, NumberRefused, ProviderError
from core.model.grant import INTERNAL, Grant
from core.model.verification import (
    CancelOutcome,
    CheckResult,
    SendOutcome,
    SendResult,
    Status,
    Verification,
    View,
)
from core.model.way import Way
from core.plivo.language import language_for
from core.plivo.request import AttemptRequest
from core.settings.keyring import Keyring, new_id
from core.settings.settings import Settings
from core.verification.checking import Checking, EnteredCode
from core.verification.code import Code, code_of
from core.verification.number.parse import AmbiguousNumber, PhoneNumber, example_for, parse_number
from core.verification.policy import Policy
from core.verification.records import VerificationRecords
from core.verification.refusals import refused, refused_by_budget
from core.verification.reservations import Reservations
from core.verification.send_budgets import Reservation
from core.verification.send_replies import (
    BudgetSpent,
    Closed,
    Duplicate,
    NotAllowed,
    NotFound,
    NumberLocked,
    Started,
    TooSoon,
)
from core.verification.send_slots import RETRY_AFTER, SendSlots

log = logging.getLogger(__name__)

P = ParamSpec("P")


class Provider(Protocol):
    """The provider, as far as a verification needs it."""

    def obstacle(self, way: Way) -> tuple[str, str] | None:
        """Why a way cannot be used at all, as (cause, remedy); None when it can."""
        ...

    def calls_back(self, way: Way) -> bool:
        """Whether reports on such an attempt arrive by themselves."""
        ...

    def send(self, request: AttemptRequest) -> str:
        """Ask for one attempt; return its reference. Raises AttemptRejected, AttemptUnknown."""
        ...


def _in_slot(
    send: Callable[Concatenate["Verifications", P], SendResult],
) -> Callable[Concatenate["Verifications", P], SendResult]:
    """Decorates a method that may wait for Plivo. It is refused as `BUSY`, before it reads or
    writes anything, while too many sends wait already."""

    @wraps(send)
    def bounded(self: "Verifications", /, *args: P.args, **kwargs: P.kwargs) -> SendResult:
        with self.send_slots.take() as has_slot:
            if has_slot:
                return send(self, *args, **kwargs)
        log.warning("send refused: all send slots are taken")
        return refused(None, SendOutcome.BUSY, retry_after=RETRY_AFTER)

    return bounded


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
        provider: Provider,
        stop_polling: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._keyring = keyring
        self._policy = policy
        self._records = records
        self._ledger = ledger
        self._provider = provider
        self._stop_polling = stop_polling
        self._clock = clock
        self.send_slots = SendSlots()
        self._reservations = Reservations(settings, policy, ledger, clock)
        self._checking = Checking(
            keyring,
            records.checks,
            ledger,
            clock,
            number_index=self._index_of,
            client_index=records.client_index,
        )

    def read_number(self, typed: str, *, region: str | None, way: Way) -> PhoneNumber:
        """The number that was typed, if it may be verified that way. Raises NumberRefused."""
        return parse_number(
            typed,
            default_region=region,
            allowed=self._settings.allowed_countries,
            sender=self._settings.sender,
            for_sms=not way.is_call,
            accept_fictional=self._settings.is_sandbox,
        )

    def find_number(self, typed: str, *, region: str | None) -> PhoneNumber:
        """The number that was typed, whether or not it may be verified now: for finding its
        attempts. Raises NumberRefused."""
        return parse_number(
            typed,
            default_region=region,
            for_sms=False,
            accept_fictional=self._settings.is_sandbox,
        )

    def number_index(self, e164: str) -> str:
        """The digest by which the attempts to a number are found."""
        return self._keyring.index("number", e164)

    def example(self, region: str | None, *, ending: str = "") -> str:
        """An example of a number that may be verified; "" if none has that `ending`."""
        example = example_for(region, self._settings.allowed_countries)
        if not ending:
            return example
        digits = phonenumbers.normalize_digits_only(example)
        try:
            number = self.read_number(
                f"+{digits[: -len(ending)]}{ending}",
                region=None,
                way=Way.SMS,
            )
        except NumberRefused:
            return ""
        return number.international

    def example_e164(self) -> str:
        """The example for programs: of DEFAULT_REGION where that may be verified."""
        example = self.example(self._settings.default_region)
        return f"+{phonenumbers.normalize_digits_only(example)}"

    @_in_slot
    def start(
        self,
        typed: str,
        way: Way,
        *,
        grant: Grant,
        idempotency_key: str,
        region: str | None = None,
        locale: str | None = None,
        address: str | None = None,
    ) -> SendResult:
        """Start a verification and send its code, once for each `idempotency_key`: the same request
        again is a `DUPLICATE`, another one with that key is `KEY_REUSED`. `grant` is what the
        caller may do; a send that it does not cover is `NOT_ALLOWED`.

        `region` is where a national number is from; `locale` and the number's country choose the
        language; `address` is the client's, for its budget.
        """
        if grant.refusal is not None:
            return SendResult(SendOutcome.NOT_ALLOWED, None, None, *grant.refusal)
        try:
            number = self.read_number(typed, region=region, way=way)
        except AmbiguousNumber as error:
            return SendResult(
                SendOutcome.AMBIGUOUS,
                cause=error.cause,
                remedy=error.remedy,
                candidates=error.candidates,
            )
        except NumberRefused as error:
            return SendResult(SendOutcome.NUMBER_REFUSED, cause=error.cause, remedy=error.remedy)
        if not grant.covers(number.region):
            return refused(None, SendOutcome.NOT_ALLOWED, "country")
        if obstacle := self._provider.obstacle(way):
            return SendResult(
                SendOutcome.CHANNEL_UNAVAILABLE, cause=obstacle[0], remedy=obstacle[1]
            )
        if budget := self._policy.always_refuses(number.e164):
            return refused_by_budget(
                self._ledger, None, BudgetSpent(budget.name, budget.window, budget.limit)
            )
        verification = self._new(number, way, locale, grant)
        reservation = self._reservations.reserve(verification, address, grant)
        idempotency = self._keyring.index("start", idempotency_key)
        record = _record_of(verification)
        reply = self._records.start(verification, reservation, idempotency, record)
        match reply:
            case Started():
                return self._send(verification, 1, reservation, verification)
            case Duplicate(existing):
                if self._records.request_of(existing) in {None, verification.request}:
                    return SendResult(SendOutcome.DUPLICATE, existing)
                return refused(None, SendOutcome.KEY_REUSED)
            case BudgetSpent() | NumberLocked() | NotAllowed():
                return refused_by_budget(self._ledger, None, reply)

    @_in_slot
    def resend(
        self,
        verification: str,
        *,
        grant: Grant,
        seen: int,
        call: bool = False,
        message: bool = False,
        address: str | None = None,
    ) -> SendResult:
        """Send the same code again: the same way, or by a `call` or a `message`. What the grant
        does not cover is `NOT_ALLOWED`; a verification of another owner is `NOT_FOUND`.

        `seen` is the number of attempts that the caller knew of: two clicks on one view send once.
        """
        now = self._clock.now()
        view = self.look(verification, grant)
        if view is None:
            return refused(None, SendOutcome.NOT_FOUND)
        if grant.refusal is not None:
            return SendResult(SendOutcome.NOT_ALLOWED, verification, None, *grant.refusal)
        current = view.verification
        if not grant.covers(current.region):
            return refused(verification, SendOutcome.NOT_ALLOWED, "country")
        way = current.way
        if call or message:
            way = way.as_call if call else way.as_message
        offer = view.fallback
        is_offered = offer is not None and offer.way is way and now >= offer.at
        at_once = is_offered or now >= current.next_send_at
        if obstacle := self._provider.obstacle(way):
            return SendResult(
                SendOutcome.CHANNEL_UNAVAILABLE, verification, None, obstacle[0], obstacle[1]
            )
        reservation = self._reservations.reserve(current, address, grant)
        changed = replace(current, way=way)
        reply = self._records.resend(
            changed,
            reservation,
            seen=seen,
            at_once=at_once,
            record=_record_of(changed, view.attempts[0] if view.attempts else None),
        )
        match reply:
            case Started(next_send_at):
                before = replace(current, next_send_at=next_send_at)
                return self._send(changed, seen + 1, reservation, before)
            case Duplicate():
                return SendResult(SendOutcome.DUPLICATE, verification)
            case NotFound():
                return refused(None, SendOutcome.NOT_FOUND)
            case Closed(status):
                return refused(verification, SendOutcome.CLOSED, status)
            case TooSoon(retry_after):
                return refused(verification, SendOutcome.TOO_SOON, "cooldown", retry_after)
            case BudgetSpent() | NumberLocked() | NotAllowed():
                return refused_by_budget(self._ledger, verification, reply)

    def check(
        self,
        verification: str,
        entered: str,
        grant: Grant = INTERNAL,
        *,
        address: str | None = None,
    ) -> CheckResult:
        """See Checking.check."""
        return self._checking.check(verification, entered, grant, address=address)

    def check_all(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """See Checking.check_all."""
        return self._checking.check_all(entries)

    def check_newest(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """See Checking.check_newest."""
        return self._checking.check_newest(entries)

    def cancel(self, verification: str, grant: Grant = INTERNAL) -> CancelOutcome:
        """End an open verification; its code is refused from now on."""
        if not grant.touches_all and self.look(verification, grant) is None:
            return CancelOutcome.NOT_FOUND
        return self._records.cancel(verification, self._clock.now())

    def look(self, verification: str, grant: Grant = INTERNAL) -> View | None:
        """The verification with its attempts, as of now; None when it is not kept (any more), or
        the grant does not reach it."""
        now = self._clock.now()
        kept = self._records.get(verification, now)
        if kept is None or not grant.may_touch(kept.owner):
            return None
        attempts = [
            _with_checks(attempt, kept) for attempt in self._ledger.attempts(kept.attempt_ids)
        ]
        offer = None
        if attempts and kept.status is Status.PENDING:
            next_send = self._policy.next_send(attempts, kept.next_send_at)
            kept = replace(kept, next_send_at=next_send)
            offer = self._policy.fallback(kept.way, attempts, next_send)
            if offer and not self._can_use(offer.way, kept.to):
                offer = None
        return View(kept, attempts, now, offer)

    def _can_use(self, way: Way, number: str) -> bool:
        if self._provider.obstacle(way):
            return False
        if not way.is_call:
            # A landline can be called only.
            try:
                self.read_number(number, region=None, way=way)
            except NumberRefused:
                return False
        return True

    def spent_today(self) -> Decimal:
        """US dollars booked for the sends of this UTC day."""
        return Decimal(self._records.spent(self._clock.now())) / 1_000_000

    def code_for(self, verification: Verification) -> Code:
        """The code of an open verification, to be spoken in a call."""
        return code_of(self._keyring, verification.id, verification.digits)

    def _index_of(self, typed: str) -> str:
        """The digest of a typed number, "" for text that cannot be a number."""
        try:
            number = self.find_number(typed, region=None)
        except NumberRefused:
            return ""
        return self._keyring.index("number", number.e164)

    def _new(self, number: PhoneNumber, way: Way, locale: str | None, grant: Grant) -> Verification:
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
            way=way,
            digits=self._settings.code_length,
            started_at=now,
            expires_at=now + timedelta(seconds=self._settings.lifetime_seconds),
            checks_left=self._settings.checks_per_verification,
            checks_allowed=self._settings.checks_per_verification,
            attempts=1,
            next_send_at=now,
            number_index=self._keyring.index("number", number.e164),
            request=self._keyring.index("request", "\0".join((number.e164, way.channel, way.mode))),
            owner=grant.owner,
        )

    def _send(
        self,
        verification: Verification,
        number: int,
        reservation: Reservation,
        before: Verification,
    ) -> SendResult:
        """Send an attempt that is reserved and written; a refusal restores `before`."""
        attempt = attempt_id(verification.id, number)
        self._checking.expected_digest(verification.id, verification.digits)
        request = AttemptRequest(
            attempt=attempt,
            way=verification.way,
            to=verification.to,
            digits=self.code_for(verification).reveal(),
            minutes=self._settings.lifetime_minutes,
        )
        try:
            reference = self._provider.send(request)
        except AttemptRejected as error:
            self._book(attempt, EventKind.REJECTED, _reason(error))
            self._records.give_back(attempt, reservation, before)
            self._stop_polling(attempt)
            return SendResult(
                SendOutcome.REJECTED, verification.id, None, error.cause, error.remedy
            )
        except AttemptUnknown as error:
            self._book(attempt, EventKind.UNCONFIRMED, _reason(error))
            self._ledger.leave_out(attempt, error.unreadable)
            self._stop_polling(attempt)
            return SendResult(SendOutcome.UNKNOWN, verification.id, None, error.cause, error.remedy)
        self._book(attempt, EventKind.ACCEPTED, {"reference": reference} if reference else {})
        if self._provider.calls_back(verification.way):
            self._stop_polling(attempt)
        return SendResult(SendOutcome.SENT, verification.id)

    def _book(self, attempt: str, kind: EventKind, fields: dict[str, str]) -> None:
        self._ledger.apply(AttemptEvent(attempt, kind, self._clock.now(), Source.APP, fields))


def _record_of(verification: Verification, first: Attempt | None = None) -> dict[str, str]:
    """What an attempt keeps of its verification: of the number only the mask and the digest.
    `first` is the verification's first attempt where this is a later one."""
    origin = {"origin": "first"}
    if first is not None:
        origin = {
            "origin": "resend" if first.way is verification.way else "fallback",
            "first_channel": first.way.channel,
            "first_ms": str(to_ms(first.moments[EventKind.REQUESTED])),
        }
    return origin | {
        "number_index": verification.number_index,
        **verification.way.fields,
        "to_masked": verification.to_masked,
        "region": verification.region,
        "carrier": verification.carrier,
    }


def _with_checks(attempt: Attempt, verification: Verification) -> Attempt:
    """The attempt with the moments of its checks. The newest attempt is credited (last touch)."""
    moments = dict(attempt.moments)
    if attempt.number in verification.checked_at:
        moments[EventKind.CHECKED] = verification.checked_at[attempt.number]
    if verification.verified_at is not None and attempt.number == verification.attempts:
        moments[EventKind.VERIFIED] = verification.verified_at
    return replace(attempt, moments=moments)


def _reason(error: ProviderError) -> dict[str, str]:
    return {"cause": error.cause, "remedy": error.remedy}
