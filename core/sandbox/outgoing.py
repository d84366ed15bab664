"""Sends the sandbox's requests to the product: signed, form-encoded, with a time-out.

Decision: httpx's transport without its client. The client logs every URL, and these URLs carry the
product's tokens; it also uses proxies of the environment.
"""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from core.sandbox.signature import Signatures, signature_headers

CONNECT_SECONDS = 2.0  # Plivo's default for voice URLs
MAX_BYTES = 100_000  # Plivo's limit of an XML document


@dataclass(frozen=True, slots=True)
class Reply:
    """The product's answer; `status` is None if there was none, and `problem` names the error."""

    status: int | None
    body: bytes
    problem: str | None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Outgoing:
    """Sends requests signed with the account's token, between `open` and `close`."""

    def __init__(self, token: str, families: Signatures) -> None:
        self._token = token
        self._families = families
        self._transport: httpx.AsyncHTTPTransport | None = None

    def open(self) -> None:
        # No keep-alive: a connection closed by the product would cost a callback its first attempt.
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
        """POST `form` as the body, or GET it as the query, within `seconds` (real, in total).

        `token` replaces the account's token in the signature. Errors of the receiver are returned
        as a Reply, never raised.
        """
        if self._transport is None:
            return Reply(None, b"", "stopped")
        try:
            if method == "GET":
                url, form = _with_query(url, form), {}
            seen = url_as_received(url)
            signed = signature_headers(method, seen, form, token or self._token, self._families)
            headers = {"User-Agent": "Plivo-Sandbox", **_basic(url), **signed}
            async with asyncio.timeout(seconds):
                request = httpx.Request(
                    method,
                    seen,
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
            # UnicodeError: a label of the host name is too long for the resolver.
            return Reply(None, b"", type(e).__name__)


def is_web_address(url: str) -> bool:
    """Whether `url` is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def url_as_received(url: str) -> str:
    """The URL as its receiver sees it, from the request line and the header Host.

    It has a path, at least `/`, and neither a fragment nor a user, nor the scheme's default port;
    the host is in lower case, and other than ASCII characters are encoded.
    """
    # httpx recognizes a default port only after a scheme in lower case.
    parsed = httpx.URL(str(httpx.URL(url)))
    return f"{parsed.scheme}://{parsed.netloc.decode()}{parsed.raw_path.decode()}"


def _basic(url: str) -> dict[str, str]:
    """The header that sends the URL's user and password, if it has them."""
    parsed = httpx.URL(url)
    if not parsed.userinfo:
        return {}
    encoded = base64.b64encode(f"{parsed.username}:{parsed.password}".encode())
    return {"Authorization": f"Basic {encoded.decode()}"}


def _with_query(url: str, form: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(form)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


async def _body(response: httpx.Response) -> bytes:
    """The body, cut one byte above MAX_BYTES."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            return body[: MAX_BYTES + 1]
    return body
