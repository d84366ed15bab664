"""Verifications in Redis: the only module that knows their hashes, and which keys a step
touches."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from threading import Lock

from core.model.attempt import Channel, Mode, OverBudget, attempt_id
from core.model.clock import read_ms, to_ms
from core.model.grant import Allowance
from core.model.verification import Status, Verification
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.store.scripts import Scripts
from core.tracking.attempt_poller import FIRST, KEEP
from core.verification.policy import Budget, Policy

#: Outcome, checks left, retry after in ms, and the spent budget as text.
CheckReply = tuple[str, int, int, str]

_REMEMBERED = 10_000
#: More than any budget allows; each is asked for when a verification is looked at.
_MOST_ATTEMPTS = 999
#: Of an attempt, by its number: the field with the moment of the first check.
_CHECKED = "checked_ms_"


class Use(StrEnum):
    """What a send does to a budget. The values are those of `_budgets.lua`."""

    SPENT = "spent"
    GRANTED = "granted"  # the same, but waiting does not help who is refused by it
    LOOKED = "looked"  # spent elsewhere, but it can refuse
    LOCKS = "locks"  # the same, and its refusal locks the number


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a send of one attempt takes from the budgets. `now` is also its name in the lists."""

    now: datetime
    price_micros: int
    spend_limit_micros: int
    region: str
    prefix: str
    number_index: str
    #: The client's network; None where it is not known.
    address: str | None
    #: Whether a code of this verification was checked already.
    was_checked: bool = False
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check must know of a verification before its script can name its keys; `owner` says
    who may check it."""

    attempts: int
    number_index: str
    digits: int
    owner: str


@dataclass(frozen=True, slots=True)
class Guess:
    """An entered code and the right one, as digests; `client` is the digest of where it is from."""

    verification: str
    known: CheckContext
    entered: str
    expected: str
    client: str


class VerificationRecords:
    """Reads and writes verifications. `keep` outlasts every lifetime: the moment of expiry decides,
    the TTL only cleans up. If the key went first, a late report would have nothing to attach to.
    `tells`: what becomes of a verification is told to WEBHOOK_URL, and queued as it happens."""

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        keyring: Keyring,
        policy: Policy,
        keep: timedelta,
        *,
        tells: bool = False,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._keyring = keyring
        self._policy = policy
        self._keep_ms = _ms(keep)
        # Named to a script only where it may queue something: a key costs, even one not looked at.
        self._queue = [keys.outbox, keys.outbox_events] if tells else []
        self._enforcement = "enforce" if policy.enforces else "warn"
        # In the order of their keys in check_code.lua.
        checked = (policy.failures_per_address, policy.failures, policy.guesses)
        self._check_budgets: list[str | int] = [
            self._enforcement,
            min(budget.limit for budget in checked),
            *(part for one in checked for part in (one.name, one.limit, _ms(one.window))),
        ]
        self._address_budgets = {policy.sends_per_address, policy.sends_without_address}
        #: The digest of a client's network, in keys. Without one: what all such clients share.
        self.client_index = lru_cache(maxsize=10_000)(
            lambda network: keyring.index("address", network) if network else "unknown"
        )
        self._left_out = LeftOut(client, keys)
        # A hint that saves a round trip. A stale one is noticed by the script, never acted on.
        self._known: OrderedDict[str, CheckContext] = OrderedDict()
        self._lock = Lock()

    def start(
        self,
        verification: Verification,
        reservation: Reservation,
        idempotency: str,
        record: dict[str, str],
    ) -> list[str | int]:
        """The answer of `start_verification.lua`. `record` is what the first attempt keeps."""
        first = attempt_id(verification.id, 1)
        keys, budgets = self._name(
            [
                self._keys.start(idempotency),
                self._keys.verification(verification.id),
                self._keys.spend(reservation.now),
                self._keys.attempt(first),
                self._keys.events(first),
                self._keys.follow,
            ],
            self._budgets(reservation),
        )
        answer: list[str | int] = self._scripts.run(
            "start_verification",
            [*keys, self._keys.expiries, *self._queue] if self._queue else keys,
            [
                *self._reserved(verification, reservation),
                _ms(self._policy.cooldown(1)),
                to_ms(verification.expires_at) if self._queue else "",
                *_asked_after(reservation),
                *_counted(_fields(verification)),
                *_counted(record),
                *budgets,
            ],
        )
        if answer[0] == "started":
            known = CheckContext(
                1, reservation.number_index, verification.digits, verification.owner
            )
            self._remember(verification.id, known)
        return answer

    def resend(
        self,
        verification: Verification,
        reservation: Reservation,
        *,
        seen: int,
        at_once: bool,
        record: dict[str, str],
    ) -> list[str | int]:
        """The answer of `resend.lua`. `seen` is the number of attempts the caller knew of, `record`
        what the next one keeps."""
        following = attempt_id(verification.id, seen + 1)
        keys, budgets = self._name(
            [
                self._keys.verification(verification.id),
                self._keys.spend(reservation.now),
                self._keys.attempt(following),
                self._keys.events(following),
                self._keys.follow,
            ],
            self._budgets(reservation),
        )
        answer: list[str | int] = self._scripts.run(
            "resend",
            keys,
            [
                *self._reserved(verification, reservation),
                seen,
                _ms(self._policy.cooldown(seen + 1)),
                "1" if at_once else "0",
                verification.channel,
                verification.mode,
                self._keys.changes,
                *_asked_after(reservation),
                *_counted(record),
                *budgets,
            ],
        )
        if answer[0] == "started":
            known = CheckContext(
                seen + 1, reservation.number_index, verification.digits, verification.owner
            )
            self._remember(verification.id, known)
        return answer

    def give_back(self, attempt: str, reservation: Reservation, before: Verification) -> None:
        """Return what a definitely unsent attempt had reserved, all but the address's budget.

        `before` is the verification as it was: its wait, channel and mode come back too.
        """
        lists = [
            key
            for key, budget, use in self._budgets(reservation)
            if use in {Use.SPENT, Use.GRANTED} and budget not in self._address_budgets
        ]
        refusals = self._policy.refusals
        self._scripts.run(
            "give_back",
            [
                self._keys.verification(before.id),
                self._keys.spend(reservation.now),
                self._keys.refusals(reservation.number_index),
                *dict.fromkeys(lists),
            ],
            [
                f"{to_ms(reservation.now)}:{attempt}",
                reservation.price_micros,
                attempt.rpartition("-")[2],
                to_ms(before.next_send_at),
                before.channel,
                before.mode,
                refusals.limit,
                _ms(refusals.window),
            ],
        )

    def known(self, verifications: Iterable[str]) -> dict[str, CheckContext]:
        """What checks must know of these verifications; unknown ones are left out. A round trip
        only for those that this process has not met yet."""
        found = {one: self._known.get(one) for one in verifications}
        missing = [one for one, known in found.items() if known is None]
        if missing:
            found |= self._look_up(missing)
        return {one: known for one, known in found.items() if known is not None}

    def check_one(self, guess: Guess, now: datetime) -> CheckReply:
        """The answer of `check_code.lua`. One round trip, two when another process has resent the
        code."""
        now_ms = to_ms(now)
        while True:
            keys, args = self._check_call(guess, now_ms)
            outcome, left, retry_ms, spent = self._scripts.run("check_code", keys, args)
            if outcome != "moved":
                return outcome, left, retry_ms, spent
            guess = self._moved(guess, left)

    def check(self, guesses: Sequence[Guess], now: datetime) -> list[CheckReply]:
        """`check_one` of each guess, in their order, in one round trip for all; one more for those
        whose code another process has resent."""
        now_ms = to_ms(now)
        calls = [self._check_call(guess, now_ms) for guess in guesses]
        answers: list[CheckReply] = []
        for guess, answer in zip(guesses, self._scripts.run_all("check_code", calls), strict=True):
            outcome, left, retry_ms, spent = answer
            if outcome == "moved":
                answers.append(self.check_one(self._moved(guess, left), now))
            else:
                answers.append((outcome, left, retry_ms, spent))
        return answers

    def _moved(self, guess: Guess, attempts: int) -> Guess:
        """The guess, as of the newest attempt of its verification."""
        known = replace(guess.known, attempts=attempts)
        return replace(guess, known=self._remember(guess.verification, known))

    def _check_call(self, guess: Guess, now_ms: int) -> tuple[list[str], list[str | int]]:
        known = guess.known
        return [
            self._keys.verification(guess.verification),
            self._keys.failures(known.number_index, guess.client),
            self._keys.failures(known.number_index),
            self._keys.guesses(known.number_index),
            self._keys.events(attempt_id(guess.verification, known.attempts)),
            self._keys.checks,
            *self._queue,
        ], [
            now_ms,
            guess.entered,
            guess.expected,
            known.attempts,
            self._keys.changes,
            guess.verification,
            self._keep_ms,
            *self._check_budgets,
        ]

    def cancel(self, verification: str, now: datetime) -> str:
        """The answer of `cancel.lua`."""
        answer: str = self._scripts.run(
            "cancel",
            [self._keys.verification(verification), *self._queue],
            [to_ms(now), self._keys.changes, verification],
        )
        return answer

    def get(self, verification: str, now: datetime) -> Verification | None:
        """The verification as of `now`; None when it is unknown, no longer kept, or cannot be
        read."""
        record = self._client.hgetall(self._keys.verification(verification))
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
        (found,) = self._client.hmget(self._keys.verification(verification), "request")
        return found

    def _look_up(self, verifications: Sequence[str]) -> dict[str, CheckContext]:
        with self._client.pipeline(transaction=False) as pipe:
            for one in verifications:
                pipe.hmget(
                    self._keys.verification(one), "attempts", "number_index", "digits", "owner"
                )
            answers = pipe.execute()
        found = {}
        for one, (attempts, index, digits, owner) in zip(verifications, answers, strict=True):
            if attempts is None:
                continue
            try:
                known = CheckContext(int(attempts), index or "", int(digits or ""), owner or "")
            except ValueError as error:
                self._left_out.record("verification", one, error)
            else:
                found[one] = self._remember(one, known)
        return found

    def _remember(self, verification: str, known: CheckContext) -> CheckContext:
        with self._lock:
            self._known[verification] = known
            self._known.move_to_end(verification)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known

    def _budgets(self, reservation: Reservation) -> list[tuple[str, Budget, Use]]:
        """Every budget that such a send meets: its key, itself, and what is done to it."""
        index, policy, keys = reservation.number_index, self._policy, self._keys
        prefix = self._keyring.index("prefix", reservation.prefix)
        client = self.client_index(reservation.address)
        found = [(keys.guesses(index), policy.guesses, Use.LOCKS)]
        if reservation.was_checked:
            # Its first check was let through already: the next one needs room here too.
            found.append((keys.failures(index, client), policy.failures_per_address, Use.LOCKS))
            found.append((keys.failures(index), policy.failures, Use.LOCKS))
        found.append((keys.refusals(index), policy.refusals, Use.LOOKED))
        for budget in policy.sends_per_number:
            found.append((keys.sends("number", index), budget, Use.SPENT))
        found.append((keys.sends("prefix", prefix), policy.sends_per_prefix, Use.SPENT))
        country = keys.sends("country", reservation.region)
        found.append((country, policy.sends_per_country, Use.SPENT))
        if (granted := reservation.allowance) is not None:
            budget = Budget("sends_per_invite", granted.limit, granted.keep)
            found.append((keys.sends("invite", granted.name), budget, Use.GRANTED))
        of_client = (
            policy.sends_per_address if reservation.address else policy.sends_without_address
        )
        if of_client is not None:
            found.append((keys.sends("address", client), of_client, Use.SPENT))
        return found

    def _name(
        self, keys: list[str], budgets: list[tuple[str, Budget, Use]]
    ) -> tuple[list[str], list[str | int]]:
        """The keys with those of the budgets, and the budgets as `_budgets.lua` reads them."""
        named = list(dict.fromkeys([*keys, *(key for key, _, _ in budgets)]))
        told: list[str | int] = []
        for key, budget, use in budgets:
            told += [named.index(key) + 1, budget.limit, _ms(budget.window), budget.name, use]
        return named, told

    def _reserved(self, verification: Verification, reservation: Reservation) -> list[str | int]:
        return [
            to_ms(reservation.now),
            verification.id,
            self._keep_ms,
            reservation.price_micros,
            reservation.spend_limit_micros,
            self._enforcement,
        ]


def _asked_after(reservation: Reservation) -> list[str | int]:
    """When a follower first asks after an attempt, and how long that is kept. It is written with
    the attempt: should this process die before Plivo has answered, another one settles it."""
    return [to_ms(reservation.now + FIRST), _ms(KEEP)]


def _counted(fields: Mapping[str, str | int]) -> list[str | int]:
    """Names and values in a row, and before them how many there are."""
    flat = [part for pair in fields.items() for part in pair]
    return [len(flat), *flat]


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _fields(one: Verification) -> dict[str, str | int]:
    return {
        "to": one.to,
        "to_masked": one.to_masked,
        "region": one.region,
        "country": one.country,
        "carrier": one.carrier,
        "language": one.language,
        "channel": one.channel,
        "mode": one.mode,
        "digits": one.digits,
        "started_ms": to_ms(one.started_at),
        "expires_ms": to_ms(one.expires_at),
        "checks_left": one.checks_left,
        "checks_allowed": one.checks_allowed,
        "number_index": one.number_index,
        "request": one.request,
        "owner": one.owner,
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
        to=record["to"],
        to_masked=record["to_masked"],
        region=record["region"],
        country=record["country"],
        carrier=record["carrier"],
        language=record["language"],
        channel=Channel(record["channel"]),
        mode=Mode(record["mode"]),
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
