"""What is said in a call: first the request to press 1, then, to whoever pressed it, the code.

A machine that answers presses nothing, so it is told nothing.
"""

from core.clock import Clock
from core.delivery.attempt import AttemptEvent, EventKind, Source, verification_of
from core.delivery.ledger import Ledger
from core.provider import spoken
from core.provider.spoken import Language
from core.settings import Settings
from core.verification.model import Status, Verification
from core.verification.service import Verifications


class CallDialogue:
    """The answers to Plivo's voice callbacks, as Plivo XML."""

    def __init__(
        self, verifications: Verifications, ledger: Ledger, settings: Settings, clock: Clock
    ) -> None:
        self._verifications = verifications
        self._ledger = ledger
        self._settings = settings
        self._clock = clock

    def answered(self, attempt: str, key_url: str) -> str:
        """For the answer URL: ask for the key, which goes to `key_url`. Raises StoreUnavailable."""
        verification = self._open(attempt)
        if verification is None:
            return self._refusal(attempt)
        return spoken.prompt(
            key_url,
            brand=self._settings.brand,
            language=Language(verification.language),
        )

    def pressed(self, attempt: str, digits: str, key_url: str) -> str:
        """For the key URL: read the code out after a 1, else ask again. Raises StoreUnavailable."""
        verification = self._open(attempt)
        if verification is None:
            return self._refusal(attempt)
        language = Language(verification.language)
        if digits != "1":
            return spoken.again(key_url, brand=self._settings.brand, language=language)
        # Booked before it is spoken: what cannot be recorded is not said.
        now = self._clock.now()
        self._ledger.apply(AttemptEvent(attempt, EventKind.DELIVERED, now, Source.CALLBACK))
        return spoken.code_read_out(
            self._verifications.code_for(verification).reveal(), language=language
        )

    def _open(self, attempt: str) -> Verification | None:
        view = self._verifications.look(verification_of(attempt))
        if view is None or view.verification.status is not Status.PENDING:
            return None
        # Only the call that was placed last may speak: an older answer URL is dead.
        if view.newest is None or view.newest.id != attempt:
            return None
        return view.verification

    def _refusal(self, attempt: str) -> str:
        view = self._verifications.look(verification_of(attempt))
        language = Language(view.verification.language) if view else Language("en")
        return spoken.refused(language)
