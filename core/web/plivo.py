"""Plivo's callbacks: message status, and a call's ring, answer, key press and end.

A forged request (see CallbackVerifier) gets 403 and is counted. A 2xx is sent only once the event
is stored, so that Plivo repeats a callback that was not. Both GET and POST are served, since Plivo
can be configured to use either.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.ledger.exchanges import Exchanges
from core.ledger.ledger import Ledger
from core.model.attempt import EventKind, verification_of
from core.model.clock import Clock, to_ms
from core.model.errors import StoreUnavailable
from core.model.exchange import Exchange
from core.plivo.callback_verifier import CallbackVerifier, UnreadableCallback, VerifiedCallback
from core.plivo.callbacks import CallCallback, HangupCallback, MessageCallback
from core.plivo.masking import DOTS, mask_fields, mask_text
from core.verification.call import CallDialogue
from core.web.body_limit import BodyLimit
from core.web.methods import AllowedMethods, Endpoint
from core.web.outage import outage

log = logging.getLogger(__name__)

XML = "application/xml"
#: Plivo sends a few hundred bytes.
LONGEST_BODY = 64 * 1024
#: After how many seconds a callback that could not be stored may be repeated.
_RETRY_AFTER_SECONDS = 60


class CallbackServices(Protocol):
    """What these routes use."""

    @property
    def callback_verifier(self) -> CallbackVerifier: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def calls(self) -> CallDialogue: ...
    @property
    def exchanges(self) -> Exchanges: ...
    @property
    def clock(self) -> Clock: ...


Handler = Callable[[CallbackServices, VerifiedCallback], Response]


def routes(services: Callable[[], CallbackServices]) -> list[Route]:
    """The callback routes; `services` is called at each request."""
    handlers: dict[str, Handler] = {
        "message": _message,
        "ring": _ring,
        "answer": _answer,
        "digits": _digits,
        "hangup": _hangup,
    }

    def callback_route(name: str, handler: Handler) -> Route:
        endpoint = AllowedMethods(_endpoint(name, handler, services), "GET", "POST")
        return Route(f"/plivo/{name}/{{token}}", BodyLimit(endpoint, LONGEST_BODY))

    return [callback_route(name, handler) for name, handler in handlers.items()]


def _endpoint(name: str, handler: Handler, services: Callable[[], CallbackServices]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await request.body() if request.method == "POST" else b""
        callback = _ReceivedCallback(name, handler, services(), request, body)
        # The calls to Redis block: not on the loop, which serves every websocket.
        return await run_in_threadpool(callback.respond)

    return endpoint


@dataclass(frozen=True, slots=True)
class _ReceivedCallback:
    """One request to one of the routes."""

    route: str
    handler: Handler
    services: CallbackServices
    request: Request
    body: bytes

    def respond(self) -> Response:
        try:
            return self._respond()
        except StoreUnavailable as error:
            # Not stored, so not acknowledged: Plivo repeats the callback.
            log.error("callback not stored", extra={"route": self.route, "cause": error.cause})
            return outage(error, _RETRY_AFTER_SECONDS)

    def _respond(self) -> Response:
        try:
            callback = self._verified()
        except UnreadableCallback:
            self.services.ledger.count("malformed")
            log.warning("callback unreadable", extra={"route": self.route})
            return PlainTextResponse("The parameters are not a form in UTF-8.\n", 400)
        if callback is None:
            self.services.ledger.count("forged")
            log.warning("callback refused", extra={"route": self.route})
            return Response(status_code=403)
        try:
            response = self.handler(self.services, callback)
        except ValidationError as error:
            self.services.ledger.count("malformed")
            fields = sorted({str(part) for detail in error.errors() for part in detail["loc"]})
            log.warning("callback malformed", extra={"route": self.route, "fields": fields})
            response = Response(f"Missing or unknown: {', '.join(fields)}\n", status_code=400)
        self._record(callback, response)
        return response

    def _verified(self) -> VerifiedCallback | None:
        scope = self.request.scope
        path = scope.get("raw_path", scope["path"].encode())
        return self.services.callback_verifier.verify(
            str(self.request.path_params["token"]),
            method=self.request.method,
            path=path.partition(b"?")[0],
            query=scope["query_string"],
            headers=self.request.headers,
            body=self.body,
        )

    def _record(self, callback: VerifiedCallback, response: Response) -> None:
        attempt = self.services.ledger.attempt(callback.attempt)
        if attempt is None:
            return
        is_spoken = response.media_type == XML
        self.services.exchanges.record(
            verification_of(callback.attempt),
            Exchange(
                direction="callback",
                at_ms=to_ms(self.services.clock.now()),
                method=self.request.method,
                url=mask_text(self.request.scope["path"]),
                sent=mask_fields(callback.form),
                status=response.status_code,
                # The spoken text may hold the code.
                answer=f"<Response>{DOTS}</Response>" if is_spoken else None,
                span_ms=0,
            ),
        )


def _message(services: CallbackServices, callback: VerifiedCallback) -> Response:
    message = MessageCallback.model_validate(callback.form)
    services.ledger.apply(message.event(callback.attempt, services.clock.now()))
    return Response(status_code=204)


def _ring(services: CallbackServices, callback: VerifiedCallback) -> Response:
    call = CallCallback.model_validate(callback.form)
    event = call.event(callback.attempt, EventKind.RINGING, services.clock.now())
    services.ledger.apply(event)
    return Response(status_code=204)


def _answer(services: CallbackServices, callback: VerifiedCallback) -> Response:
    call = CallCallback.model_validate(callback.form)
    event = call.event(callback.attempt, EventKind.ANSWERED, services.clock.now())
    services.ledger.apply(event)
    return _xml(services.calls.answered(callback.attempt, call.reference, callback.digits_url))


def _digits(services: CallbackServices, callback: VerifiedCallback) -> Response:
    call = CallCallback.model_validate(callback.form)
    xml = services.calls.pressed(callback.attempt, call.reference, call.digits, callback.digits_url)
    return _xml(xml)


def _hangup(services: CallbackServices, callback: VerifiedCallback) -> Response:
    end = HangupCallback.model_validate(callback.form)
    services.ledger.apply(end.end(callback.attempt, services.clock.now()))
    return Response(status_code=204)


def _xml(text: str) -> Response:
    return Response(text, media_type=XML, headers={"Cache-Control": "no-store"})
