"""Collects the sends of the Verify page into the test session that the browser records into."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from core.lab.sessions.model import RefusedSend
from core.lab.sessions.recording import Recording
from core.lab.sessions.store import TestSessions
from core.model.clock import Clock
from core.model.errors import SessionRefused
from core.model.verification import SendOutcome, SendResult, Verification
from core.model.way import Way

log = logging.getLogger(__name__)

#: Outcomes with a new attempt.
_ATTEMPTS = {SendOutcome.SENT, SendOutcome.UNKNOWN, SendOutcome.REJECTED}
#: Of a start, also the repeated one: a crash may have kept the first one from being collected.
_STARTED = _ATTEMPTS | {SendOutcome.DUPLICATE}


@dataclass(frozen=True, slots=True)
class Collector:
    """Without an active `recording` it collects nothing and costs nothing. `item` is the item of
    the checklist that the next verification is for."""

    sessions: TestSessions
    clock: Clock
    recording: Recording | None
    item: str = ""

    def started(self, result: SendResult, way: Way, masked: Callable[[], str]) -> None:
        """Collect a start; `masked` returns the number of a refused one. Raises
        StoreUnavailable."""
        # An ambiguous number is no send: the person must choose first.
        if self.recording is None or result.outcome is SendOutcome.AMBIGUOUS:
            return
        try:
            if result.outcome in _STARTED and result.verification:
                self.sessions.collect(self.recording.session, result.verification, self.item)
            else:
                self._refused(result, way, masked(), self.item)
        except SessionRefused as error:
            _note(error)

    def resent(self, verification: Verification, result: SendResult, way: Way) -> bool:
        """Collect a resend: its attempt belongs to the verification; a refused one is kept. False
        if the session no longer collects. Raises StoreUnavailable."""
        if self.recording is None or result.outcome is SendOutcome.DUPLICATE:
            return True
        try:
            self.sessions.collect(self.recording.session, verification.id)
            if result.outcome not in _ATTEMPTS:
                self._refused(result, way, verification.to.masked, "", verification.id)
        except SessionRefused as error:
            _note(error)
            return False
        return True

    def _refused(
        self, result: SendResult, way: Way, to_masked: str, item: str, verification: str = ""
    ) -> None:
        assert self.recording is not None  # noqa: S101  both callers checked it
        refusal = RefusedSend(
            "", self.clock.now(), way, to_masked, result.cause, result.remedy, verification
        )
        self.sessions.collect_refusal(self.recording.session, refusal, item)


def _note(error: SessionRefused) -> None:
    """The session was ended or deleted in another tab, or is full; the send itself went well."""
    log.warning("send not collected into the test session", extra={"reason": error.cause})
