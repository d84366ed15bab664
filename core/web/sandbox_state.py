"""`DELETE /sandbox/state?what=budgets,handsets`: resets the sandbox; without `what`, all of it.

It asks for no credentials, like the simulated handset. A page of another site cannot send it: a
browser asks before a DELETE across origins, and no such question is answered with yes here.
"""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.model.errors import ProductError, ResetRefused, StoreUnavailable
from core.reset.kinds import ResetKind, read_kinds
from core.services import Services

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_NO_STORE = {"Cache-Control": "no-store"}


def routes(services: Callable[[], Services]) -> list[Route]:
    """The route; `services` is asked for at each request."""

    async def state(request: Request) -> Response:
        if not services().settings.is_sandbox:
            return _problem(404, ResetRefused("There is no sandbox here.", "Nothing was reset."))
        if request.method != "DELETE":
            return JSONResponse(
                {"cause": "Only DELETE is served here."}, 405, {**_NO_STORE, "Allow": "DELETE"}
            )
        try:
            kinds = read_kinds(request.query_params.getlist("what"))
        except ResetRefused as error:
            return _problem(422, error)
        try:
            removed = await run_in_threadpool(services().reset.run, kinds)
        except (ResetRefused, StoreUnavailable) as error:
            return _problem(503, error)
        return JSONResponse({"removed": removed}, headers=_NO_STORE)

    # All methods: the sandbox below the same path would take the others.
    return [Route("/sandbox/state", state, methods=METHODS)]


def _problem(status: int, error: ProductError) -> Response:
    body = {"cause": error.cause, "remedy": error.remedy, "allowed": list(ResetKind)}
    return JSONResponse(body, status, _NO_STORE)
