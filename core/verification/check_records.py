"""Runs checks of codes in Redis, and remembers what a check must know before it can name its
keys. The hot path: tests/benchmarks/check.py."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from core.ledger.journal import KEEP_JOURNAL
from core.model.attempt import OverBudget, attempt_id
from core.model.clock import duration_ms, to_ms
from core.model.phone_number import PhoneNumber
from core.model.verification import CheckOutcome, CheckResult
from core.store.client import Client
from core.store.keys import Keys
from core.store.left_out import LeftOut
from core.store.scripts import Call, Scripts
from core.verification.policy import Policy

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check must know of a verification before its script can name its keys; `owner` says
    who may check it. `is_unlimited`: its number meets no budget of checks."""

    attempts: int
    number_index: str
    digits: int
    owner: str
    is_unlimited: bool = False


@dataclass(frozen=True, slots=True)
class Guess:
    """An entered code and the right one, as digests; `client` is the digest of the client's
    network."""

    verification: str
    context: CheckContext
    entered: str
    expected: str
    client: str


class CheckRecords:
    """Counts and compares entered codes. `queue` names the keys of the webhook events; it is empty
    where there are no webhooks, since a key costs even where a script does not use it."""

    def __init__(
        self,
        client: Client,
        scripts: Scripts,
        keys: Keys,
        policy: Policy,
        queue: list[str],
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._queue = queue
        self._is_test_number = policy.is_test_number
        #: By whether the number meets no budget.
        self._policy = {
            is_unlimited: policy_arguments(policy, keys.changes, is_unlimited=is_unlimited)
            for is_unlimited in (False, True)
        }
        self._left_out = LeftOut(client, keys)
        # A hint that saves a round trip. The script notices a stale one and checks nothing.
        self._contexts: OrderedDict[str, CheckContext] = OrderedDict()
        self._lock = Lock()

    def context(self, verification: str) -> CheckContext | None:
        """The facts that a check of this verification needs; None if it is unknown. One round trip
        if this process has not cached it."""
        context = self._contexts.get(verification)
        return context or self._look_up([verification]).get(verification)

    def contexts(self, verifications: Iterable[str]) -> dict[str, CheckContext]:
        """The facts that checks of these verifications need, without unknown verifications. One
        round trip for those that this process has not cached."""
        contexts = {name: self._contexts.get(name) for name in verifications}
        missing = [name for name, context in contexts.items() if context is None]
        if missing:
            contexts |= self._look_up(missing)
        return {name: context for name, context in contexts.items() if context is not None}

    def remember(self, verification: str, context: CheckContext) -> CheckContext:
        """Save the round trip of the next check of this verification."""
        with self._lock:
            self._contexts[verification] = context
            self._contexts.move_to_end(verification)
            if len(self._contexts) > _REMEMBERED:
                self._contexts.popitem(last=False)
        return context

    def check(self, guess: Guess, now: datetime) -> CheckResult:
        """One round trip, two when another process has resent the code."""
        now_ms = to_ms(now)
        while True:
            # `count`: of checks left, or of attempts if the code has moved to a later one.
            outcome, count, retry_ms, spent = self._scripts.run(
                "check_code", *self._call(guess, now_ms)
            )
            if outcome != "moved":
                return _result(outcome, count, retry_ms, spent)
            guess = self._moved(guess, count)

    def check_all(self, guesses: Sequence[Guess], now: datetime) -> list[CheckResult]:
        """`check` of each guess, in their order, in one round trip for all; one more for those
        whose code another process has resent."""
        now_ms = to_ms(now)
        calls = [self._call(guess, now_ms) for guess in guesses]
        results: list[CheckResult] = []
        for guess, reply in zip(guesses, self._scripts.run_all("check_code", calls), strict=True):
            outcome, count, retry_ms, spent = reply
            if outcome == "moved":
                results.append(self.check(self._moved(guess, count), now))
            else:
                results.append(_result(outcome, count, retry_ms, spent))
        return results

    def _moved(self, guess: Guess, attempts: int) -> Guess:
        """The guess, as of the newest attempt of its verification."""
        context = replace(guess.context, attempts=attempts)
        return replace(guess, context=self.remember(guess.verification, context))

    def _call(self, guess: Guess, now_ms: int) -> Call:
        context = guess.context
        return [
            self._keys.verification(guess.verification),
            self._keys.failures(context.number_index, guess.client),
            self._keys.failures(context.number_index),
            self._keys.guesses(context.number_index),
            self._keys.history(attempt_id(guess.verification, context.attempts)),
            self._keys.journal,
            *self._queue,
        ], check_arguments(guess, now_ms) + self._policy[context.is_unlimited]

    def _look_up(self, verifications: Sequence[str]) -> dict[str, CheckContext]:
        fields = ("attempts", "number_index", "digits", "owner", "to", "region")
        with self._client.pipeline(transaction=False) as pipe:
            for name in verifications:
                pipe.hmget(self._keys.verification(name), *fields)
            records = pipe.execute()
        contexts = {}
        for name, record in zip(verifications, records, strict=True):
            attempts, index, digits, owner, e164, region = record
            if attempts is None:
                continue
            number = PhoneNumber(e164 or "", "", region or "", "")
            try:
                context = CheckContext(
                    int(attempts),
                    index or "",
                    int(digits or ""),
                    owner or "",
                    self._is_test_number(number),
                )
            except ValueError as error:
                self._left_out.record("verification", name, error)
            else:
                contexts[name] = self.remember(name, context)
        return contexts


def check_arguments(guess: Guess, now_ms: int) -> list[str]:
    """The arguments of check_code.lua that differ between checks, in its order."""
    return [
        str(now_ms),
        guess.entered,
        guess.expected,
        str(guess.context.attempts),
        guess.verification,
    ]


def policy_arguments(policy: Policy, changes: str, *, is_unlimited: bool = False) -> list[str]:
    """The other arguments of check_code.lua, in its order: the same for every check."""
    # In the order of their keys in the script.
    budgets = (policy.failures_per_address, policy.failures, policy.guesses)
    mode = "enforces" if policy.enforces else "warns"
    return [
        "unlimited" if is_unlimited else mode,
        changes,
        str(duration_ms(KEEP_JOURNAL)),
        str(min(budget.limit for budget in budgets)),
        *(part for b in budgets for part in (str(b.limit), str(duration_ms(b.window)), b.name)),
    ]


def _result(outcome: str, checks_left: int, retry_ms: int, spent: str) -> CheckResult:
    retry = timedelta(milliseconds=retry_ms) if retry_ms else None
    return CheckResult(CheckOutcome(outcome), checks_left, retry, OverBudget.parse(spent))
