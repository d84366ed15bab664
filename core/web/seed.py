"""The routes of the demo that this product grew from, for scripts that were written for it.

    GET /verify/{number}             send a code by message
    GET /verify_voice/{number}       send a code by call
    GET /checkcode/{number}/{code}   check it against the number's newest verification

With `PHLO_ID` set, both sends run that PHLO. Numbers are E.164, with or without the plus sign.
They are GETs that cost money and carry a code: open in the sandbox; live only with `SEED_API=true`,
and then to bearers of a token that may verify.
"""

import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.access.tokens import Scope, bearer
from core.delivery.attempt import Channel, Mode
from core.errors import StoreUnavailable
from core.keyring import new_id
from core.services import Services
from core.verification.model import CheckOutcome, SendOutcome

log = logging.getLogger(__name__)

_NO_STORE = {"Cache-Control": "no-store"}
#: The page's catch-all would answer other methods, and Starlette sends a HEAD where a GET goes.
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_GONE = {CheckOutcome.NOT_FOUND, CheckOutcome.EXPIRED}

Handler = Callable[[Services, Request], Response]


def routes(services: Callable[[], Services]) -> list[Route]:
    """The three routes; `services` is asked for at each request."""

    def guarded(handler: Handler) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            if request.method != "GET":
                return PlainTextResponse("Only GET is served here.", 405, {"Allow": "GET"})
            # Redis and Plivo are asked with blocking calls: not on the loop.
            return await run_in_threadpool(_answer, handler, services(), request)

        return endpoint

    handlers: dict[str, Handler] = {
        "/verify/{number}": lambda s, r: _send(s, r, Channel.SMS, Mode.SMS),
        "/verify_voice/{number}": lambda s, r: _send(s, r, Channel.VOICE, Mode.CALL),
        "/checkcode/{number}/{code}": _check,
    }
    return [Route(path, guarded(one), methods=_METHODS) for path, one in handlers.items()]


def _answer(handler: Handler, services: Services, request: Request) -> Response:
    try:
        return _refused(services, request) or handler(services, request)
    except StoreUnavailable as error:
        log.error("not served", extra={"cause": error.cause})
        return _said("failed", f"{error.cause} {error.remedy}", 503, {"Retry-After": "5"})


def _refused(services: Services, request: Request) -> Response | None:
    settings = services.settings
    if settings.is_sandbox:
        return None
    if not settings.seed_api:
        return _said("failed", "These routes are off. SEED_API=true turns them on.", 404)
    token = services.tokens.recognise(bearer(request.headers.get("authorization")))
    if token is None:
        return _said(
            "failed",
            "A token is missing or not valid. Send it as Authorization: Bearer.",
            401,
            {"WWW-Authenticate": "Bearer"},
        )
    if not token.may(Scope.VERIFY):
        challenge = f'Bearer error="insufficient_scope", scope="{Scope.VERIFY}"'
        return _said("failed", "This token may not verify.", 403, {"WWW-Authenticate": challenge})
    return None


def _send(services: Services, request: Request, channel: Channel, mode: Mode) -> Response:
    if services.settings.phlo_id is not None:
        channel = Channel.PHLO
    result = services.verifications.start(
        _number(request),
        channel,
        mode=mode,
        # A repeated GET is a wish for another code, and meets the budget of the number.
        idempotency_key=new_id(),
        address=request.client.host if request.client else None,
    )
    if result.outcome is SendOutcome.SENT:
        return _said("success", "verification initiated", 200)
    log.warning("not sent", extra={"outcome": result.outcome})
    headers = dict(_NO_STORE)
    if result.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(result.retry_after.total_seconds())))
    return PlainTextResponse("Error encountered", 400, headers)


def _check(services: Services, request: Request) -> Response:
    code = str(request.path_params["code"])
    result = services.verifications.check_newest(_number(request), code)
    if result.outcome is CheckOutcome.APPROVED:
        return _said("success", "codes match, number verified", 200)
    if result.outcome in _GONE:
        return _said("failed", "number not found", 500)
    return _said("rejected", "codes do not match, number not verified", 404)


def _number(request: Request) -> str:
    given = str(request.path_params["number"])
    return f"+{given}" if given.isdecimal() else given


def _said(
    status: str, message: str, code: int, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"status": status, "message": message}
    return JSONResponse(body, code, {**_NO_STORE, **(headers or {})})
