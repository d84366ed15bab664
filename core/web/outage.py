"""The answer of a route while Redis is away: 503 with cause and remedy, as text."""

from starlette.responses import PlainTextResponse, Response

from core.model.errors import StoreUnavailable

RETRY_AFTER_SECONDS = 5


def outage(error: StoreUnavailable, retry_after: int = RETRY_AFTER_SECONDS) -> Response:
    """The answer; `retry_after` is in seconds."""
    headers = {"Retry-After": str(retry_after), "Cache-Control": "no-store"}
    return PlainTextResponse(f"{error.cause} {error.remedy}\n", 503, headers)
