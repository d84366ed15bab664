"""Plivo's callbacks: message status, and a call's ring, answer, key press and end.

A forged request (see CallbackVerifier) gets 403 and is counted. A 2xx is sent only once the event
is stored, so that Plivo repeats a callback that was not. Both GET and POST are served, since Plivo
can be configured to use either.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.ledger.exchanges import Exchanges
from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, verification_of
from core.model.clock import Clock, to_ms
from core.model.errors import StoreUnavailable
from core.model.exchange import Exchange
from core.plivo.callback_verifier import CallbackVerifier, UnreadableCallback, VerifiedCallback
from core.plivo.callbacks import CallCallback, HangupCallback, MessageCallback
from core.plivo.masking import mask_fields, mask_text
from core.verification.call import CallDialogue, SpokenAnswer
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


@dataclass(frozen=True, slots=True)
class _Reply:
    """`events` are the kinds that the callback reported; `xml` is the answer as it may be shown."""

    response: Response
    events: tuple[EventKind, ...] = ()
    xml: str = ""


Handler = Callable[[CallbackServices, VerifiedCallback], _Reply]


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
        arrived_at, began = self.services.clock.now(), time.monotonic()
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
            reply = self.handler(self.services, callback)
        except ValidationError as error:
            self.services.ledger.count("malformed")
            fields = sorted({str(part) for detail in error.errors() for part in detail["loc"]})
            log.warning("callback malformed", extra={"route": self.route, "fields": fields})
            reply = _Reply(Response(f"Missing or unknown: {', '.join(fields)}\n", status_code=400))
        self._record(callback, reply, arrived_at, round((time.monotonic() - began) * 1000))
        return reply.response

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

    def _record(
        self, callback: VerifiedCallback, reply: _Reply, arrived_at: datetime, span_ms: int
    ) -> None:
        attempt = self.services.ledger.attempt(callback.attempt)
        if attempt is None:
            return
        self.services.exchanges.record(
            verification_of(callback.attempt),
            Exchange(
                direction="callback",
                at_ms=to_ms(arrived_at),
                method=self.request.method,
                url=mask_text(self.request.scope["path"]),
                sent=mask_fields(callback.form),
                status=reply.response.status_code,
                # The URL in it has the callback token.
                answer=mask_text(reply.xml) or None,
                span_ms=span_ms,
                attempt=callback.attempt,
                events=reply.events,
            ),
        )


def _message(services: CallbackServices, callback: VerifiedCallback) -> _Reply:
    message = MessageCallback.model_validate(callback.form)
    event = message.event(callback.attempt, services.clock.now())
    services.ledger.apply(event)
    return _noted(event)


def _ring(services: CallbackServices, callback: VerifiedCallback) -> _Reply:
    call = CallCallback.model_validate(callback.form)
    event = call.event(callback.attempt, EventKind.RINGING, services.clock.now())
    services.ledger.apply(event)
    return _noted(event)


def _answer(services: CallbackServices, callback: VerifiedCallback) -> _Reply:
    call = CallCallback.model_validate(callback.form)
    event = call.event(callback.attempt, EventKind.ANSWERED, services.clock.now())
    services.ledger.apply(event)
    answer = services.calls.answered(callback.attempt, call.reference, callback.digits_url)
    return _spoken(answer, event.kind)


def _digits(services: CallbackServices, callback: VerifiedCallback) -> _Reply:
    call = CallCallback.model_validate(callback.form)
    answer = services.calls.pressed(
        callback.attempt, call.reference, call.digits, callback.digits_url
    )
    return _spoken(answer, *([EventKind.DELIVERED] if answer.reads_code else []))


def _hangup(services: CallbackServices, callback: VerifiedCallback) -> _Reply:
    end = HangupCallback.model_validate(callback.form)
    event = end.end(callback.attempt, services.clock.now())
    services.ledger.apply(event)
    return _noted(event)


def _noted(event: AttemptEvent) -> _Reply:
    return _Reply(Response(status_code=204), (event.kind,))


def _spoken(answer: SpokenAnswer, *events: EventKind) -> _Reply:
    headers = {"Cache-Control": "no-store"}
    return _Reply(Response(answer.xml, media_type=XML, headers=headers), events, answer.shown)
