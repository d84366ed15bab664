"""The routes that set and remove cookies: the operator's, and that of an invite.

POST /admin/sign-in               the operator's password
POST /admin/sign-out              end this session
POST /admin/sign-out-everywhere   end every session
GET  /invite/{token}              open an invite link; sends nothing
"""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from core.access.admission import Admission, BrowserAccess
from core.access.invites import COOKIE as INVITE_COOKIE
from core.access.invites import RETENTION, Invites, InviteState
from core.access.password import COOKIE, DEVICE_COOKIE, DEVICE_LIFETIME, Access, SignInOutcome
from core.access.sessions import SESSION_LIFETIME
from core.model.clock import Clock
from core.model.errors import StoreUnavailable
from core.web.body_limit import BodyLimit
from core.web.methods import AllowedMethods, Endpoint
from core.web.outage import outage

log = logging.getLogger(__name__)

#: A page of ours, with or without a query: nothing that a browser could take for another site.
_PAGE = re.compile(r"/[a-z_-]{0,40}(?:\?[A-Za-z0-9._~%&=+:,;@!$'()*/?-]{0,2000})?")
#: A form has a password and an address; in bytes.
_LONGEST_FORM = 8 * 1024


class AccessServices(Protocol):
    """What these routes use."""

    @property
    def access(self) -> Access: ...
    @property
    def invites(self) -> Invites: ...
    @property
    def clock(self) -> Clock: ...


def admitted(admission: Admission, connection: HTTPConnection) -> BrowserAccess:
    """What a browser may do with verifications. Raises StoreUnavailable."""
    cookies = connection.cookies
    return admission.admit(cookies.get(COOKIE), cookies.get(INVITE_COOKIE))


def routes(services: Callable[[], AccessServices]) -> list[Route]:
    """The routes; `services` is called at each request. A form of another site is refused: its
    browser names the origin."""

    async def sign_in(request: Request) -> Response:
        if is_cross_site(request):
            return cross_site_refusal()
        form = await request.form()
        page = _page(form.get("next"))
        address = request.client.host if request.client else ""
        try:
            result = await run_in_threadpool(
                services().access.sign_in,
                str(form.get("password", "")),
                address,
                request.cookies.get(DEVICE_COOKIE),
            )
        except StoreUnavailable as error:
            return outage(error)
        log.info("sign-in", extra={"outcome": result.outcome})
        if result.outcome is not SignInOutcome.SIGNED_IN:
            separator = "&" if "?" in page else "?"
            return _redirect(f"{page}{separator}sign-in={result.outcome}")
        response = _redirect(page)
        set_cookie(response, request, COOKIE, result.cookie, SESSION_LIFETIME)
        set_cookie(response, request, DEVICE_COOKIE, result.device, DEVICE_LIFETIME)
        return response

    def sign_out_endpoint(*, everywhere: bool) -> Endpoint:
        async def sign_out(request: Request) -> Response:
            if is_cross_site(request):
                return cross_site_refusal()
            cookie = request.cookies.get(COOKIE)
            try:
                await run_in_threadpool(services().access.sign_out, cookie, everywhere=everywhere)
            except StoreUnavailable as error:
                # The cookie stays: without it the session could not be ended any more.
                return outage(error)
            response = _redirect("/")
            response.delete_cookie(COOKIE, httponly=True, samesite="lax")
            return response

        return sign_out

    async def open_invite(request: Request) -> Response:
        token = str(request.path_params["token"])
        try:
            state, invite = await run_in_threadpool(services().invites.recognise, token)
        except StoreUnavailable as error:
            return outage(error)
        log.info("invite opened", extra={"state": state})
        if invite is None or state is not InviteState.VALID:
            return _redirect(f"/?invite={state}")
        response = _redirect("/")
        # The cookie outlasts the invite, so that the page can say why it no longer sends.
        lifetime = invite.ends_at - services().clock.now() + RETENTION
        set_cookie(response, request, INVITE_COOKIE, token, lifetime)
        return response

    forms = {
        "/admin/sign-in": sign_in,
        "/admin/sign-out": sign_out_endpoint(everywhere=False),
        "/admin/sign-out-everywhere": sign_out_endpoint(everywhere=True),
    }
    return [
        *(Route(path, _form_endpoint(endpoint)) for path, endpoint in forms.items()),
        Route("/invite/{token}", AllowedMethods(open_invite, "GET", "HEAD")),
    ]


def _form_endpoint(endpoint: Endpoint) -> BodyLimit:
    """Browsers announce the length of a form, so a body without a length is not read."""
    return BodyLimit(AllowedMethods(endpoint, "POST"), _LONGEST_FORM, needs_length=True)


def _redirect(page: str) -> RedirectResponse:
    """A redirect to a page of ours. The request's address or form holds a secret, so it is neither
    cached nor passed on as a referrer."""
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(page, 303, headers)


def set_cookie(
    response: Response, request: Request, name: str, value: str, lifetime: timedelta
) -> None:
    """Set a cookie that scripts cannot read and that a form of another site does not send."""
    response.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def is_cross_site(connection: HTTPConnection) -> bool:
    """Whether a page of another site made this request."""
    origin = connection.headers.get("origin")
    if origin is not None and _host_of(origin) != connection.headers.get("host"):
        return True
    return connection.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


def cross_site_refusal() -> Response:
    """The answer to a request of another site."""
    return PlainTextResponse(
        "This form comes from another site. Open the page at this application's own address; a "
        "proxy in front of it must pass on the header Host.\n",
        403,
    )


def _host_of(origin: str) -> str:
    """Host and port of an origin; empty for a malformed origin, which no host equals."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _page(field: object) -> str:
    """The page to open next: the form's own choice if it is a page of ours, else /delivery."""
    return field if isinstance(field, str) and _PAGE.fullmatch(field) else "/delivery"
