"""Errors of the REST API, as problem details (RFC 9457).

`code` is stable: programs compare it, people read `cause` and `remedy`. An error repeats nothing of
the request, which may be a code or a number; the only exception are the readings of an ambiguous
number, for the caller to choose from.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core.model.errors import StoreUnavailable
from core.model.phone_number import ParsedNumber
from core.web.outage import RETRY_AFTER_SECONDS
from core.web.retry_after import retry_after_seconds

MEDIA_TYPE = "application/problem+json"
_STORE_AWAY = timedelta(seconds=RETRY_AFTER_SECONDS)


class ProblemCode(StrEnum):
    """What is wrong. A code keeps its meaning; new codes may be added."""

    INVALID_REQUEST = "invalid_request"
    UNAUTHENTICATED = "unauthenticated"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    TOO_MANY_REQUESTS = "too_many_requests"
    NOT_FOUND = "not_found"
    RECORD_UNREADABLE = "record_unreadable"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    NUMBER_REFUSED = "number_refused"
    NUMBER_AMBIGUOUS = "number_ambiguous"
    CHANNEL_UNAVAILABLE = "channel_unavailable"
    KEY_REUSED = "key_reused"
    OVER_BUDGET = "over_budget"
    NUMBER_LOCKED = "number_locked"
    TOO_SOON = "too_soon"
    SENDS_BUSY = "sends_busy"
    VERIFICATION_CLOSED = "verification_closed"
    MALFORMED_CODE = "malformed_code"
    CURSOR_REFUSED = "cursor_refused"
    NO_RECEIVER = "no_receiver"
    STORE_UNAVAILABLE = "store_unavailable"
    INTERNAL_ERROR = "internal_error"


class Mistake(BaseModel):
    """One mistake in a request: where, such as `body.number`, and what."""

    where: str
    message: str


class Candidate(BaseModel):
    """A number that the digits of a request can mean. Send `number` to choose it."""

    number: str = Field(description="E.164.")
    international: str = Field(description="As people write it.")
    country: str = Field(description="ISO 3166 code.")
    kind: str = Field(description="Such as mobile or landline.")


class Problem(BaseModel):
    """What went wrong, and what to do. `retry_after_seconds` is set where waiting helps,
    `candidates` where the caller has to choose a number."""

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    code: ProblemCode
    cause: str
    remedy: str
    retry_after_seconds: int | None = None
    errors: list[Mistake] = Field(default_factory=list)
    candidates: list[Candidate] = Field(default_factory=list)


class Refused(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        cause: str,
        remedy: str,
        *,
        retry_after: timedelta | None = None,
        headers: Mapping[str, str] | None = None,
        candidates: Sequence[ParsedNumber] = (),
    ) -> None:
        super().__init__(cause)
        self.status = status
        self.code = code
        self.cause = cause
        self.remedy = remedy
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.candidates = candidates


def not_found(what: str) -> Refused:
    """404 for an id that does not exist, or no longer."""
    return Refused(
        404,
        ProblemCode.NOT_FOUND,
        f"There is no such {what}, or it is no longer kept.",
        "Look at the id, or make a new one.",
    )


def respond(
    status: int,
    code: ProblemCode,
    cause: str,
    remedy: str,
    *,
    retry_after: timedelta | None = None,
    headers: Mapping[str, str] | None = None,
    errors: list[Mistake] | None = None,
    candidates: Sequence[ParsedNumber] = (),
) -> Response:
    """The answer for a problem."""
    fields = {"Cache-Control": "no-store", **(headers or {})}
    seconds = None
    if retry_after is not None:
        seconds = retry_after_seconds(retry_after)
        fields["Retry-After"] = str(seconds)
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        cause=cause,
        remedy=remedy,
        retry_after_seconds=seconds,
        errors=errors or [],
        candidates=[
            Candidate(
                number=number.e164,
                international=number.international,
                country=number.region,
                kind=number.kind.words,
            )
            for number in candidates
        ],
    )
    body = problem.model_dump(mode="json", exclude_defaults=True) | {"type": problem.type}
    return JSONResponse(body, status, fields, MEDIA_TYPE)


def too_large() -> Response:
    """The answer to a body that is longer than BodyLimit allows."""
    return respond(413, ProblemCode.TOO_LARGE, "The body is too large.", "Send less than 16 kB.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: these statuses answer with a problem."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def handle_problems(app: FastAPI) -> None:
    """Turn every error of this application into a problem."""
    handlers: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
        Refused: _refused,
        RequestValidationError: _invalid,
        HTTPException: _http,
        StoreUnavailable: _store_away,
        Exception: _broken,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _refused(request: Request, error: Refused) -> Response:
    return respond(
        error.status,
        error.code,
        error.cause,
        error.remedy,
        retry_after=error.retry_after,
        headers={**getattr(request.state, "limit_headers", {}), **error.headers},
        candidates=error.candidates,
    )


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    mistakes = [
        Mistake(where=".".join(str(part) for part in _place(detail)), message=detail["msg"])
        for detail in error.errors()
    ]
    if isinstance(error.body, bytes) and error.body:
        # FastAPI reads a body as JSON only if its Content-Type is JSON.
        message = "Send the body as Content-Type: application/json."
        mistakes = [Mistake(where="header.Content-Type", message=message)]
    return respond(
        422,
        ProblemCode.INVALID_REQUEST,
        "The request is not what the OpenAPI document says.",
        "Correct what `errors` names.",
        headers=getattr(request.state, "limit_headers", {}),
        errors=mistakes,
    )


def _place(detail: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Where a mistake is. The name of an unknown field is the caller's own text: left out."""
    place: tuple[str | int, ...] = detail["loc"]
    return place[:-1] if detail["type"] == "extra_forbidden" else place


async def _http(request: Request, error: HTTPException) -> Response:
    headers = error.headers or {}
    match error.status_code:
        case 404:
            cause, remedy = "There is nothing at this address.", "See /api/v1/docs."
            return respond(404, ProblemCode.NOT_FOUND, cause, remedy, headers=headers)
        case 405:
            cause, remedy = "That method is not served here.", "Use one of the header Allow."
            return respond(405, ProblemCode.METHOD_NOT_ALLOWED, cause, remedy, headers=headers)
        case 413:
            return too_large()
        case _:
            # A body that is not JSON: for callers the same as a wrong body.
            remedy = "Send a JSON object, as /api/v1/docs shows."
            return respond(
                422,
                ProblemCode.INVALID_REQUEST,
                "The body cannot be read.",
                remedy,
                headers=headers,
            )


async def _store_away(request: Request, error: StoreUnavailable) -> Response:
    return respond(
        503, ProblemCode.STORE_UNAVAILABLE, error.cause, error.remedy, retry_after=_STORE_AWAY
    )


async def _broken(request: Request, error: Exception) -> Response:
    # Starlette raises the error again after this answer, and the server logs the traceback.
    return respond(
        500,
        ProblemCode.INTERNAL_ERROR,
        "This is an error of the server.",
        "Give the operator the time of this request.",
    )
