"""Serves `GET /metrics` to Prometheus, with a token that may read.

The sandbox requires a token too, so that the set-up of a scrape is the same everywhere. All
processes on one Redis answer with the same figures, so only one of them needs to be scraped.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.access.tokens import Scope
from core.model.errors import StoreUnavailable
from core.web.bearer import BearerRefusal, authorize
from core.web.methods import AllowedMethods
from core.web.metrics.negotiation import preferred_format
from core.web.outage import outage

if TYPE_CHECKING:
    from core.web.metrics.collecting import MetricsServices

log = logging.getLogger(__name__)

PATH = "/metrics"
_NO_STORE = {"Cache-Control": "no-store"}


def routes(services: Callable[[], "MetricsServices"]) -> list[Route]:
    """The route; `services` is called at each request."""

    async def metrics(request: Request) -> Response:
        # The calls to Redis block: not on the loop.
        return await run_in_threadpool(_answer, services(), request.headers)

    return [Route(PATH, AllowedMethods(metrics, "GET", "HEAD"))]


def _answer(services: "MetricsServices", headers: Mapping[str, str]) -> Response:
    # Here, since they are slow to load, and most processes are never scraped.
    from core.web.metrics.collecting import collect
    from core.web.metrics.exposition import CONTENT_TYPES, exposition

    try:
        token = authorize(services.tokens, headers, Scope.READ)
        if isinstance(token, BearerRefusal):
            return PlainTextResponse(
                f"{token.cause} {token.remedy}\n", token.status, {**_NO_STORE, **token.headers}
            )
        form = preferred_format(headers.get("accept"))
        body = exposition(collect(services), form)
    except StoreUnavailable as error:
        log.error("metrics not served", extra={"cause": error.cause})
        return outage(error)
    content = {"Content-Type": CONTENT_TYPES[form], "Vary": "Accept"}
    return Response(body, headers={**_NO_STORE, **content})
