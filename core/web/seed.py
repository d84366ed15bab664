"""The routes of the demo that this product grew from, for scripts that were written for it.

    GET /verify/{number}             send a code by message
    GET /verify_voice/{number}       send a code by call
    GET /checkcode/{number}/{code}   check it against the number's newest verification

With `PHLO_ID` set, both sends run that PHLO. Numbers are E.164, with or without the plus sign.
They are GETs that cost money and carry a code: open in the sandbox; live only with `SEED_API=true`,
and then to bearers of a token that may verify.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from core.access.tokens import Scope, bearer
from core.model.attempt import Channel, Mode
from core.model.errors import StoreUnavailable
from core.model.grant import Grant
from core.model.verification import CheckOutcome, CheckResult, SendOutcome
from core.services import Services
from core.settings.keyring import new_id
from core.verification.checking import EnteredCode
from core.web.batch import Batch
from core.web.send_threads import SendThreads

log = logging.getLogger(__name__)

_NO_STORE = {"Cache-Control": "no-store"}
#: These routes ask for no token in the sandbox.
_SANDBOX = Grant("seed", touches_all=True)
_GONE = {CheckOutcome.NOT_FOUND, CheckOutcome.EXPIRED}

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(services: Callable[[], Services]) -> list[Route]:
    """The three routes; `services` is asked for at each request."""
    # Codes come in bursts, and a check is short: those that come together are checked together.
    checks = Batch[Request, Response](lambda requests: _check(services(), requests))
    threads = SendThreads()

    def sending(channel: Channel, mode: Mode) -> Endpoint:
        async def send(request: Request) -> Response:
            # Redis and Plivo are asked with blocking calls: not on the loop.
            return await threads.run(lambda: _send(services(), request, channel, mode))

        return send

    endpoints = {
        "/verify/{number}": sending(Channel.SMS, Mode.SMS),
        "/verify_voice/{number}": sending(Channel.VOICE, Mode.CALL),
        "/checkcode/{number}/{code}": checks.ask,
    }
    return [Route(path, _GetOnly(one)) for path, one in endpoints.items()]


class _GetOnly:
    """An endpoint that answers every other method with 405: the page's catch-all would take them,
    and Starlette sends a HEAD where a GET goes. An ASGI application, which Starlette calls without
    the wrapping that it gives to functions: a tenth of the time of a check."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method != "GET":
            return PlainTextResponse("Only GET is served here.", 405, {"Allow": "GET"})
        try:
            return await self._endpoint(request)
        except StoreUnavailable as error:
            log.error("not served", extra={"cause": error.cause})
            said = f"{error.cause} {error.remedy}"
            return _said("failed", said, 503, {"Retry-After": "5"})


def _admitted(services: Services, request: Request) -> Grant | Response:
    """What the caller may do, or why it may do nothing."""
    settings = services.settings
    if settings.is_sandbox:
        return _SANDBOX
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
    return token.grant


def _send(services: Services, request: Request, channel: Channel, mode: Mode) -> Response:
    grant = _admitted(services, request)
    if isinstance(grant, Response):
        return grant
    if services.settings.phlo_id is not None:
        channel = Channel.PHLO
    result = services.verifications.start(
        _number(request),
        channel,
        mode=mode,
        grant=grant,
        # A repeated GET is a wish for another code, and meets the budget of the number.
        idempotency_key=new_id(),
        address=_address(request),
    )
    if result.outcome is SendOutcome.SENT:
        return _said("success", "verification initiated", 200)
    log.warning("not sent", extra={"outcome": result.outcome})
    headers = dict(_NO_STORE)
    if result.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(result.retry_after.total_seconds())))
    if result.outcome is SendOutcome.BUSY:
        return _said("failed", f"{result.cause} {result.remedy}", 503, headers)
    return PlainTextResponse("Error encountered", 400, headers)


def _check(services: Services, requests: Sequence[Request]) -> list[Response]:
    admitted = [_admitted(services, request) for request in requests]
    answers = {i: one if isinstance(one, Response) else None for i, one in enumerate(admitted)}
    allowed = [i for i, refused in answers.items() if refused is None]
    entered = [
        EnteredCode(_number(request), str(request.path_params["code"]), _address(request))
        for request in (requests[i] for i in allowed)
    ]
    for i, result in zip(allowed, services.verifications.check_newest(entered), strict=True):
        answers[i] = _checked(result)
    return [answer for answer in answers.values() if answer is not None]


def _checked(result: CheckResult) -> Response:
    if result.outcome is CheckOutcome.APPROVED:
        return _MATCH
    return _UNKNOWN if result.outcome in _GONE else _MISMATCH


def _number(request: Request) -> str:
    given = str(request.path_params["number"])
    return f"+{given}" if given.isdecimal() else given


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


def _said(
    status: str, message: str, code: int, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"status": status, "message": message}
    return JSONResponse(body, code, {**_NO_STORE, **(headers or {})})


# A response without a background task keeps nothing of a request, so one serves them all.
_MATCH = _said("success", "codes match, number verified", 200)
_MISMATCH = _said("rejected", "codes do not match, number not verified", 404)
_UNKNOWN = _said("failed", "number not found", 500)
