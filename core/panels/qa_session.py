"""What the QA page shows of a test session: a line for each item, and what is collected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from core.lab.own_phones import VERIFIED
from core.lab.sessions.checklist import REFUSED
from core.lab.sessions.model import ChecklistItem, TestSession
from core.model.attempt import Attempt, EventKind, State
from core.model.grant import Grant
from core.model.verification import Status, View
from core.panels.own_phones import phone_seen_words
from core.verification.service import Verifications
from core.wording.formats import way_name
from core.wording.marks import mark
from core.wording.qa_session import refusal_words, seen_words


class Agreement(StrEnum):
    """Whether what is seen is what was expected. The tester decides the mark all the same."""

    AGREES = "agrees"
    DIFFERS = "differs"
    #: The attempt has not ended, or what is expected is in words only.
    OPEN = ""

    @property
    def words(self) -> str:
        """A sentence; "" for OPEN."""
        return _AGREEMENTS[self]


_AGREEMENTS = {
    Agreement.AGREES: "The state is as expected.",
    Agreement.DIFFERS: "The state is not as expected.",
    Agreement.OPEN: "",
}


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item with what is seen now; with what was seen when it was marked, where the attempt is no
    longer kept. `sign` is that of the attempt's state. `is_kept` is false for a lost attempt."""

    item: ChecklistItem
    way: str
    seen: str
    sign: str = ""
    agreement: Agreement = Agreement.OPEN
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class CollectedLine:
    """An attempt or a refused send (`is_refusal`). `id` names it, `verification` the verification,
    "" for a refused first send."""

    id: str
    verification: str
    at: datetime
    to_masked: str
    way: str
    seen: str
    sign: str = ""
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class SessionLines:
    """A session as of now. `collected` are all attempts and refused sends, the newest first;
    `in_no_item` those of verifications that no item was seen on. `pending` are the verifications
    that may still change."""

    session: TestSession
    items: tuple[ItemLine, ...]
    collected: tuple[CollectedLine, ...]
    in_no_item: tuple[CollectedLine, ...]
    pending: tuple[str, ...]


class SessionReader:
    """Reads what the verifications of a session have come to."""

    def __init__(self, verifications: Verifications) -> None:
        self._verifications = verifications

    def read(self, session: TestSession, grant: Grant) -> SessionLines:
        """Verifications that the grant does not reach are left out. Raises StoreUnavailable."""
        ids = {each.id: None for each in session.verifications}
        ids |= {item.verification: None for item in session.items if item.attempt}
        views = self._verifications.look_all(list(ids), grant)
        return session_lines(session, {view.verification.id: view for view in views})


def session_lines(session: TestSession, views: Mapping[str, View]) -> SessionLines:
    """`views` by id: the verifications that are still kept."""
    attempts = {attempt.id: attempt for view in views.values() for attempt in view.attempts}
    collected = [
        CollectedLine(
            attempt.id,
            attempt.verification,
            attempt.moments[EventKind.REQUESTED],
            attempt.to_masked,
            way_name(attempt.way),
            seen_words(attempt),
            mark(attempt.state),
        )
        for attempt in attempts.values()
    ]
    collected += [
        CollectedLine(
            each.id,
            each.verification,
            each.at,
            each.to_masked,
            way_name(each.way),
            refusal_words(each),
            mark(State.REJECTED),
            is_refusal=True,
        )
        for each in session.refusals
    ]
    collected.sort(key=lambda line: line.at, reverse=True)
    free = {each.id for each in session.unassigned}
    free_refusals = {each.id for each in session.unassigned_refusals if not each.verification}
    return SessionLines(
        session=session,
        items=tuple(_item_line(item, session, attempts) for item in session.items),
        collected=tuple(collected),
        in_no_item=tuple(
            line for line in collected if line.verification in free or line.id in free_refusals
        ),
        pending=tuple(
            name
            for name, view in views.items()
            if view.verification.status is Status.PENDING
            or not all(attempt.state.is_final for attempt in view.attempts)
        ),
    )


def _item_line(
    item: ChecklistItem, session: TestSession, attempts: Mapping[str, Attempt]
) -> ItemLine:
    line = ItemLine(item, way_name(item.way) if item.way else "", "")
    if item.refusal and (refusal := session.refusal(item.refusal)):
        agreement = Agreement.OPEN
        if item.expected_state:
            is_expected = item.expected_state == REFUSED
            agreement = Agreement.AGREES if is_expected else Agreement.DIFFERS
        return replace(
            line, seen=refusal_words(refusal), sign=mark(State.REJECTED), agreement=agreement
        )
    if attempt := attempts.get(item.attempt):
        return replace(
            line,
            seen=phone_seen_words(attempt) if item.phone else seen_words(attempt),
            sign=mark(attempt.state),
            agreement=agreement_of(item, attempt),
        )
    seen = item.marked.seen if item.marked else ""
    return replace(line, seen=seen, is_kept=not item.attempt)


def agreement_of(item: ChecklistItem, attempt: Attempt) -> Agreement:
    """Compare an attempt with the state and the code that its item expects."""
    if not item.expected_state:
        return Agreement.OPEN
    if item.expected_state == VERIFIED:
        if EventKind.VERIFIED in attempt.moments:
            return Agreement.AGREES
        return Agreement.DIFFERS if attempt.state.is_lost else Agreement.OPEN
    code = attempt.hangup_cause if attempt.way.is_call else attempt.error_code
    # A code decides its state, which is not the same for a PHLO's call.
    agrees = (
        attempt.state.is_lost and code == item.expected_code
        if item.expected_code
        else attempt.state == item.expected_state
    )
    if agrees:
        return Agreement.AGREES
    has_ended = attempt.state.is_final or attempt.state.is_uncertain
    return Agreement.DIFFERS if has_ended else Agreement.OPEN
