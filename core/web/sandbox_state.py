"""`DELETE /sandbox/state?what=budgets,handsets`: resets the sandbox; without `what`, all of it.

It needs no credentials, like the simulated handset. A page of another site cannot send it: browsers
send a preflight before a cross-origin DELETE, and nothing here accepts a preflight.
"""

from collections.abc import Callable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.model.errors import ProductError, ResetRefused, StoreUnavailable
from core.reset.kinds import ResetKind, read_kinds
from core.reset.reset import SandboxReset
from core.settings.settings import Settings
from core.web.methods import AllowedMethods

_NO_STORE = {"Cache-Control": "no-store"}


class ResetServices(Protocol):
    """What this route uses."""

    @property
    def settings(self) -> Settings: ...
    @property
    def reset(self) -> SandboxReset: ...


def routes(services: Callable[[], ResetServices]) -> list[Route]:
    """The route; `services` is called at each request."""

    async def reset_state(request: Request) -> Response:
        if not services().settings.is_sandbox:
            return _problem(404, ResetRefused("There is no sandbox here.", "Nothing was reset."))
        try:
            kinds = read_kinds(request.query_params.getlist("what"))
        except ResetRefused as error:
            return _problem(422, error)
        try:
            removed = await run_in_threadpool(services().reset.run, kinds)
        except (ResetRefused, StoreUnavailable) as error:
            return _problem(503, error)
        return JSONResponse({"removed": removed}, headers=_NO_STORE)

    return [Route("/sandbox/state", AllowedMethods(reset_state, "DELETE"))]


def _problem(status: int, error: ProductError) -> Response:
    body = {"cause": error.cause, "remedy": error.remedy, "allowed": list(ResetKind)}
    return JSONResponse(body, status, _NO_STORE)
