"""`DELETE /sandbox/state?what=budgets,handsets`: resets the sandbox; without `what`, all of it.

In an open sandbox it asks for no credentials, like the simulated handset; with another
VERIFY_ACCESS it needs the operator's session or a token with the scope admin. A page of another
site cannot send it: a browser first asks whether DELETE is allowed across origins, and gets no.
"""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.access.tokens import Scope, bearer
from core.model.errors import ProductError, ResetRefused, StoreUnavailable
from core.reset.kinds import ResetKind, read_kinds
from core.services import Services
from core.web.access import admitted

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_NO_STORE = {"Cache-Control": "no-store"}
_NOT_ALLOWED = ResetRefused(
    "VERIFY_ACCESS is not open, so a reset needs the operator.",
    "Sign in as the operator, or send a token with the scope admin as Authorization: Bearer.",
)


def routes(services: Callable[[], Services]) -> list[Route]:
    """The route; `services` is called at each request."""

    async def state(request: Request) -> Response:
        if not services().settings.is_sandbox:
            return _problem(404, ResetRefused("There is no sandbox here.", "Nothing was reset."))
        if request.method != "DELETE":
            return JSONResponse(
                {"cause": "Only DELETE is served here."}, 405, {**_NO_STORE, "Allow": "DELETE"}
            )
        try:
            if not await run_in_threadpool(_may_reset, services(), request):
                return _problem(401, _NOT_ALLOWED, {"WWW-Authenticate": "Bearer"})
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

    # All methods: otherwise the sandbox, which is mounted below the same path, would answer them.
    return [Route("/sandbox/state", state, methods=METHODS)]


def _may_reset(services: Services, request: Request) -> bool:
    """Raises StoreUnavailable."""
    if admitted(services, request).may_reset_sandbox:
        return True
    token = services.tokens.recognise(bearer(request.headers.get("authorization")))
    return token is not None and token.may(Scope.ADMIN)


def _problem(
    status: int, error: ProductError, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"cause": error.cause, "remedy": error.remedy, "allowed": list(ResetKind)}
    return JSONResponse(body, status, {**_NO_STORE, **(headers or {})})
