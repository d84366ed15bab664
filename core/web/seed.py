"""The routes of the demo that this product grew from, for scripts that were written for it.

    GET /verify/{number}             send a code by message
    GET /verify_voice/{number}       send a code by call
    GET /checkcode/{number}/{code}   check it against the number's newest verification

With `PHLO_ID` set, both sends run that PHLO. Numbers are E.164, with or without the plus sign.
These GETs cost money and carry a code: they are open in the sandbox; live they need `SEED_API=true`
and a token with the scope verify.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.access.tokens import Scope, Tokens
from core.model.errors import StoreUnavailable
from core.model.grant import Grant
from core.model.verification import CheckOutcome, CheckResult, SendOutcome
from core.model.way import Channel, Way
from core.settings.keyring import new_id
from core.settings.settings import Settings
from core.verification.checking import EnteredCode
from core.verification.service import Verifications
from core.web.batch import Batch
from core.web.bearer import BearerRefusal, authorize
from core.web.methods import AllowedMethods, Endpoint
from core.web.outage import RETRY_AFTER_SECONDS
from core.web.retry_after import retry_after_seconds
from core.web.send_threads import SendThreads

log = logging.getLogger(__name__)

_NO_STORE = {"Cache-Control": "no-store"}
#: These routes ask for no token in the sandbox.
_SANDBOX = Grant("seed", touches_all=True)
_GONE = {CheckOutcome.NOT_FOUND, CheckOutcome.EXPIRED}


class SeedServices(Protocol):
    """What these routes use."""

    @property
    def settings(self) -> Settings: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def verifications(self) -> Verifications: ...


def routes(services: Callable[[], SeedServices]) -> list[Route]:
    """The three routes; `services` is called at each request."""
    # Codes come in bursts, and a check is short: concurrent checks share one round trip.
    checks = Batch[Request, Response](lambda requests: _check(services(), requests))
    threads = SendThreads()

    def sending(way: Way) -> Endpoint:
        async def send(request: Request) -> Response:
            # The calls to Redis and Plivo block: not on the loop.
            return await threads.run(lambda: _send(services(), request, way))

        return send

    endpoints = {
        "/verify/{number}": sending(Way.SMS),
        "/verify_voice/{number}": sending(Way.VOICE),
        "/checkcode/{number}/{code}": checks.ask,
    }
    return [
        Route(path, AllowedMethods(_with_outage(endpoint), "GET"))
        for path, endpoint in endpoints.items()
    ]


def _with_outage(endpoint: Endpoint) -> Endpoint:
    """The endpoint, which answers 503 while Redis is away."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StoreUnavailable as error:
            log.error("not served", extra={"cause": error.cause})
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            return _json("failed", f"{error.cause} {error.remedy}", 503, headers)

    return answer


def _authorized(services: SeedServices, request: Request) -> Grant | Response:
    """The caller's grant, or the answer that refuses it."""
    settings = services.settings
    if settings.is_sandbox:
        return _SANDBOX
    if not settings.seed_api:
        return _json("failed", "These routes are off. SEED_API=true turns them on.", 404)
    token = authorize(services.tokens, request.headers, Scope.VERIFY)
    if isinstance(token, BearerRefusal):
        message = f"{token.cause} {token.remedy}"
        return _json("failed", message, token.status, token.headers)
    return token.grant


def _send(services: SeedServices, request: Request, way: Way) -> Response:
    grant = _authorized(services, request)
    if isinstance(grant, Response):
        return grant
    if services.settings.phlo_id is not None:
        way = Way.of(Channel.PHLO, way.mode)
    result = services.verifications.start(
        _number(request),
        way,
        grant=grant,
        # A repeated GET asks for another code, and the budget of the number limits that.
        idempotency_key=new_id(),
        address=_address(request),
    )
    if result.outcome is SendOutcome.SENT:
        return _json("success", "verification initiated", 200)
    log.warning("not sent", extra={"outcome": result.outcome})
    headers = dict(_NO_STORE)
    if result.retry_after is not None:
        headers["Retry-After"] = str(retry_after_seconds(result.retry_after))
    if result.outcome is SendOutcome.BUSY:
        return _json("failed", f"{result.cause} {result.remedy}", 503, headers)
    return PlainTextResponse("Error encountered", 400, headers)


def _check(services: SeedServices, requests: Sequence[Request]) -> list[Response]:
    """The answers, in the order of the requests."""
    grants = [_authorized(services, request) for request in requests]
    entered = [
        EnteredCode(_number(request), str(request.path_params["code"]), _address(request))
        for request, grant in zip(requests, grants, strict=True)
        if isinstance(grant, Grant)
    ]
    results = iter(services.verifications.check_newest(entered))
    return [grant if isinstance(grant, Response) else _checked(next(results)) for grant in grants]


def _checked(result: CheckResult) -> Response:
    if result.outcome is CheckOutcome.APPROVED:
        return _MATCH
    return _UNKNOWN if result.outcome in _GONE else _MISMATCH


def _number(request: Request) -> str:
    number = str(request.path_params["number"])
    return f"+{number}" if number.isdecimal() else number


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


def _json(
    status: str, message: str, code: int, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"status": status, "message": message}
    return JSONResponse(body, code, {**_NO_STORE, **(headers or {})})


# A response without a background task keeps nothing of a request, so all requests share these.
_MATCH = _json("success", "codes match, number verified", 200)
_MISMATCH = _json("rejected", "codes do not match, number not verified", 404)
_UNKNOWN = _json("failed", "number not found", 500)
