"""Starts, resends, checks and cancels verifications: the rules in their order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.ledger.ledger import Ledger
from core.model.clock import Clock
from core.model.code import Code
from core.model.errors import NumberRefused
from core.model.grant import INTERNAL, Grant
from core.model.language import language_for
from core.model.phone_number import ParsedNumber, PhoneNumber
from core.model.series import carrier_named
from core.model.verification import (
    CancelOutcome,
    CheckResult,
    SendOutcome,
    SendResult,
    Status,
    Verification,
    View,
)
from core.model.way import Mode, Way
from core.settings.keyring import Keyring, new_id
from core.settings.settings import Settings
from core.store.refusals import RefusalCounter
from core.verification.attempt_fields import record_of, views_of, with_checks
from core.verification.checking import Checking, EnteredCode
from core.verification.codes import Codes, read_fixed_codes
from core.verification.number.parse import AmbiguousNumber
from core.verification.numbers import Numbers
from core.verification.policy import Policy
from core.verification.records import VerificationRecords
from core.verification.refusals import refused, refused_by_budget
from core.verification.reservations import Reservations
from core.verification.send_replies import (
    Closed,
    Duplicate,
    NotFound,
    RefusedByBudget,
    Started,
    TooSoon,
)
from core.verification.send_slots import SendSlots, in_slot
from core.verification.sending import Provider, Sending


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
        refusals: RefusalCounter,
        provider: Provider,
        stop_polling: Callable[[str], None],
        clock: Clock,
        on_unclear: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._keyring = keyring
        self._policy = policy
        self._records = records
        self._ledger = ledger
        self._refusals = refusals
        self._provider = provider
        self._clock = clock
        self.send_slots = SendSlots()
        self.numbers = Numbers(settings, keyring)
        self._reservations = Reservations(settings, policy, ledger, clock)
        self._codes = Codes(keyring, read_fixed_codes(settings, self.numbers))
        self._checking = Checking(
            keyring,
            self._codes,
            records.checks,
            ledger,
            clock,
            number_index=self.numbers.index_of_typed,
            client_index=records.client_index,
        )
        self._sending = Sending(
            settings,
            self._codes,
            records,
            ledger,
            provider,
            clock,
            expected_digest=self._checking.expected_digest,
            stop_polling=stop_polling,
            on_unclear=on_unclear,
        )

    @in_slot
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
            number = self.numbers.read(typed, region=region, way=way)
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
        verification = self._new(number, way, locale, grant)
        if budget := self._policy.always_refuses(number):
            refusal = RefusedByBudget(SendOutcome.OVER_BUDGET, budget.name, budget.window)
            return refused_by_budget(self._refusals, verification, refusal, is_resend=False)
        reservation = self._reservations.reserve(verification, address, grant)
        idempotency = self._keyring.idempotency_index(idempotency_key)
        record = record_of(verification)
        reply = self._records.start(verification, reservation, idempotency, record)
        match reply:
            case Started():
                return self._sending.send(verification, 1, reservation, verification)
            case Duplicate(existing):
                if self._records.request_of(existing) in {None, verification.request}:
                    return SendResult(SendOutcome.DUPLICATE, existing)
                return refused(None, SendOutcome.KEY_REUSED)
            case RefusedByBudget():
                return refused_by_budget(self._refusals, verification, reply, is_resend=False)

    @in_slot
    def resend(
        self,
        verification: str,
        *,
        grant: Grant,
        seen: int,
        mode: Mode | None = None,
        address: str | None = None,
    ) -> SendResult:
        """Send the same code again: the same way, or as a message or a call with `mode`. What the
        grant does not cover is `NOT_ALLOWED`; a verification of another owner is `NOT_FOUND`.

        `seen` is the number of attempts that the caller knew of: two clicks on one view send once.
        """
        now = self._clock.now()
        view = self.look(verification, grant)
        if view is None:
            return refused(None, SendOutcome.NOT_FOUND)
        if grant.refusal is not None:
            return SendResult(SendOutcome.NOT_ALLOWED, verification, None, *grant.refusal)
        current = view.verification
        if not grant.covers(current.to.region):
            return refused(verification, SendOutcome.NOT_ALLOWED, "country")
        way = current.way if mode is None else current.way.in_mode(mode)
        offer = view.fallback
        is_offered = offer is not None and offer.way is way and now >= offer.at
        # A caller that knows of a newer attempt than this view has its cooldown to wait for.
        at_once = seen == current.attempts and (is_offered or now >= current.next_send_at)
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
            record=record_of(changed, view.attempts[0] if view.attempts else None),
        )
        match reply:
            case Started(next_send_at):
                before = replace(current, next_send_at=next_send_at)
                return self._sending.send(changed, seen + 1, reservation, before)
            case Duplicate():
                return SendResult(SendOutcome.DUPLICATE, verification)
            case NotFound():
                return refused(None, SendOutcome.NOT_FOUND)
            case Closed(status):
                return refused(verification, SendOutcome.CLOSED, status)
            case TooSoon(retry_after):
                return refused(verification, SendOutcome.TOO_SOON, "cooldown", retry_after)
            case RefusedByBudget():
                return refused_by_budget(self._refusals, changed, reply, is_resend=True)

    def check(
        self,
        verification: str,
        entered: str,
        grant: Grant = INTERNAL,
        *,
        address: str | None = None,
    ) -> CheckResult:
        """Check an entered code: counted first, then compared, and used up when it is right. What
        the grant does not reach is `NOT_FOUND`. `address` is the client's, for its budget."""
        return self._checking.check(verification, entered, grant, address=address)

    def check_all(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """`check` of many at once, in their order, each as if it came alone."""
        return self._checking.check_all(entries)

    def check_newest(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """`check_all` for callers that know only a number: against its newest verification."""
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
            with_checks(attempt, kept) for attempt in self._ledger.attempts(kept.attempt_ids)
        ]
        offer = None
        if attempts and kept.status is Status.PENDING:
            next_send = self._policy.next_send(attempts, kept.next_send_at)
            kept = replace(kept, next_send_at=next_send)
            offer = self._policy.fallback(kept.way, attempts, next_send)
            if offer and not self._can_use(offer.way, kept.to):
                offer = None
        return View(kept, attempts, now, offer)

    def look_all(self, verifications: Sequence[str], grant: Grant) -> list[View]:
        """What `look` returns for each of these that it reaches, in two round trips and without
        `fallback`."""
        now = self._clock.now()
        read = self._records.get_all(verifications, now)
        kept = [each for each in read if grant.may_touch(each.owner)]
        attempts = self._ledger.attempts([name for each in kept for name in each.attempt_ids])
        return views_of(kept, attempts, now)

    def _can_use(self, way: Way, number: PhoneNumber) -> bool:
        if self._provider.obstacle(way):
            return False
        if not way.is_call:
            # A landline can be called only.
            try:
                self.numbers.read(number.e164, region=None, way=way)
            except NumberRefused:
                return False
        return True

    def spent_today(self) -> Decimal:
        """US dollars booked for the sends of this UTC day."""
        return Decimal(self._records.spent(self._clock.now())) / 1_000_000

    def code_for(self, verification: Verification) -> Code:
        """The code of an open verification, to be spoken in a call."""
        return self._codes.of(verification.id, verification.digits, verification.number_index)

    def _new(
        self, number: ParsedNumber, way: Way, locale: str | None, grant: Grant
    ) -> Verification:
        now = self._clock.now()
        return Verification(
            id=new_id(),
            status=Status.PENDING,
            to=number,
            carrier=carrier_named(number.carrier),
            language=language_for(locale, number.region).value,
            way=way,
            digits=self._settings.code_length,
            started_at=now,
            expires_at=now + timedelta(seconds=self._settings.lifetime_seconds),
            checks_left=self._settings.checks_per_verification,
            checks_allowed=self._settings.checks_per_verification,
            attempts=1,
            next_send_at=now,
            number_index=self._keyring.number_index(number.e164),
            request=self._keyring.request_index(number, way),
            owner=grant.owner,
        )
