"""`POST /admin/sign-in` and `POST /admin/sign-out`: set and remove the operator's cookie."""

import logging
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from core.access.password import COOKIE, SESSION, SignInOutcome
from core.errors import StoreUnavailable
from core.services import Services

log = logging.getLogger(__name__)

_PAGE = re.compile(r"/[a-z]{0,40}")
_BODY_LIMIT = 8192


def routes(services: Callable[[], Services]) -> list[Route]:
    """Both routes. A form of another site is refused: its browser says where it comes from."""

    async def sign_in(request: Request) -> Response:
        if refused := _refused(request):
            return refused
        form = await request.form()
        page = _page(form.get("next"))
        address = request.client.host if request.client else ""
        try:
            tried = await run_in_threadpool(
                services().access.sign_in, str(form.get("password", "")), address
            )
        except StoreUnavailable as error:
            return PlainTextResponse(f"{error.cause} {error.remedy}", 503)
        log.info("sign-in", extra={"outcome": tried.outcome})
        if tried.outcome is not SignInOutcome.SIGNED_IN:
            return RedirectResponse(f"{page}?sign-in={tried.outcome}", 303)
        answer = RedirectResponse(page, 303)
        answer.set_cookie(
            COOKIE,
            tried.cookie,
            max_age=int(SESSION.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=request.scope["scheme"] == "https",
        )
        return answer

    async def sign_out(request: Request) -> Response:
        if refused := _refused(request):
            return refused
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    def only_post(request: Request) -> Response:
        # Without this the page's catch-all would answer with itself.
        return PlainTextResponse("This address takes a form only.", 405, {"Allow": "POST"})

    paths = {"/admin/sign-in": sign_in, "/admin/sign-out": sign_out}
    posts = [Route(path, asked, methods=["POST"]) for path, asked in paths.items()]
    return [*posts, *(Route(path, only_post, methods=["GET"]) for path in paths)]


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
    """Where to go afterwards: a page of ours, whatever was asked for."""
    return given if isinstance(given, str) and _PAGE.fullmatch(given) else "/delivery"
