"""Reads filters and pages of lists from requests, and writes the links between pages."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from core.sandbox.clock import SandboxClock
from core.sandbox.errors import NotSimulated, Refusal

MAX_LIMIT = 20
MAX_OFFSET = 10**9  # far below the largest integer of SQLite
PAGE_NAMES = ("limit", "offset")
#: Plivo posts the answer to this address later.
ASYNCHRONOUS = ("callback_url", "callback_method")
OPERATORS = ("__gt", "__gte", "__lt", "__lte")

_DIRECTIONS = ("inbound", "outbound")
#: The values that Plivo documents for filters; the sandbox uses some of them.
_VALUES = {
    "message_direction": _DIRECTIONS,
    "call_direction": _DIRECTIONS,
    "message_type": ("sms", "mms", "whatsapp"),
    "message_state": (
        *("queued", "sent", "delivered", "undelivered", "failed"),
        *("received", "rejected", "read"),
    ),
    "hangup_source": (
        *("Caller", "Callee", "Call recipient", "Plivo", "Carrier"),
        *("API Request", "Answer XML", "Error", "Unknown"),
    ),
}
# Moments are whole microseconds, so this lies between two of them.
_HALF_MICROSECOND = 5e-7


@dataclass(frozen=True, slots=True)
class Page:
    """The requested part of a list."""

    limit: int
    offset: int

    def meta(self, request: Request, path: str, *, more: bool) -> dict[str, Any]:
        """The `meta` of a list. Links are relative and keep the filters of the request."""
        before = max(0, self.offset - self.limit)
        return {
            "limit": self.limit,
            "offset": self.offset,
            "next": self._link(request, path, self.offset + self.limit) if more else None,
            "previous": self._link(request, path, before) if self.offset else None,
        }

    def _link(self, request: Request, path: str, offset: int) -> str:
        filters = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name not in {"limit", "offset"}
        ]
        return f"{path}?{urlencode([('limit', self.limit), ('offset', offset), *filters])}"


def allow_filters(request: Request, names: Collection[str]) -> None:
    """Raises Refusal 400 for a parameter that is not in `names`, is repeated, or has a value that
    Plivo does not document.

    A filter that is silently ignored would return wrong rows, and a misspelled value none.
    """
    query_names = [name for name, _ in request.query_params.multi_items()]
    for name, value in request.query_params.multi_items():
        if name in ASYNCHRONOUS:
            raise NotSimulated(name)
        if name not in names:
            raise Refusal(400, f"{name[:40]} is not a filter of this list")
        if query_names.count(name) > 1:
            raise Refusal(400, f"{name} must not be repeated")
        if value not in _VALUES.get(name, [value]):
            raise Refusal(400, f"{name} must be one of {', '.join(_VALUES[name])}")


def matches_constants(request: Request, constants: Mapping[str, str | None]) -> bool:
    """Whether the filters with a constant value in the sandbox match that value."""
    query = request.query_params
    return all(query.get(name, value) == value for name, value in constants.items())


def with_operators(name: str) -> tuple[str, ...]:
    """The names of a filter with and without operators, such as `end_time__gte`."""
    return (name, *(f"{name}{operator}" for operator in OPERATORS))


def parse_page(request: Request) -> Page:
    """`limit` is 1 to 20, by default 20. Raises Refusal 400 for other values."""
    limit = parse_int(request, "limit", MAX_LIMIT)
    offset = parse_int(request, "offset", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise Refusal(400, f"limit must be 1 to {MAX_LIMIT}")
    if not 0 <= offset <= MAX_OFFSET:
        raise Refusal(400, f"offset must be 0 to {MAX_OFFSET}")
    return Page(limit, offset)


def parse_span(
    request: Request, name: str, clock: SandboxClock, default_seconds: float
) -> tuple[float, float]:
    """The span that the filters on `name` allow: `since` ≤ moment < `until`.

    Without such a filter, the last `default_seconds`.
    """
    moments = {
        key: parse_filter(key, request.query_params[key])
        for key in with_operators(name)
        if key in request.query_params
    }
    if not moments:
        return clock.now() - default_seconds, float("inf")
    since, until = 0.0, float("inf")
    for key, moment in moments.items():
        if key in {name, f"{name}__gte"}:
            since = max(since, moment)
        if key == f"{name}__gt":
            since = max(since, moment + _HALF_MICROSECOND)
        if key in {name, f"{name}__lte"}:
            until = min(until, moment + _HALF_MICROSECOND)
        if key == f"{name}__lt":
            until = min(until, moment)
    return since, until


def parse_int(request: Request, name: str, default: int) -> int:
    """A whole number. Raises Refusal 400 for other values."""
    text = request.query_params.get(name)
    if text is None:
        return default
    # int() also reads 1_0, blanks, and the digits of other scripts.
    if not re.fullmatch("-?[0-9]{1,18}", text):
        raise Refusal(400, f"{name} must be a whole number")
    return int(text)


def parse_filter(name: str, text: str) -> float:
    """The moment of a list filter; without a zone it is UTC, as at Plivo. Raises Refusal 400."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{name} must be written YYYY-MM-DD HH:MM[:ss[.uuuuuu]]") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
