"""Starting, resending, checking and canceling a verification: the rules in their order."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache, wraps
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Concatenate, NamedTuple, ParamSpec, Protocol

import phonenumbers

from core.ledger.ledger import Ledger
from core.model.attempt import (
    Attempt,
    AttemptEvent,
    EventKind,
    OverBudget,
    Source,
    attempt_id,
    verification_of,
)
from core.model.clock import Clock, from_ms, to_ms
from core.model.errors import AttemptRejected, AttemptUnknown, NumberRefused, ProviderError
from core.model.grant import INTERNAL, Grant
from core.model.verification import (
    CancelOutcome,
    CheckOutcome,
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
from core.verification.code import Code, code_of, read_entered
from core.verification.number.parse import AmbiguousNumber, PhoneNumber, example_for, parse_number
from core.verification.number.typed import LONGEST_TYPED
from core.verification.policy import Policy
from core.verification.records import CheckContext, Guess, Reservation, VerificationRecords
from core.verification.send_slots import RETRY_AFTER, SendSlots
from core.wording import verification as words

log = logging.getLogger(__name__)

P = ParamSpec("P")

#: The ledger counter of sends whose client had no address, where they share a budget.
WITHOUT_ADDRESS = "sends_without_address"


class EnteredCode(NamedTuple):
    """A code to check: `of` a verification, or of a number; `address` is the client address."""

    of: str
    text: str
    address: str | None = None


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


class Follows(Protocol):
    """Asks after attempts from their reservation on, until their state is final; so it also settles
    those whose sender has died."""

    def forget(self, attempt: str) -> None:
        """It is heard of by itself from now on."""
        ...


def _in_slot(
    send: Callable[Concatenate["Verifications", P], SendResult],
) -> Callable[Concatenate["Verifications", P], SendResult]:
    """A method that may wait for Plivo. It is refused as `BUSY`, before it reads or writes
    anything, while too many sends wait already."""

    @wraps(send)
    def bounded(self: "Verifications", /, *args: P.args, **kwargs: P.kwargs) -> SendResult:
        with self.send_slots.take() as taken:
            if taken:
                return send(self, *args, **kwargs)
        log.warning("send refused: all send slots are taken")
        return _refused(None, SendOutcome.BUSY, "", RETRY_AFTER // timedelta(milliseconds=1))

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
        sender: Provider,
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
        self.send_slots = SendSlots()
        self._unknown_client_logged = False
        # Digests, not codes. Made with the code at the start, so that a check need not derive it.
        self._expected_digest = lru_cache(maxsize=10_000)(self._derive_digest)
        # Whoever guesses guesses again, and to read a number takes as long as to check a code.
        self._number_index = lru_cache(maxsize=10_000)(self._index_of)

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
        """The number that was typed, whether or not it may be verified now: its attempts are looked
        for. Raises NumberRefused."""
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
        """A number to show as an example, which may be verified; "" if none has that `ending`."""
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
        again is a `DUPLICATE`, another one with that key is `KEY_REUSED`. `grant` is what who asks
        may do; a send that it does not cover is `NOT_ALLOWED`.

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
            return _refused(None, SendOutcome.NOT_ALLOWED, "country", 0)
        if obstacle := self._sender.obstacle(way):
            return SendResult(
                SendOutcome.CHANNEL_UNAVAILABLE, cause=obstacle[0], remedy=obstacle[1]
            )
        if budget := self._policy.always_refuses(number.e164):
            return self._over(
                None,
                SendOutcome.OVER_BUDGET,
                budget.name,
                int(budget.window.total_seconds() * 1000),
            )
        verification = self._new(number, way, locale, grant)
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

    @_in_slot
    def resend(
        self,
        verification: str,
        *,
        grant: Grant,
        seen: int,
        call: bool = False,
        address: str | None = None,
    ) -> SendResult:
        """Send the same code again, the same way, or `call` in place of a message. What the
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
        way, at_once = current.way, False
        if call and not way.is_call:
            way = way.as_call
            offer = view.call_offer
            at_once = offer is not None and now >= offer.at
        if obstacle := self._sender.obstacle(way):
            return SendResult(
                SendOutcome.CHANNEL_UNAVAILABLE, verification, None, obstacle[0], obstacle[1]
            )
        reservation = self._reservation(current, address, grant)
        changed = replace(current, way=way)
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

    def check(
        self,
        verification: str,
        entered: str,
        grant: Grant = INTERNAL,
        *,
        address: str | None = None,
    ) -> CheckResult:
        """Check what a person entered: counted first, then compared, and used up when it is right.
        A verification that the grant does not reach is `NOT_FOUND`, as an unknown one is.

        Text that cannot be a code at all is `MALFORMED` and not counted. `address` is the client's.
        """
        # Not by check_all: what a batch needs would be a tenth of the time of one check.
        known = self._records.known([verification]).get(verification)
        if known is not None and not grant.may_touch(known.owner):
            known = None
        read = self._read(EnteredCode(verification, entered, address), known)
        if isinstance(read, CheckResult):
            return read
        return _checked(*self._records.check_one(read, self._clock.now()))

    def check_all(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """`check` of many at once, in their order, each as if it came alone, in one round trip."""
        known = self._records.known(dict.fromkeys(entry.of for entry in entries))
        read = [self._read(entry, known.get(entry.of)) for entry in entries]
        guesses = [one for one in read if isinstance(one, Guess)]
        answers = iter(self._records.check(guesses, self._clock.now()))
        return [one if isinstance(one, CheckResult) else _checked(*next(answers)) for one in read]

    def _read(self, entry: EnteredCode, known: CheckContext | None) -> Guess | CheckResult:
        """What was entered, ready to be checked; or how that ends without."""
        if known is None:
            return CheckResult(CheckOutcome.NOT_FOUND)
        code = read_entered(entry.text, known.digits)
        if code is None:
            return CheckResult(CheckOutcome.MALFORMED)
        return Guess(
            entry.of,
            known,
            self._keyring.code_digest(entry.of, code),
            self._expected_digest(entry.of, known.digits),
            self._records.client_index(_network(entry.address)),
        )

    def check_newest(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """`check_all` for callers that know a number only (`of`): against its newest verification.
        A number that cannot be one is `NOT_FOUND`, as an unknown one is."""
        # What is too long to be a number is not remembered either.
        indexes = [
            self._number_index(entry.of) if len(entry.of) <= LONGEST_TYPED else ""
            for entry in entries
        ]
        newest = self._ledger.newest_of_numbers({index for index in indexes if index})
        # No verification is named "": it is not found.
        named = [verification_of(newest.get(index, "")) for index in indexes]
        return self.check_all(
            [entry._replace(of=one) for entry, one in zip(entries, named, strict=True)]
        )

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
            number = self.find_number(typed, region=None)
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

    def _reservation(
        self, verification: Verification, address: str | None, grant: Grant
    ) -> Reservation:
        network = _network(address)
        if network is None and self._policy.sends_without_address is not None:
            self._note_unknown_client()
        return Reservation(
            now=self._clock.now(),
            price_micros=int(self._settings.assumed_price * 1_000_000),
            spend_limit_micros=int(self._settings.spend_per_day * 1_000_000),
            region=verification.region,
            prefix=verification.to[:-4],
            number_index=verification.number_index,
            address=network,
            was_checked=verification.checks_left < verification.checks_allowed,
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
            way=verification.way,
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
            self._ledger.leave_out(attempt, error.unreadable)
            self._follower.forget(attempt)
            return SendResult(SendOutcome.UNKNOWN, verification.id, None, error.cause, error.remedy)
        self._book(attempt, EventKind.ACCEPTED, {"reference": reference} if reference else {})
        if self._sender.calls_back(verification.way):
            self._follower.forget(attempt)
        return SendResult(SendOutcome.SENT, verification.id)

    def _note_unknown_client(self) -> None:
        """For the operator: the log, once in the life of a process, and a counter of the day."""
        self._ledger.count(WITHOUT_ADDRESS)
        if not self._unknown_client_logged:
            self._unknown_client_logged = True
            log.warning(
                "a client has no address: all such clients share one budget. "
                "Set X-Forwarded-For in the proxy, and client_address in API requests"
            )

    def _book(self, attempt: str, kind: EventKind, fields: dict[str, str]) -> None:
        self._ledger.apply(AttemptEvent(attempt, kind, self._clock.now(), Source.APP, fields))


@lru_cache(maxsize=10_000)
def _network(address: str | None) -> str | None:
    """What one client has one of: an IPv4 address, also where a server that listens to both kinds
    writes it as ::ffff:192.0.2.1, or the /64 of an IPv6 address. None where it is not known: a peer
    on the loopback may be a proxy that names no client."""
    try:
        one = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(one, IPv6Address):
        one = one.ipv4_mapped or one
    if one.is_loopback:
        return None
    return str(one if isinstance(one, IPv4Address) else IPv6Network((int(one), 64), strict=False))


def _record_of(verification: Verification, first: Attempt | None = None) -> dict[str, str]:
    """What an attempt keeps of its verification; no number, only its mask and its digest. `first`
    is the verification's first attempt where this is a later one."""
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
    """The attempt with what people did about it. The newest one gets the credit (last touch)."""
    moments = dict(attempt.moments)
    if attempt.number in verification.checked_at:
        moments[EventKind.CHECKED] = verification.checked_at[attempt.number]
    if verification.verified_at is not None and attempt.number == verification.attempts:
        moments[EventKind.VERIFIED] = verification.verified_at
    return replace(attempt, moments=moments)


def _said(error: ProviderError) -> dict[str, str]:
    return {"cause": error.cause, "remedy": error.remedy}


def _checked(outcome: str, left: int, retry_ms: int, spent: str) -> CheckResult:
    retry = timedelta(milliseconds=retry_ms) if retry_ms else None
    return CheckResult(CheckOutcome(outcome), left, retry, OverBudget.parse(spent))


def _refused(verification: str | None, answer: str, why: str, retry_ms: int) -> SendResult:
    outcome = SendOutcome(answer)
    retry = timedelta(milliseconds=retry_ms) if retry_ms else None
    cause, remedy = words.send_refusal(outcome, why, retry)
    return SendResult(outcome, verification, retry, cause, remedy)
