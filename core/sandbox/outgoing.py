"""The carrier's own requests: signed, form-encoded, and never without an end.

Decision: httpx's transport without its client. The client would log every address, and the
addresses carry the product's tokens; it would also follow proxies of the environment.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from core.sandbox.signature import Signatures, signature_headers

CONNECT_SECONDS = 2.0  # Plivo's default for voice addresses
MAX_BYTES = 100_000  # a Plivo XML document may not be longer


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status and a body, or a problem in a word."""

    status: int | None
    body: bytes
    problem: str | None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Outgoing:
    """Sends requests in the name of the account between `open` and `close`."""

    def __init__(self, token: str, families: Signatures) -> None:
        self._token = token
        self._families = families
        self._transport: httpx.AsyncHTTPTransport | None = None

    def open(self) -> None:
        # A kept connection could turn out dead, and cost a callback its first attempt.
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def send(
        self,
        method: str,
        url: str,
        form: Mapping[str, str],
        *,
        seconds: float,
        token: str | None = None,
    ) -> Reply:
        """POST `form` as a body, or GET it as a query. `seconds` are real ones, for the whole.

        `token` signs in place of the account's own. Never raises for what the receiver does.
        """
        if self._transport is None:
            return Reply(None, b"", "stopped")
        if method == "GET":
            url, form = _with_query(url, form), {}
        signed = signature_headers(method, url, form, token or self._token, self._families)
        headers = {"User-Agent": "Plivo-Sandbox", **signed}
        try:
            async with asyncio.timeout(seconds):
                request = httpx.Request(
                    method,
                    url,
                    data=dict(form) if method == "POST" else None,
                    headers=headers,
                    extensions={
                        "timeout": httpx.Timeout(seconds, connect=CONNECT_SECONDS).as_dict()
                    },
                )
                response = await self._transport.handle_async_request(request)
                try:
                    return Reply(response.status_code, await _body(response), None)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as e:
            # UnicodeError: a host name with a label too long for the resolver.
            return Reply(None, b"", type(e).__name__)


def is_web_address(url: str) -> bool:
    """Whether a callback may go there."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _with_query(url: str, form: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(form)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


async def _body(response: httpx.Response) -> bytes:
    """The body, or one byte more than is allowed of it."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            return body[: MAX_BYTES + 1]
    return body
