"""Sends an attempt that is reserved and written, and applies the provider's answer."""

from collections.abc import Callable
from typing import Protocol

from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, Source, attempt_id
from core.model.clock import Clock
from core.model.errors import AttemptRejected, AttemptUnknown, ProviderError
from core.model.verification import SendOutcome, SendResult, Verification
from core.model.way import Way
from core.plivo.request import AttemptRequest
from core.settings.settings import Settings
from core.verification.codes import Codes
from core.verification.records import VerificationRecords
from core.verification.send_budgets import Reservation


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


class Sending:
    """Sends attempts. `expected_digest` stores the digest of a code before it is sent, so that its
    checks need not derive it; `stop_polling` ends the polling of an attempt; `on_unclear` is called
    after a send without a clear answer."""

    def __init__(
        self,
        settings: Settings,
        codes: Codes,
        records: VerificationRecords,
        ledger: Ledger,
        provider: Provider,
        clock: Clock,
        *,
        expected_digest: Callable[[str, int, str], str],
        stop_polling: Callable[[str], None],
        on_unclear: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._codes = codes
        self._records = records
        self._ledger = ledger
        self._provider = provider
        self._clock = clock
        self._expected_digest = expected_digest
        self._stop_polling = stop_polling
        self._on_unclear = on_unclear

    def send(
        self,
        verification: Verification,
        number: int,
        reservation: Reservation,
        before: Verification,
    ) -> SendResult:
        """Send an attempt that is reserved and written; a refusal restores `before`."""
        attempt = attempt_id(verification.id, number)
        subject = verification.id, verification.digits, verification.number_index
        self._expected_digest(*subject)
        request = AttemptRequest(
            attempt=attempt,
            way=verification.way,
            to=verification.to,
            code=self._codes.of(*subject),
            minutes=self._settings.lifetime_minutes,
        )
        try:
            reference = self._provider.send(request)
        except AttemptRejected as error:
            self._apply(attempt, EventKind.REJECTED, _reason(error))
            self._records.give_back(attempt, reservation, before)
            self._stop_polling(attempt)
            return SendResult(
                SendOutcome.REJECTED, verification.id, None, error.cause, error.remedy
            )
        except AttemptUnknown as error:
            self._apply(attempt, EventKind.UNCONFIRMED, _reason(error) | _status(error))
            self._ledger.leave_out(attempt, error.unreadable)
            self._stop_polling(attempt)
            self._on_unclear()
            return SendResult(SendOutcome.UNKNOWN, verification.id, None, error.cause, error.remedy)
        self._ledger.losses.remember_attempt(attempt)
        self._apply(attempt, EventKind.ACCEPTED, {"reference": reference} if reference else {})
        if self._provider.calls_back(verification.way):
            self._stop_polling(attempt)
        return SendResult(SendOutcome.SENT, verification.id)

    def _apply(self, attempt: str, kind: EventKind, fields: dict[str, str]) -> None:
        self._ledger.apply(AttemptEvent(attempt, kind, self._clock.now(), Source.APP, fields))


def _reason(error: ProviderError) -> dict[str, str]:
    return {"cause": error.cause, "remedy": error.remedy}


def _status(error: AttemptUnknown) -> dict[str, str]:
    """The status that the unclear send is counted under among the errors. Other answers than 429
    and 5xx could not be read, and are counted as none."""
    status = error.status
    return {"send_status": str(status)} if status and status >= 400 else {}
