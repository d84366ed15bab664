"""Answers Plivo's voice callbacks: asks for a key, and reads the code out after a 1.

An answering machine presses nothing, so it records no code.
"""

from dataclasses import dataclass, field
from functools import partial

from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, Source, verification_of
from core.model.clock import Clock
from core.model.code import Code
from core.model.language import Language
from core.model.verification import Status, View
from core.model.way import Way
from core.settings.settings import Settings
from core.verification.service import Verifications
from core.wording.calls import CodeRefusal, call_texts


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """Plivo XML. `shown` is the same with dots in place of the code; `reads_code`: it has the
    code."""

    xml: str = field(repr=False)
    shown: str
    reads_code: bool = False


class CallDialogue:
    """The answers to Plivo's voice callbacks, as Plivo XML."""

    def __init__(
        self, verifications: Verifications, ledger: Ledger, settings: Settings, clock: Clock
    ) -> None:
        self._verifications = verifications
        self._ledger = ledger
        self._settings = settings
        self._clock = clock

    def answered(self, attempt: str, reference: str, key_url: str) -> SpokenAnswer:
        """For the answer URL of the call `reference`: ask for the key, which goes to `key_url`.
        Raises StoreUnavailable."""
        view = self._verifications.look(verification_of(attempt))
        if view is None or not _may_speak(view, attempt, reference):
            return _refusal(view)
        return self._question(view, key_url, is_repeated=False)

    def pressed(self, attempt: str, reference: str, digits: str, key_url: str) -> SpokenAnswer:
        """For the key URL: read the code out after a 1, else ask again. Raises StoreUnavailable."""
        # Imported late, here and below: the SDK behind it takes a third of a second to load.
        from core.plivo import call_xml

        view = self._verifications.look(verification_of(attempt))
        if view is None or not _may_speak(view, attempt, reference):
            return _refusal(view)
        if digits != "1":
            return self._question(view, key_url, is_repeated=True)
        # Stored before it is spoken: a code whose delivery cannot be recorded is not read out.
        now = self._clock.now()
        self._ledger.apply(AttemptEvent(attempt, EventKind.DELIVERED, now, Source.CALLBACK))
        code = self._verifications.code_for(view.verification)
        language = Language(view.verification.language)
        texts = call_texts(language)
        read_out = partial(
            call_xml.code_read_out,
            code_is=texts.code_is,
            goodbye=texts.goodbye,
            language=language,
        )
        masked = Code("•" * view.verification.digits)
        return SpokenAnswer(read_out(code), read_out(masked), reads_code=True)

    def _question(self, view: View, key_url: str, *, is_repeated: bool) -> SpokenAnswer:
        from core.plivo import call_xml

        language = Language(view.verification.language)
        texts = call_texts(language)
        return _without_code(
            call_xml.prompt(
                key_url,
                question=texts.question(self._settings.brand),
                goodbye=texts.goodbye,
                language=language,
                opening=texts.wrong_key if is_repeated else "",
            )
        )


def _may_speak(view: View, attempt: str, reference: str) -> bool:
    """Whether a call may speak the code: while the code is valid, in the newest attempt, in the
    call that was placed for it, and until that call has ended. Other requests get no code, even if
    they are signed."""
    newest = view.newest
    return (
        view.verification.status is Status.PENDING
        and newest is not None
        and newest.id == attempt
        and newest.way is Way.VOICE
        and not newest.hangup_cause
        and newest.reference in {"", reference}
    )


def _without_code(xml: str) -> SpokenAnswer:
    return SpokenAnswer(xml, xml)


def _refusal(view: View | None) -> SpokenAnswer:
    from core.plivo import call_xml

    language, why = Language.EN, CodeRefusal.CLOSED
    if view is not None:
        language = Language(view.verification.language)
        reasons = {Status.EXPIRED: CodeRefusal.EXPIRED, Status.VERIFIED: CodeRefusal.USED}
        why = reasons.get(view.verification.status, why)
    return _without_code(call_xml.sentence(call_texts(language).refusal(why), language=language))
