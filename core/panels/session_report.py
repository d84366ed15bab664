"""What a report of a test session contains: each item with the evidence of its attempt.

Codes and numbers are masked. The tester's own texts are as they were written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape

from core.lab.sessions.model import Mark, TestSession
from core.model.clock import Clock
from core.model.exchange import Exchange
from core.model.grant import Grant
from core.panels.evidence import AttemptEvidence, Evidence, EvidenceReader
from core.panels.exchanges import ExchangeLine
from core.panels.qa_session import CollectedLine, ItemLine, SessionReader
from core.plivo.masking import mask_text
from core.settings.settings import Settings
from core.wording.qa_session import seen_words

_SPOKEN = re.compile(r"<Speak\b[^>]*>(.*?)</Speak>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class ReportAttempt:
    """An attempt with the evidence of its verification. `lines` are its exchanges with Plivo,
    `texts` the message as it was shown, or what the call was asked to speak."""

    evidence: Evidence
    attempt: AttemptEvidence
    lines: tuple[ExchangeLine, ...]
    texts: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.attempt.attempt.id

    @property
    def seen(self) -> str:
        """Its state in one line, with what chaos of the sandbox did to it."""
        words = seen_words(self.attempt.attempt)
        return f"{words}; by chaos: {self.attempt.chaos}" if self.attempt.chaos else words

    @property
    def seconds(self) -> float | None:
        """From the request to its end; None while it has not ended."""
        total = self.attempt.row.total
        return None if total is None else total.total_seconds()


@dataclass(frozen=True, slots=True)
class ReportItem:
    """An item of the checklist. `attempt` is None if it has none, or its record is gone: then
    `line.is_kept` is false. `seen` is masked."""

    number: int
    line: ItemLine
    seen: str
    attempt: ReportAttempt | None

    @property
    def mark(self) -> Mark | None:
        return self.line.item.marked.mark if self.line.item.marked else None


@dataclass(frozen=True, slots=True)
class SessionReport:
    """A session as of `taken_at`. `others` are the attempts that no item was seen on, `refusals`
    the refused sends. Moments are in UTC."""

    session: TestSession
    items: tuple[ReportItem, ...]
    others: tuple[ReportAttempt, ...]
    refusals: tuple[CollectedLine, ...]
    taken_at: datetime
    is_simulated: bool

    @property
    def not_run(self) -> int:
        """The number of items without a mark."""
        return sum(item.mark is None for item in self.items)


def file_name(session: TestSession) -> str:
    """The name of its report, without an ending."""
    words = re.sub(r"[^a-z0-9]+", "-", session.name.lower()).strip("-")[:40]
    return f"test-session-{words or session.id}"


class SessionReportReader:
    """Collects the report of a session for those who may see it."""

    def __init__(
        self, sessions: SessionReader, evidence: EvidenceReader, clock: Clock, settings: Settings
    ) -> None:
        self._sessions = sessions
        self._evidence = evidence
        self._clock = clock
        self._simulated = settings.is_sandbox

    def read(self, session: TestSession, grant: Grant) -> SessionReport:
        """Raises StoreUnavailable."""
        lines = self._sessions.read(session, grant)
        ids = {each.id: None for each in session.verifications}
        ids |= {item.verification: None for item in session.items if item.attempt}
        evidence = {each: self._evidence.read(each, grant) for each in ids}
        attempts = {
            each.attempt.id: _attempt(of, each)
            for of in evidence.values()
            if of is not None
            for each in of.attempts
        }
        items = tuple(_item(n, line, attempts) for n, line in enumerate(lines.items, 1))
        used = {line.item.attempt for line in lines.items}
        used_refusals = {line.item.refusal for line in lines.items}
        return SessionReport(
            session=session,
            items=items,
            others=tuple(each for id_, each in attempts.items() if id_ not in used),
            refusals=tuple(
                line
                for line in reversed(lines.collected)
                if line.is_refusal and line.id not in used_refusals
            ),
            taken_at=self._clock.now(),
            is_simulated=self._simulated,
        )


def _item(number: int, line: ItemLine, attempts: Mapping[str, ReportAttempt]) -> ReportItem:
    attempt = attempts.get(line.item.attempt)
    # What Plivo wrote is free text: of an attempt that is kept it is redacted with its number and
    # code, else it is masked by the rules that need neither.
    seen = attempt.seen if attempt else mask_text(line.seen)
    return ReportItem(number, line, seen, attempt)


def _attempt(evidence: Evidence, attempt: AttemptEvidence) -> ReportAttempt:
    own = [
        (exchange, line)
        for exchange, line in zip(evidence.exchanges, evidence.lines, strict=True)
        if exchange.attempt in {"", attempt.attempt.id}
    ]
    texts = dict.fromkeys(text for exchange, _ in own for text in _texts(exchange))
    return ReportAttempt(evidence, attempt, tuple(line for _, line in own), tuple(texts))


def _texts(exchange: Exchange) -> list[str]:
    """The text of a message that was requested, or what a document lets a call speak."""
    if exchange.direction == "request":
        text = exchange.sent.get("text")
        return [text] if isinstance(text, str) and text else []
    if not isinstance(exchange.answer, str):
        return []
    return [unescape(_TAG.sub("", spoken)).strip() for spoken in _SPOKEN.findall(exchange.answer)]
