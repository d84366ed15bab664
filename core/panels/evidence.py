"""Evidence of a verification: all that is known of it, without number, code and secrets."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.ledger.exchanges import Exchanges
from core.model.attempt import Attempt, State
from core.model.clock import from_ms
from core.model.code import Code
from core.model.exchange import Exchange
from core.model.grant import Grant
from core.model.verification import View
from core.model.way import Way
from core.panels.chaos_watch import ChaosWatch
from core.panels.exchanges import ExchangeLine, exchange_lines
from core.panels.redaction import Redaction
from core.settings.settings import Settings
from core.verification.service import Verifications
from core.verification.timeline import TimelineRow, timeline
from core.wording.formats import format_price
from core.wording.verification import Words, attempt_words, status_words

#: The form of the JSON. A change that a reader would notice gets the next number.
FORMAT = "verification-evidence/1"


@dataclass(frozen=True, slots=True)
class AttemptEvidence:
    """An attempt, its row of the timeline, and its state with the cause in words. `chaos`: what
    rules of the sandbox's chaos did to it, "" if nothing."""

    attempt: Attempt
    row: TimelineRow
    words: Words
    chaos: str = ""

    @property
    def cause(self) -> str:
        """Why it was lost, or why that is not known; else ""."""
        is_over = self.attempt.state.is_lost or self.attempt.state.is_uncertain
        return self.words.detail if is_over else ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verification as of `taken_at`. Every text is masked. `lines` are the `exchanges` as a page
    shows them. Moments are in UTC."""

    id: str
    status: str
    words: Words
    to_masked: str
    country: str
    carrier: str
    way: Way
    language: str
    started_at: datetime
    expires_at: datetime
    verified_at: datetime | None
    checks_left: int
    taken_at: datetime
    is_simulated: bool
    attempts: tuple[AttemptEvidence, ...]
    exchanges: tuple[Exchange, ...]
    lines: tuple[ExchangeLine, ...]

    @property
    def file_name(self) -> str:
        """Without an ending."""
        return f"evidence-{self.id}"

    @property
    def cost_micros(self) -> int | None:
        """What Plivo reported for all attempts that it did not reject; None while a price of these
        is missing."""
        sent = [each.attempt for each in self.attempts if each.attempt.state is not State.REJECTED]
        if not all(attempt.cost_micros for attempt in sent):
            return None
        return sum(attempt.cost_micros for attempt in sent)

    @property
    def cost_words(self) -> str:
        """ "$0.0077, simulated"."""
        simulated = ", simulated" if self.is_simulated else ""
        if self.cost_micros is None:
            known = sum(each.attempt.cost_micros for each in self.attempts)
            return (
                f"{cost_words(known)} so far{simulated}" if known else "not reported by Plivo yet"
            )
        return f"{cost_words(self.cost_micros)}{simulated}" if self.cost_micros else "nothing sent"


class EvidenceReader:
    """Collects the evidence of a verification for those who may see it."""

    def __init__(
        self,
        verifications: Verifications,
        exchanges: Exchanges,
        settings: Settings,
        chaos: ChaosWatch,
    ) -> None:
        self._chaos = chaos
        self._verifications = verifications
        self._exchanges = exchanges
        self._simulated = settings.is_sandbox

    def read(self, verification: str, grant: Grant) -> Evidence | None:
        """None if it is not kept (any more), or the grant does not reach it. Raises
        StoreUnavailable."""
        view = self._verifications.look(verification, grant)
        if view is None:
            return None
        code = self._verifications.code_for(view.verification)
        exchanges = self._exchanges.of(verification)
        evidence = evidence_of(view, exchanges, code, simulated=self._simulated)
        if not self._simulated:
            return evidence
        attempts = (
            replace(each, chaos=self._chaos.effects_on(each.attempt.reference))
            for each in evidence.attempts
        )
        return replace(evidence, attempts=tuple(attempts))


def evidence_of(
    view: View, exchanges: Sequence[Exchange], code: Code, *, simulated: bool
) -> Evidence:
    """The evidence of a verification whose code is known."""
    verification = view.verification
    redaction = Redaction(verification.to.e164, code)
    redacted = replace(view, attempts=[_redacted(redaction, each) for each in view.attempts])
    kept = sorted(
        (_redacted_exchange(redaction, exchange) for exchange in exchanges),
        key=lambda exchange: exchange.at_ms,
    )
    rows = timeline(redacted)
    lines = exchange_lines(kept, rows, verification.started_at, simulated=simulated)
    return Evidence(
        id=verification.id,
        status=verification.status.value,
        words=status_words(redacted),
        to_masked=verification.to.masked,
        country=verification.to.country,
        carrier=verification.carrier,
        way=verification.way,
        language=verification.language,
        started_at=verification.started_at,
        expires_at=verification.expires_at,
        verified_at=verification.verified_at,
        checks_left=verification.checks_left,
        taken_at=view.now,
        is_simulated=simulated,
        attempts=tuple(
            AttemptEvidence(attempt, row, attempt_words(attempt))
            for attempt, row in zip(redacted.attempts, rows, strict=False)
        ),
        exchanges=tuple(kept),
        lines=tuple(lines),
    )


def _redacted(redaction: Redaction, attempt: Attempt) -> Attempt:
    """What Plivo wrote in an attempt is free text."""
    return replace(
        attempt, cause=redaction.text(attempt.cause), remedy=redaction.text(attempt.remedy)
    )


def _redacted_exchange(redaction: Redaction, exchange: Exchange) -> Exchange:
    return replace(
        exchange,
        url=redaction.text(exchange.url),
        call=redaction.text(exchange.call),
        sent=redaction.value(exchange.sent),
        answer=redaction.value(exchange.answer),
    )


def cost_words(micros: int) -> str:
    """ "$0.0077"."""
    return format_price(micros / 1_000_000)


def evidence_json(evidence: Evidence) -> str:
    """The evidence as JSON. Moments are in UTC, lengths in milliseconds, amounts in millionths of a
    US dollar."""
    return json.dumps(_document(evidence), indent=2, ensure_ascii=False)


def _document(evidence: Evidence) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "taken_at": utc(evidence.taken_at),
        "is_simulated": evidence.is_simulated,
        "verification": {
            "id": evidence.id,
            "status": evidence.status,
            "verdict": f"{evidence.words.headline} {evidence.words.detail}".strip(),
            "to_masked": evidence.to_masked,
            "country": evidence.country,
            "carrier": evidence.carrier,
            **evidence.way.fields,
            "language": evidence.language,
            "started_at": utc(evidence.started_at),
            "expires_at": utc(evidence.expires_at),
            "verified_at": utc(evidence.verified_at),
            "checks_left": evidence.checks_left,
            "cost_micros": evidence.cost_micros,
        },
        "attempts": [_attempt(each) for each in evidence.attempts],
        "exchanges": [_exchange(each) for each in evidence.exchanges],
    }


def _attempt(evidence: AttemptEvidence) -> dict[str, Any]:
    attempt, row, words = evidence.attempt, evidence.row, evidence.words
    return {
        "id": attempt.id,
        "reference": attempt.reference,
        **attempt.way.fields,
        "origin": attempt.origin,
        "state": attempt.state.value,
        "verdict": words.headline,
        "cause": evidence.cause,
        "chaos": evidence.chaos,
        "error_code": attempt.error_code,
        "hangup_cause": attempt.hangup_cause,
        "network": f"{attempt.mcc}-{attempt.mnc}" if attempt.mcc else "",
        "cost_micros": attempt.cost_micros,
        "units": attempt.units,
        "offset_ms": _ms(row.offset),
        "total_ms": _ms(row.total),
        "timeline": [
            {
                "step": step.label,
                "state": step.state.value,
                "at": utc(step.at),
                "gap_ms": _ms(step.gap),
                "note": step.note,
            }
            for step in row.steps
        ],
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "at": utc(from_ms(exchange.at_ms)),
        "direction": exchange.direction,
        "attempt": exchange.attempt,
        "method": exchange.method,
        "url": exchange.url,
        "sent": exchange.sent,
        "status": exchange.status,
        "answer": exchange.answer,
        "took_ms": exchange.span_ms,
        "sdk_call": exchange.call,
        "events": [kind.value for kind in exchange.events],
    }


def utc(moment: datetime | None) -> str | None:
    """RFC 3339 with milliseconds: `2026-11-24T12:04:30.250Z`."""
    if moment is None:
        return None
    return f"{moment.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def _ms(length: timedelta | None) -> int | None:
    return None if length is None else round(length / timedelta(milliseconds=1))
