"""The transport below the SDK: routes its requests, checks the answers, records the exchanges.

The SDK loses the bodies of 402 and 429, raises TypeError on error lists and on answers that are not
a JSON object, and repeats a call by itself after a 5xx (up to three phone calls for one). So only a
good answer reaches it: for any other the adapter raises `WireError` with status and text, which
`core.plivo.failures` maps to a named error. So no voice request is ever sent twice, and no redirect
takes a code to another host.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter

from core.model.code import Code
from core.model.exchange import Exchange
from core.plivo.masking import mask_fields, mask_text, mask_value

#: How many characters of an answer are recorded, and how many of Plivo's error text are quoted.
RECORDED = 2000
QUOTED = 200
_DEEPEST = 20

HOSTS = frozenset({"api.plivo.com", "phlorunner.plivo.com", "lookup.plivo.com"})


class WireError(Exception):
    """Raised for a status >= 300, or a 2xx whose body is not a JSON object. `text` is Plivo's error
    text, masked."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.text = text


@dataclass
class WireContext:
    """The current SDK call of a client, and the function that records its exchanges."""

    words: str = ""
    code: Code | None = None
    is_list: bool = False
    record: Callable[[Exchange], None] | None = None


class PlivoAdapter(HTTPAdapter):
    """Mounted on the SDK's sessions. `base` returns the sandbox's address, or is None."""

    def __init__(self, call: WireContext, base: Callable[[], str] | None) -> None:
        super().__init__()
        self._call = call
        self._base = base

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        original_url = request.url or ""
        if self._base is not None:
            self._redirect(request, self._base())
        began, at_ms = time.monotonic(), round(time.time() * 1000)
        response = None
        try:
            answer = super().send(request, *args, **kwargs)
            # Read to its end here: an answer that is cut off counts as no answer.
            _ = answer.content
            response = answer
        finally:
            if self._call.record is not None:
                span_ms = round((time.monotonic() - began) * 1000)
                self._call.record(self._exchange(request, original_url, response, at_ms, span_ms))
        if response.status_code >= 300 or not _is_readable(response, self._call.is_list):
            # Masked before it is shortened: half a code or number would not be recognised.
            text = mask_text(_error_text(response), self._call.code)[:QUOTED]
            raise WireError(response.status_code, text)
        return response

    def _redirect(self, request: requests.PreparedRequest, base: str) -> None:
        parts = urlsplit(request.url or "")
        # A host that the sandbox does not serve must not be reached from it by accident.
        if parts.hostname not in HOSTS:
            raise requests.exceptions.InvalidURL(f"The sandbox does not serve {parts.hostname}")
        query = f"?{parts.query}" if parts.query else ""
        request.url = f"{base}{parts.path}{query}"

    def _exchange(
        self,
        request: requests.PreparedRequest,
        original_url: str,
        response: requests.Response | None,
        at_ms: int,
        span_ms: int,
    ) -> Exchange:
        code = self._call.code
        address, _, query = original_url.partition("?")
        sent: dict[str, Any] = dict(parse_qsl(query))
        if isinstance(request.body, str | bytes):
            sent.update(json.loads(request.body))
        answer: Any = None
        if response is not None:
            answer = mask_text(response.text, code)[:RECORDED]
            with suppress(ValueError):
                answer = mask_value("", _json(response), code)
        return Exchange(
            direction="request",
            at_ms=at_ms,
            method=request.method or "",
            url=mask_text(address, code),
            sent=mask_fields(sent, code),
            status=response.status_code if response is not None else None,
            answer=answer,
            span_ms=span_ms,
            call=self._call.words,
        )


def _json(response: requests.Response) -> Any:
    """The body's JSON. Raises ValueError also if it is nested deeper than Plivo's answers: later
    code would exceed the recursion limit."""
    try:
        body = response.json()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level = [body]
    for _ in range(_DEEPEST):
        level = [part for value in level for part in _parts(value)]
        if not level:
            return body
    raise ValueError("nested too deeply")


def _parts(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []


def _error_text(response: requests.Response) -> str:
    """Plivo's error text: `error`, for Lookup `message`, else the first line."""
    with suppress(ValueError):
        body = _json(response)
        if isinstance(body, dict):
            return str(body.get("error") or body.get("message") or "")
    return response.text.strip().partition("\n")[0]


def _is_readable(response: requests.Response, is_list: bool) -> bool:
    """Whether the SDK can read a 2xx: a JSON object, whose `objects` are objects too (a list must
    have them); or no body for a 204."""
    if response.status_code == 204:
        return True
    try:
        body = _json(response)
    except ValueError:
        return False
    if not isinstance(body, dict):
        return False
    objects = body.get("objects", None if is_list else [])
    return isinstance(objects, list) and all(isinstance(item, dict) for item in objects)
