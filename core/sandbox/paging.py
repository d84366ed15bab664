"""Pages of lists: `limit`, `offset`, and the links to the neighbours."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from core.sandbox.clock import SandboxClock
from core.sandbox.errors import Refusal
from core.sandbox.moments import parse_filter

MOST = 20

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


def page_of(request: Request) -> Page:
    """`limit` is 1 to 20, 20 unless asked for; Refusal 400 outside that."""
    limit = _whole(request, "limit", MOST)
    offset = _whole(request, "offset", 0)
    if not 1 <= limit <= MOST:
        raise Refusal(400, f"limit must be 1 to {MOST}")
    if offset < 0:
        raise Refusal(400, "offset must not be negative")
    return Page(limit, offset)


def span_of(
    request: Request, name: str, clock: SandboxClock, default_seconds: float
) -> tuple[float, float]:
    """The moments that the filters on `name` leave: from the first on, before the second.

    Without any of them, the last `default_seconds`.
    """
    given = {
        key: parse_filter(key, request.query_params[key])
        for key in (name, *(f"{name}__{suffix}" for suffix in ("gt", "gte", "lt", "lte")))
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


def _whole(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise Refusal(400, f"{name} must be a whole number") from None
