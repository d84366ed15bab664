"""Plivo's callbacks: message status, and a call's ring, answer, key press and end.

A request is believed only with our token in its path and Plivo's signature over the public URL;
else it gets 403 and is counted. A 2xx is given only once the event is stored, so that Plivo
repeats what was not. Both GET and POST are served, since Plivo may be told to use either; every
other method gets 405 here, because the page's catch-all would answer it with 200.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.model.attempt import EventKind, verification_of
from core.model.clock import to_ms
from core.model.errors import StoreUnavailable
from core.model.exchange import Exchange
from core.plivo.callbacks import CallCallback, HangupCallback, MessageCallback
from core.plivo.masking import DOTS, mask_fields, mask_text
from core.plivo.signature import check_signature
from core.services import Services

log = logging.getLogger(__name__)

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
XML = "application/xml"
#: Plivo sends a few hundred bytes.
LONGEST_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedCallback:
    """A callback that is believed: which attempt it is about, and its parameters."""

    attempt: str
    token: str
    form: dict[str, str]


Handler = Callable[[Services, ReceivedCallback], Response]


def routes(services: Callable[[], Services]) -> list[Route]:
    """The callback routes; `services` is asked for at each request."""
    handlers: dict[str, Handler] = {
        "message": _message,
        "ring": _ring,
        "answer": _answer,
        "digits": _digits,
        "hangup": _hangup,
    }
    return [
        Route(f"/plivo/{name}/{{token}}", _endpoint(name, handler, services), methods=METHODS)
        for name, handler in handlers.items()
    ]


def _endpoint(
    name: str, handler: Handler, services: Callable[[], Services]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.method not in {"GET", "POST"}:
            return Response(status_code=405, headers={"Allow": "GET, POST"})
        body = b""
        if request.method == "POST":
            body = await _read(request)
            if len(body) > LONGEST_BODY:
                return Response(status_code=413)
        # Redis is asked with blocking calls: not on the loop that serves every websocket.
        return await run_in_threadpool(_serve, name, handler, services(), request, body)

    return endpoint


async def _read(request: Request) -> bytes:
    """The body, but no more than is needed to see that it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            break
    return body


def _serve(
    name: str, handler: Handler, services: Services, request: Request, body: bytes
) -> Response:
    try:
        callback = _believe(services, request, body)
        if callback is None:
            services.ledger.count("forged")
            log.warning("callback refused", extra={"route": name})
            return Response(status_code=403)
        try:
            response = handler(services, callback)
        except ValidationError as error:
            services.ledger.count("malformed")
            wrong = sorted({str(part) for one in error.errors() for part in one["loc"]})
            log.warning("callback malformed", extra={"route": name, "fields": wrong})
            response = Response(f"Missing or unknown: {', '.join(wrong)}\n", status_code=400)
        _record(services, request, callback, response)
        return response
    except StoreUnavailable as error:
        # Not stored, so not acknowledged: Plivo will say it again.
        log.error("callback not stored", extra={"route": name, "cause": error.cause})
        return Response(status_code=503, headers={"Retry-After": "60"})


def _believe(services: Services, request: Request, body: bytes) -> ReceivedCallback | None:
    token = str(request.path_params["token"])
    attempt = services.keyring.attempt_of(token)
    if attempt is None or services.address.base is None:
        return None
    # Not `request.url`: that one is built from the header Host, which may be malformed.
    scope = request.scope
    try:
        text = body.decode()
        form = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)))
        path, query = scope.get("raw_path", scope["path"].encode()), scope["query_string"]
        url = f"{services.address.base}{path.partition(b'?')[0].decode()}"
        if query:
            url = f"{url}?{query.decode()}"
    except ValueError:
        return None
    check = check_signature(
        services.auth_token,
        method=request.method,
        url=url,
        headers=request.headers,
        form=form,
    )
    if not check.is_valid:
        return None
    return ReceivedCallback(attempt, token, dict(request.query_params) | form)


def _message(services: Services, callback: ReceivedCallback) -> Response:
    message = MessageCallback.model_validate(callback.form)
    services.ledger.apply(message.event(callback.attempt, services.clock.now()))
    return Response(status_code=204)


def _ring(services: Services, callback: ReceivedCallback) -> Response:
    call = CallCallback.model_validate(callback.form)
    event = call.event(callback.attempt, EventKind.RINGING, services.clock.now())
    services.ledger.apply(event)
    return Response(status_code=204)


def _answer(services: Services, callback: ReceivedCallback) -> Response:
    call = CallCallback.model_validate(callback.form)
    event = call.event(callback.attempt, EventKind.ANSWERED, services.clock.now())
    services.ledger.apply(event)
    xml = services.calls.answered(callback.attempt, call.reference, _key_url(services, callback))
    return Response(xml, media_type=XML, headers={"Cache-Control": "no-store"})


def _digits(services: Services, callback: ReceivedCallback) -> Response:
    call = CallCallback.model_validate(callback.form)
    xml = services.calls.pressed(
        callback.attempt, call.reference, call.digits, _key_url(services, callback)
    )
    return Response(xml, media_type=XML, headers={"Cache-Control": "no-store"})


def _hangup(services: Services, callback: ReceivedCallback) -> Response:
    end = HangupCallback.model_validate(callback.form)
    services.ledger.apply(end.end(callback.attempt, services.clock.now()))
    return Response(status_code=204)


def _key_url(services: Services, callback: ReceivedCallback) -> str:
    return f"{services.address.base}/plivo/digits/{callback.token}"


def _record(
    services: Services, request: Request, callback: ReceivedCallback, response: Response
) -> None:
    attempt = services.ledger.attempt(callback.attempt)
    if attempt is None:
        return
    path = mask_text(request.scope["path"])
    spoken = response.media_type == XML
    services.exchanges.record(
        verification_of(callback.attempt),
        Exchange(
            direction="callback",
            at_ms=to_ms(services.clock.now()),
            method=request.method,
            url=path,
            sent=mask_fields(callback.form),
            status=response.status_code,
            # What is spoken may be the code.
            answer=f"<Response>{DOTS}</Response>" if spoken else None,
            span_ms=0,
        ),
    )
