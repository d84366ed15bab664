"""Lists: their filters, pages by `limit` and `offset`, and the links to the neighbours."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from core.sandbox.clock import SandboxClock
from core.sandbox.errors import Refusal

MOST = 20
MAX_OFFSET = 10**9  # far below the largest integer of SQLite
PAGE_NAMES = ("limit", "offset")
OPERATORS = ("__gt", "__gte", "__lt", "__lte")

# Moments are whole microseconds, so this lies between a moment and the next.
_HALF_MICROSECOND = 5e-7


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are asked for."""

    limit: int
    offset: int

    def meta(self, request: Request, path: str, *, more: bool) -> dict[str, Any]:
        """Links are relative, and keep the filters of the request."""
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
    """Refusal 400 for a parameter that is not in `names`, or is given twice: a filter that is
    ignored answers another question than the one that was asked."""
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in names:
            raise Refusal(400, f"{name[:40]} is not a filter of this list")
        if given.count(name) > 1:
            raise Refusal(400, f"{name} may be given once only")


def with_operators(name: str) -> tuple[str, ...]:
    """A filter and its forms for comparison, such as `end_time__gte`."""
    return (name, *(f"{name}{operator}" for operator in OPERATORS))


def parse_page(request: Request) -> Page:
    """`limit` is 1 to 20, 20 unless asked for; Refusal 400 outside that."""
    limit = parse_int(request, "limit", MOST)
    offset = parse_int(request, "offset", 0)
    if not 1 <= limit <= MOST:
        raise Refusal(400, f"limit must be 1 to {MOST}")
    if not 0 <= offset <= MAX_OFFSET:
        raise Refusal(400, f"offset must be 0 to {MAX_OFFSET}")
    return Page(limit, offset)


def parse_span(
    request: Request, name: str, clock: SandboxClock, default_seconds: float
) -> tuple[float, float]:
    """The moments that the filters on `name` leave: from the first on, before the second.

    Without any of them, the last `default_seconds`.
    """
    given = {
        key: parse_filter(key, request.query_params[key])
        for key in with_operators(name)
        if key in request.query_params
    }
    if not given:
        return clock.now() - default_seconds, float("inf")
    since, until = 0.0, float("inf")
    for key, moment in given.items():
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
    """The whole number in a parameter; Refusal 400 if it is none."""
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise Refusal(400, f"{name} must be a whole number") from None


def parse_filter(name: str, text: str) -> float:
    """The moment in a list filter, which Plivo reads as UTC; Refusal 400 if it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{name} must be written YYYY-MM-DD HH:MM[:ss[.uuuuuu]]") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
