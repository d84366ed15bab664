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
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from core.access.admission import BrowserAccess
from core.access.invites import COOKIE as INVITE_COOKIE
from core.access.invites import RETENTION, InviteState
from core.access.password import COOKIE, DEVICE_COOKIE, DEVICE_LIFETIME, SignInOutcome
from core.access.sessions import SESSION_LIFETIME
from core.model.errors import StoreUnavailable
from core.services import Services

log = logging.getLogger(__name__)

#: A page of ours and perhaps a query: nothing that a browser could take for another site.
_PAGE = re.compile(r"/[a-z_-]{0,40}(?:\?[A-Za-z0-9._~%&=+:,;@!$'()*/?-]{0,2000})?")
_BODY_LIMIT = 8192


def admitted(services: Services, connection: HTTPConnection) -> BrowserAccess:
    """What a browser may do with verifications. Raises StoreUnavailable."""
    cookies = connection.cookies
    return services.admission.admit(cookies.get(COOKIE), cookies.get(INVITE_COOKIE))


def routes(services: Callable[[], Services]) -> list[Route]:
    """All of them. A form of another site is refused: its browser says where it comes from."""

    async def sign_in(request: Request) -> Response:
        if refused := _refused(request):
            return refused
        form = await request.form()
        page = _page(form.get("next"))
        address = request.client.host if request.client else ""
        try:
            tried = await run_in_threadpool(
                services().access.sign_in,
                str(form.get("password", "")),
                address,
                request.cookies.get(DEVICE_COOKIE),
            )
        except StoreUnavailable as error:
            return _unavailable(error)
        log.info("sign-in", extra={"outcome": tried.outcome})
        if tried.outcome is not SignInOutcome.SIGNED_IN:
            more = "&" if "?" in page else "?"
            return _go(f"{page}{more}sign-in={tried.outcome}")
        answer = _go(page)
        _set(answer, request, COOKIE, tried.cookie, SESSION_LIFETIME)
        _set(answer, request, DEVICE_COOKIE, tried.device, DEVICE_LIFETIME)
        return answer

    def signing_out(*, everywhere: bool) -> Callable[[Request], Response]:
        def sign_out(request: Request) -> Response:
            if refused := _refused(request):
                return refused
            try:
                services().access.sign_out(request.cookies.get(COOKIE), everywhere=everywhere)
            except StoreUnavailable as error:
                # The cookie stays: without it the session could not be ended any more.
                return _unavailable(error)
            answer = _go("/")
            answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
            return answer

        return sign_out

    def open_invite(request: Request) -> Response:
        token = str(request.path_params["token"])
        try:
            state, invite = services().invites.recognise(token)
        except StoreUnavailable as error:
            return _unavailable(error)
        log.info("invite opened", extra={"state": state})
        if invite is None or state is not InviteState.VALID:
            return _go(f"/?invite={state}")
        answer = _go("/")
        # It outlasts the invite, so that the page can say why it no longer sends.
        left = invite.ends_at - services().clock.now() + RETENTION
        _set(answer, request, INVITE_COOKIE, token, left)
        return answer

    def only_post(request: Request) -> Response:
        # Without this the page's catch-all would answer with itself.
        return PlainTextResponse("This address takes a form only.", 405, {"Allow": "POST"})

    forms = {
        "/admin/sign-in": sign_in,
        "/admin/sign-out": signing_out(everywhere=False),
        "/admin/sign-out-everywhere": signing_out(everywhere=True),
    }
    posts = [Route(path, asked, methods=["POST"]) for path, asked in forms.items()]
    gets = [Route(path, only_post, methods=["GET"]) for path in forms]
    return [*posts, *gets, Route("/invite/{token}", open_invite, methods=["GET"])]


def _go(where: str) -> RedirectResponse:
    """To a page of ours. What led there was an address or a form with a secret: it is not kept and
    not passed on as a referrer."""
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(where, 303, headers)


def _set(answer: Response, request: Request, name: str, value: str, lifetime: timedelta) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _unavailable(error: StoreUnavailable) -> Response:
    return PlainTextResponse(f"{error.cause} {error.remedy}", 503, {"Retry-After": "5"})


def _refused(request: Request) -> Response | None:
    origin = request.headers.get("origin")
    other = origin is not None and _host_of(origin) != request.headers.get("host")
    if other or request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return PlainTextResponse("This form comes from another site.", 403)
    if "transfer-encoding" in request.headers:
        # A browser says how long its form is; what does not say so could be of any length.
        return PlainTextResponse("Send the form with its length.", 411)
    if int(request.headers.get("content-length") or 0) > _BODY_LIMIT:
        return PlainTextResponse("That is too long for a password.", 413)
    return None


def _host_of(origin: str) -> str:
    """Host and port of an origin; empty for a malformed one, which no host equals."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _page(given: object) -> str:
    """Where to go afterwards: a page of ours with its query, whatever was asked for."""
    return given if isinstance(given, str) and _PAGE.fullmatch(given) else "/delivery"
