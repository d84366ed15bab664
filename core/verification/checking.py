"""Checks entered codes against verifications, singly and in batches."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from core.ledger.ledger import Ledger
from core.model.attempt import verification_of
from core.model.clock import Clock
from core.model.grant import INTERNAL, Grant
from core.model.verification import CheckOutcome, CheckResult
from core.settings.keyring import Keyring
from core.verification.check_records import CheckContext, CheckRecords, Guess
from core.verification.client_address import network_of
from core.verification.code import read_entered
from core.verification.codes import Codes
from core.verification.number.typed import LONGEST_TYPED


class EnteredCode(NamedTuple):
    """A code to check: `of` a verification, or of a number; `address` is the client address."""

    of: str
    text: str
    address: str | None = None


class Checking:
    """Checks codes. `number_index` gives the digest of a typed number, "" for text that cannot be
    a number; `client_index` that of a client's network. Every method raises StoreUnavailable; then
    nothing was approved."""

    def __init__(
        self,
        keyring: Keyring,
        codes: Codes,
        records: CheckRecords,
        ledger: Ledger,
        clock: Clock,
        *,
        number_index: Callable[[str], str],
        client_index: Callable[[str | None], str],
    ) -> None:
        self._keyring = keyring
        self._codes = codes
        self._records = records
        self._ledger = ledger
        self._clock = clock
        self._client_index = client_index
        # Digests, not codes. A start fills it, so that a check need not derive the code.
        self.expected_digest = lru_cache(maxsize=10_000)(self._derive_digest)
        # Parsing a number costs as much as a check, and clients retry.
        self._number_index = lru_cache(maxsize=10_000)(number_index)

    def check(
        self,
        verification: str,
        entered: str,
        grant: Grant = INTERNAL,
        *,
        address: str | None = None,
    ) -> CheckResult:
        """Check an entered code: counted first, then compared, and used up when it is right. A
        verification that the grant does not reach is `NOT_FOUND`, as an unknown one is.

        Text that cannot be a code is `MALFORMED` and not counted. `address` is the client's.
        """
        # Not by check_all: what a batch needs would be a tenth of the time of one check.
        context = self._records.context(verification)
        if context is not None and not grant.may_touch(context.owner):
            context = None
        guess = self._guess(EnteredCode(verification, entered, address), context)
        if isinstance(guess, CheckResult):
            return guess
        now = self._clock.now()
        result = self._records.check(guess, now)
        self._remember(guess, result, now)
        return result

    def check_all(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """`check` of many at once, in their order, each as if it came alone, in one round trip."""
        contexts = self._records.contexts(dict.fromkeys(entry.of for entry in entries))
        prepared = [self._guess(entry, contexts.get(entry.of)) for entry in entries]
        guesses = [guess for guess in prepared if isinstance(guess, Guess)]
        now = self._clock.now()
        results = self._records.check_all(guesses, now)
        for guess, result in zip(guesses, results, strict=True):
            self._remember(guess, result, now)
        checked = iter(results)
        return [item if isinstance(item, CheckResult) else next(checked) for item in prepared]

    def check_newest(self, entries: Sequence[EnteredCode]) -> list[CheckResult]:
        """`check_all` for callers that know only a number (`of`): against its newest verification.
        A text that cannot be a number is `NOT_FOUND`, as an unknown number is."""
        # A text that is too long for a number is not cached either.
        indexes = [
            self._number_index(entry.of) if len(entry.of) <= LONGEST_TYPED else ""
            for entry in entries
        ]
        newest = self._ledger.newest_of_numbers({index for index in indexes if index})
        # No verification has the id "", so that is not found.
        verifications = [verification_of(newest.get(index, "")) for index in indexes]
        return self.check_all(
            [entry._replace(of=name) for entry, name in zip(entries, verifications, strict=True)]
        )

    def _guess(self, entry: EnteredCode, context: CheckContext | None) -> Guess | CheckResult:
        """The entered code, ready to be checked; or the result where there is nothing to check."""
        if context is None:
            return CheckResult(CheckOutcome.NOT_FOUND)
        code = read_entered(entry.text, context.digits)
        if code is None:
            return CheckResult(CheckOutcome.MALFORMED)
        return Guess(
            entry.of,
            context,
            self._keyring.code_digest(entry.of, code),
            self.expected_digest(entry.of, context.digits, context.number_index),
            self._client_index(network_of(entry.address)),
        )

    def _remember(self, guess: Guess, result: CheckResult, now: datetime) -> None:
        if result.outcome is CheckOutcome.APPROVED:
            self._ledger.losses.remember_approval(guess.verification, now)

    def _derive_digest(self, verification: str, digits: int, number_index: str) -> str:
        code = self._codes.of(verification, digits, number_index)
        return self._keyring.code_digest(verification, code.reveal())
