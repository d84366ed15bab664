"""Serves only those of Streamlit's paths that our pages need; others that are not ours get a 404.

Without this, Streamlit serves uploads, runtime metrics, a sign-in and an API for agents to every
visitor, and its page at every unknown address.
"""

from collections.abc import Iterable

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

STREAM = "/_stcore/stream"
_HOST_CONFIG = "/_stcore/host-config"
_FILES = frozenset({"/", "/index.html", "/favicon.png", "/manifest.json", "/_stcore/health"})
_FOLDERS = ("/static/", "/media/")

#: Permissions of a page that embeds Streamlit's. Streamlit's default lets the hosts of its cloud
#: control the page, and lets the page open dialogs with Streamlit's error texts.
_HOST = {
    "allowedOrigins": [],
    "useExternalAuthToken": False,
    "enableCustomParentMessages": False,
    "enforceDownloadInNewTab": False,
    "metricsUrl": "",
    "blockErrorDialogs": True,
    "resourceCrossOriginMode": None,
}
_NOT_FOUND = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Not found</title>"
    "<meta name=viewport content='width=device-width'><style>:root {color-scheme: light dark}"
    "body {background: light-dark(#ffffff, #0e1419); color: light-dark(#14202b, #e8eef3);"
    "font: 16px/1.5 sans-serif; margin: 48px 24px} a {color: inherit}</style>"
    "<main><h1>There is nothing at this address</h1><p>Go to <a href='/'>Verify</a>.</p></main>"
)


#: Path parts that a browser resolves before it sends a request.
_ODD_PARTS = frozenset({"", ".", ".."})


def is_plain(scope: Scope) -> bool:
    """Whether a path has no empty parts, dots or backslashes."""
    if scope["type"] != "http":
        return True
    path: str = scope["path"]
    return "\\" not in path and _ODD_PARTS.isdisjoint(path.rstrip("/").split("/")[1:])


not_found = HTMLResponse(_NOT_FOUND, 404)


class OtherPaths(BaseRoute):
    """The last route before Streamlit's: it answers the paths that Streamlit must not serve."""

    def __init__(self, pages: Iterable[str]) -> None:
        """`pages`: the stems of the pages' files, which are also their paths."""
        self._served = _FILES | {f"/{page}" for page in pages}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        path = scope["path"]
        is_served = path in self._served or path.rstrip("/") in self._served
        if is_served or path.startswith(_FOLDERS):
            # For an unknown origin, Streamlit asks an external server for this machine's address.
            # Pages of other origins cannot read the answers of these paths anyway.
            headers = [pair for pair in scope["headers"] if pair[0] != b"origin"]
            scope["headers"] = headers
            return Match.NONE, {}
        return Match.FULL, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response
        if scope["path"] == _HOST_CONFIG and scope["method"] in {"GET", "HEAD"}:
            response = JSONResponse(_HOST, headers={"Cache-Control": "no-cache"})
        else:
            response = not_found
        await response(scope, receive, send)
