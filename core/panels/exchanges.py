"""The content of "Behind the scenes": a line for each exchange with Plivo, and its parts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.model.attempt import EventKind
from core.model.clock import to_ms
from core.model.exchange import Exchange
from core.panels.exchange_code import curl, sdk_program
from core.verification.timeline import TimelineRow

#: The events that follow from the answer to a send, the decisive ones first.
_OF_A_SEND = (
    EventKind.REJECTED,
    EventKind.UNCONFIRMED,
    EventKind.ACCEPTED,
    EventKind.REQUESTED,
)
_ROUTES = {
    "ring": "callback ringing",
    "answer": "answer URL",
    "digits": "key URL",
    "hangup": "callback hangup",
}


@dataclass(frozen=True, slots=True)
class ExchangeTab:
    """A part of an exchange as text, to read and to copy."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """An exchange. `after_ms` counts from the first request; `steps` are the ids of the steps of
    the timeline that it caused, the main one first, and `step_label` is the name of that one."""

    after_ms: int
    is_request: bool
    what: str
    status: str
    span_ms: int
    is_simulated: bool
    tabs: tuple[ExchangeTab, ...]
    steps: tuple[str, ...] = ()
    step_label: str = ""


def step_id(attempt: str, kind: EventKind | None) -> str:
    """Names a step of the timeline on a page; "" for one that no event brought."""
    return f"{attempt.rpartition('-')[2]}-{kind}" if attempt and kind else ""


def exchange_lines(
    exchanges: Sequence[Exchange],
    rows: Sequence[TimelineRow],
    start: datetime,
    *,
    simulated: bool,
) -> list[ExchangeLine]:
    """The lines in the order of their times, linked to the steps of the timeline's `rows`."""
    labels = {
        step_id(row.attempt, step.kind): f"{row.label}: {step.label}"
        if len(rows) > 1
        else step.label
        for row in rows
        for step in row.steps
        if step.kind and step.at is not None
    }
    lines = []
    for exchange in sorted(exchanges, key=lambda exchange: exchange.at_ms):
        steps = tuple(step for step in _steps(exchange) if step in labels)
        lines.append(
            ExchangeLine(
                after_ms=max(0, exchange.at_ms - to_ms(start)),
                is_request=_is_request(exchange),
                what=_what(exchange),
                status=_status(exchange),
                span_ms=exchange.span_ms,
                is_simulated=simulated,
                tabs=tuple(_tabs(exchange, simulated=simulated)),
                steps=steps,
                step_label=labels[steps[0]] if steps else "",
            )
        )
    return lines


def _is_request(exchange: Exchange) -> bool:
    return exchange.direction == "request"


def _steps(exchange: Exchange) -> list[str]:
    if not exchange.attempt:
        return []
    kinds: Sequence[EventKind] = exchange.events[::-1]
    if _is_request(exchange) and not kinds:
        kinds = _OF_A_SEND
    return [step_id(exchange.attempt, kind) for kind in kinds]


def _what(exchange: Exchange) -> str:
    """ "POST Message", "callback delivered", "answer URL"."""
    parts = [part for part in exchange.url.split("/") if part]
    if not _is_request(exchange):
        route = parts[1] if len(parts) > 1 else ""
        return _ROUTES.get(route) or f"callback {exchange.sent.get('Status', '')}".rstrip()
    lowered = [part.lower() for part in parts]
    resource = next(
        (name for name in ("Message", "Call", "PHLO") if name.lower() in lowered), parts[-1]
    )
    if exchange.sent.get("status") == "live":
        resource = f"live {resource}"
    return f"{exchange.method} {resource}"


def _tabs(exchange: Exchange, *, simulated: bool) -> Iterator[ExchangeTab]:
    if _is_request(exchange):
        yield ExchangeTab("curl", curl(exchange, simulated=simulated))
        if exchange.call:
            yield ExchangeTab("Python SDK", sdk_program(exchange, simulated=simulated))
    answer = exchange.answer
    is_xml = isinstance(answer, str) and answer.startswith("<Response")
    sent = _with_body(f"{exchange.method} {exchange.url}", exchange.sent)
    answered = _with_body(_status(exchange), None if is_xml else answer)
    yield ExchangeTab("Body", f"{sent}\n\n{answered}")
    if is_xml:
        yield ExchangeTab("XML", answer.replace("><", ">\n<"))


def _status(exchange: Exchange) -> str:
    return "no answer" if exchange.status is None else str(exchange.status)


def _with_body(head: str, body: object) -> str:
    if not body:
        return head
    text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
    return f"{head}\n{text}"
