"""Serves `GET /metrics` to Prometheus, with a token that may read.

The sandbox requires a token too, so that the set-up of a scrape is the same everywhere. All
processes on one Redis answer with the same figures, so only one of them needs to be scraped.
"""

import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.access.tokens import Scope, bearer
from core.model.errors import StoreUnavailable
from core.services import Services
from core.web.metrics.collecting import collect
from core.web.metrics.negotiation import preferred_format

log = logging.getLogger(__name__)

PATH = "/metrics"
_NO_STORE = {"Cache-Control": "no-store"}
_READS = ("GET", "HEAD")
#: All methods, since the catch-all route of the pages would answer the others.
_METHODS = [*_READS, "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def routes(services: Callable[[], Services]) -> list[Route]:
    """The route; `services` is called for each request."""

    async def metrics(request: Request) -> Response:
        if request.method not in _READS:
            allowed = ", ".join(_READS)
            return _message("Only GET and HEAD are served here.", 405, {"Allow": allowed})
        # Redis calls block, so they run outside the event loop.
        return await run_in_threadpool(_answer, services(), request)

    return [Route(PATH, metrics, methods=_METHODS)]


def _answer(services: Services, request: Request) -> Response:
    # Imported here: it takes 0.1 s to load, and most processes are never scraped.
    from core.web.metrics.exposition import CONTENT_TYPES, exposition

    try:
        if refusal := _refusal(services, request):
            return refusal
        form = preferred_format(request.headers.get("accept"))
        body = exposition(collect(services), form)
    except StoreUnavailable as error:
        log.error("metrics not served", extra={"cause": error.cause})
        return _message(f"{error.cause} {error.remedy}", 503, {"Retry-After": "5"})
    headers = {**_NO_STORE, "Content-Type": CONTENT_TYPES[form], "Vary": "Accept"}
    return Response(body, headers=headers)


def _refusal(services: Services, request: Request) -> Response | None:
    token = services.tokens.recognise(bearer(request.headers.get("authorization")))
    if token is None:
        return _message(
            "A token is missing or not valid. Send it as Authorization: Bearer.",
            401,
            {"WWW-Authenticate": "Bearer"},
        )
    if not token.has_scope(Scope.READ):
        challenge = f'Bearer error="insufficient_scope", scope="{Scope.READ}"'
        return _message("This token may not read.", 403, {"WWW-Authenticate": challenge})
    return None


def _message(text: str, status: int, headers: dict[str, str]) -> Response:
    return PlainTextResponse(f"{text}\n", status, {**_NO_STORE, **headers})
