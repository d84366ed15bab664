"""Builds answers (JSON with an `api_id`, or an `error`) and reads JSON request bodies."""

import json
import uuid
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from core.sandbox.errors import NotRunning, Refusal, StorageFailed, Unauthorized

# The exact text of Plivo's answer.
_UNAUTHORIZED = (
    "Could not verify your access level for that URL.\nYou have to login with proper credentials"
)
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Login Required"'}

NO_STORE = {"Cache-Control": "no-store"}

Body = dict[str, Any]

#: Bytes; enough for one message to a thousand numbers.
MAX_BODY = 64 * 1024


def answer(body: Body, status: int = 200) -> JSONResponse:
    """`body` as JSON, with a new `api_id` unless it has one."""
    return JSONResponse({"api_id": new_api_id(), **body}, status)


def new_api_id() -> str:
    return str(uuid.uuid4())


def error(status: int, text: str) -> JSONResponse:
    """An error as JSON. It must not be cached: the next request may succeed."""
    return JSONResponse({"api_id": new_api_id(), "error": text}, status, headers=NO_STORE)


async def read_json(request: Request) -> Body:
    """The body as a JSON object. Raises Refusal 400 if it is not one, 413 if it is too long."""
    raw = await _read_body(request)
    try:
        body = json.loads(raw)
        # JSON can contain a lone surrogate, which SQLite does not accept as text.
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refusal(400, "the request body contains a lone surrogate") from None
    except (ValueError, RecursionError):
        # RecursionError: the body is nested too deeply.
        raise Refusal(400, "the request body must be JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "the request body must be a JSON object")
    return body


async def _read_body(request: Request) -> bytes:
    """The body, read only until it is too long."""
    length = request.headers.get("Content-Length", "0")
    raw = b""
    if length.isdecimal() and int(length) <= MAX_BODY:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY:
                break
        else:
            return raw
    raise Refusal(413, f"the request body must not be longer than {MAX_BODY} bytes")


def requester_ip(request: Request) -> str:
    """The client's address; empty if the server does not provide it."""
    return request.client.host if request.client else ""


def error_response(request: Request, e: Exception) -> Response:
    """The answer for an exception; a 401 is plain text, as at Plivo."""
    if isinstance(e, Unauthorized):
        return PlainTextResponse(_UNAUTHORIZED, 401, headers=_CHALLENGE)
    if isinstance(e, Refusal):
        return error(e.status, e.text)
    if isinstance(e, NotRunning | StorageFailed):
        return error(503, str(e))
    if isinstance(e, HTTPException):
        texts = {404: "not found", 405: "method not allowed"}
        return error(e.status_code, texts.get(e.status_code, e.detail))
    return error(500, "internal server error")
