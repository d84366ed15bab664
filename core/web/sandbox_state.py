"""`DELETE /sandbox/state?what=budgets,handsets`: resets the sandbox; without `what`, all of it.

It needs what the sandbox's handsets need from elsewhere (`core.web.sandbox_guard`): the operator's
session, a token with the scope admin, or the account's credentials. In an open sandbox, requests of
this machine need none. A page of another site cannot send it: browsers send a preflight before a
cross-origin DELETE, and nothing here accepts a preflight.
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
from core.web.access import admitted
from core.web.methods import AllowedMethods
from core.web.sandbox_guard import GuardServices, comes_from_this_machine, has_credentials

_NO_STORE = {"Cache-Control": "no-store"}
_NOT_ALLOWED = ResetRefused(
    "This reset needs the operator.",
    "Sign in as the operator, or send a token with the scope admin as Authorization: Bearer. Only "
    "where VERIFY_ACCESS is open, requests from the same machine need neither.",
)


class ResetServices(GuardServices, Protocol):
    """What this route uses."""

    @property
    def reset(self) -> SandboxReset: ...


def routes(services: Callable[[], ResetServices]) -> list[Route]:
    """The route, also with a final slash; `services` is called at each request."""

    async def reset_state(request: Request) -> Response:
        if not services().settings.is_sandbox:
            return _problem(404, ResetRefused("There is no sandbox here.", "Nothing was reset."))
        try:
            if not await run_in_threadpool(_may_reset, services(), request):
                return _problem(401, _NOT_ALLOWED, {"WWW-Authenticate": "Bearer"})
            if set(request.query_params) - {"what"}:
                # A misspelled `what` would reset everything.
                raise ResetRefused("This route has no parameter but what.", "Nothing was reset.")
            kinds = read_kinds(request.query_params.getlist("what"))
        except StoreUnavailable as error:
            return _problem(503, error)
        except ResetRefused as error:
            return _problem(422, error)
        try:
            removed = await run_in_threadpool(services().reset.run, kinds)
        except (ResetRefused, StoreUnavailable) as error:
            return _problem(503, error)
        return JSONResponse({"removed": removed}, headers=_NO_STORE)

    endpoint = AllowedMethods(reset_state, "DELETE")
    return [Route(path, endpoint) for path in ("/sandbox/state", "/sandbox/state/")]


def _may_reset(services: ResetServices, request: Request) -> bool:
    """Raises StoreUnavailable."""
    if has_credentials(services, request):
        return True
    is_open = admitted(services.admission, request).may_reset_sandbox
    return is_open and comes_from_this_machine(request)


def _problem(
    status: int, error: ProductError, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"cause": error.cause, "remedy": error.remedy, "allowed": list(ResetKind)}
    return JSONResponse(body, status, {**_NO_STORE, **(headers or {})})
