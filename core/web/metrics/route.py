"""`GET /metrics`: the figures for Prometheus, to bearers of a token that may read.

The sandbox asks for a token too: a scrape is made by a machine that has one, and its set-up is then
the same everywhere. Processes on one Redis tell the same figures, so one of them is scraped.
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
from core.web.metrics.negotiation import preferred

log = logging.getLogger(__name__)

PATH = "/metrics"
_NO_STORE = {"Cache-Control": "no-store"}
_READS = ("GET", "HEAD")
#: All of them, because the page's catch-all would answer the others.
_METHODS = [*_READS, "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def routes(services: Callable[[], Services]) -> list[Route]:
    """The route; `services` is asked for at each request."""

    async def metrics(request: Request) -> Response:
        if request.method not in _READS:
            allowed = ", ".join(_READS)
            return _said("Only GET and HEAD are served here.", 405, {"Allow": allowed})
        # Redis is asked with blocking calls: not on the loop.
        return await run_in_threadpool(_answer, services(), request)

    return [Route(PATH, metrics, methods=_METHODS)]


def _answer(services: Services, request: Request) -> Response:
    # Here, since it takes a tenth of a second to load, and most processes are never scraped.
    from core.web.metrics.exposition import CONTENT_TYPES, exposition

    try:
        if refused := _refused(services, request):
            return refused
        form = preferred(request.headers.get("accept"))
        body = exposition(collect(services), form)
    except StoreUnavailable as error:
        log.error("metrics not served", extra={"cause": error.cause})
        return _said(f"{error.cause} {error.remedy}", 503, {"Retry-After": "5"})
    headers = {**_NO_STORE, "Content-Type": CONTENT_TYPES[form], "Vary": "Accept"}
    return Response(body, headers=headers)


def _refused(services: Services, request: Request) -> Response | None:
    token = services.tokens.recognise(bearer(request.headers.get("authorization")))
    if token is None:
        return _said(
            "A token is missing or not valid. Send it as Authorization: Bearer.",
            401,
            {"WWW-Authenticate": "Bearer"},
        )
    if not token.has_scope(Scope.READ):
        challenge = f'Bearer error="insufficient_scope", scope="{Scope.READ}"'
        return _said("This token may not read.", 403, {"WWW-Authenticate": challenge})
    return None


def _said(message: str, status: int, headers: dict[str, str]) -> Response:
    return PlainTextResponse(f"{message}\n", status, {**_NO_STORE, **headers})
