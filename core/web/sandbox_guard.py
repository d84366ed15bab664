"""Decides who reaches the sandbox that this process serves below /sandbox.

Its API asks for the account's credentials itself, and the table of endings is public. Its handsets
and logs ask for none: they are open on this machine only, and elsewhere to the operator, to a token
with the scope admin, and to programs with the account's credentials. A page of another site in a
browser of this machine may change nothing: browsers send the POST of a form without asking. A phone
or a tunnel that reaches this app for one verification (`core.web.phone`) sees no other number.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from typing import Protocol

from starlette._utils import get_route_path
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from core.access import tokens as access_tokens
from core.access.admission import Admission
from core.access.local import is_local
from core.model.errors import StoreUnavailable
from core.settings.settings import Settings
from core.web.access import admitted, is_cross_site
from core.web.bearer import authorize
from core.web.outage import outage

#: Below the mount: Plivo's API, and the table.
_OPEN = ("/v1/", "/endings")

_REFUSAL = (
    "The sandbox's handsets and logs are open on this machine only, and not to pages of other "
    "sites. From elsewhere, send a token with the scope admin as Authorization: Bearer, or sign in "
    "as the operator.\n"
)


class GuardServices(Protocol):
    """What the guard uses."""

    @property
    def settings(self) -> Settings: ...
    @property
    def auth_token(self) -> str: ...
    @property
    def admission(self) -> Admission: ...
    @property
    def tokens(self) -> access_tokens.Tokens: ...


class SandboxGuard:
    """ASGI middleware of the mounted sandbox; `services` is called at each request."""

    def __init__(self, app: ASGIApp, services: Callable[[], GuardServices]) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            may_pass = get_route_path(scope).startswith(_OPEN) or await run_in_threadpool(
                _may_reach, self._services(), HTTPConnection(scope)
            )
        except StoreUnavailable as error:
            await refuse(outage(error), scope, receive, send)
            return
        if may_pass:
            await self._app(scope, receive, send)
        else:
            refusal = PlainTextResponse(_REFUSAL, 403, {"Cache-Control": "no-store"})
            await refuse(refusal, scope, receive, send)


def comes_from_this_machine(connection: HTTPConnection) -> bool:
    address = connection.client.host if connection.client else ""
    return is_local(address, connection.headers)


def has_credentials(services: GuardServices, connection: HTTPConnection) -> bool:
    """Those of the account, of the operator, or a token with the scope admin. Raises
    StoreUnavailable."""
    credentials = f"{services.settings.auth_id}:{services.auth_token}".encode()
    if hmac.compare_digest(_basic(connection), credentials):
        return True
    token = authorize(services.tokens, connection.headers, access_tokens.Scope.ADMIN)
    if isinstance(token, access_tokens.Token):
        return True
    return admitted(services.admission, connection).is_operator


def _may_reach(services: GuardServices, connection: HTTPConnection) -> bool:
    """Raises StoreUnavailable."""
    if comes_from_this_machine(connection) and not _is_change_by_another_site(connection):
        return True
    return has_credentials(services, connection)


def _is_change_by_another_site(connection: HTTPConnection) -> bool:
    # What a GET returns, browsers keep from pages of other sites.
    is_read = connection.scope.get("method") in {"GET", "HEAD"}
    return is_cross_site(connection) and not is_read


def _basic(connection: HTTPConnection) -> bytes:
    """The credentials of HTTP Basic; empty without any."""
    scheme, _, encoded = connection.headers.get("Authorization", "").partition(" ")
    try:
        return base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request or the opening of a WebSocket with `response`."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)
