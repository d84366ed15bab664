"""The routes of `/attempts`: single messages and calls that are still kept, newest first."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from core.ledger.explorer import CURSOR, AttemptFilter, AttemptPage
from core.model.attempt import State
from core.model.errors import CursorRefused, NumberRefused
from core.model.way import Channel
from core.settings.settings import Settings
from core.verification.number.parse import AmbiguousNumber
from core.verification.service import Verifications
from core.web.rest.answers import AttemptAnswer, HeardAnswer
from core.web.rest.bearer import MayRead
from core.web.rest.objects import (
    ExplorerObject,
    LedgerObject,
    SettingsObject,
    VerificationsObject,
)
from core.web.rest.parameters import Country
from core.web.rest.problems import ProblemCode, Refused, documented, not_found

router = APIRouter(prefix="/attempts", tags=["Attempts"])

_MOST_PER_PAGE = 200


class Attempts(BaseModel):
    """A page of attempts. `next_cursor` requests the next page; null at the end. A page may hold
    fewer than `limit`, or none, and still not be the last: a request looks through a limited number
    of attempts."""

    attempts: list[AttemptAnswer]
    next_cursor: str | None = None
    left_out: int = Field(
        default=0, description="Attempts of this page whose stored record cannot be read."
    )


class AttemptDetail(AttemptAnswer):
    """One attempt with its newest 100 events, the oldest first."""

    heard: list[HeardAnswer] = Field(default_factory=list)


@router.get(
    "",
    operation_id="listAttempts",
    summary="Attempts, newest first",
    responses=documented(401, 403, 422, 429, 503),
)
def attempts(
    explorer: ExplorerObject,
    token: MayRead,
    state: State | None = None,
    channel: Channel | None = None,
    country: Country | None = None,
    error: Annotated[
        str | None, Query(max_length=40, description="A message's error, a call's hangup cause.")
    ] = None,
    cursor: Annotated[
        str | None,
        Query(pattern=CURSOR, description="`next_cursor` of the page before."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_PER_PAGE)] = 50,
) -> Attempts:
    """The newest ATTEMPTS_KEPT are kept, for ATTEMPT_RETENTION_DAYS; figures count older ones."""
    filters = AttemptFilter(state or "", channel or "", country or "", error or "")
    try:
        page = explorer.page(filters, cursor, limit)
    except CursorRefused as error:
        raise Refused(422, ProblemCode.CURSOR_REFUSED, error.cause, error.remedy) from None
    return _page(page)


@router.api_route(
    "/search",
    methods=["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"],
    include_in_schema=False,
)
async def only_post() -> None:
    """405 for a GET, which the route of one attempt would otherwise serve."""
    raise HTTPException(405, headers={"Allow": "POST"})


class ByNumber(BaseModel):
    """Attempts to a number, which is parsed as in the start of a verification."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(
        min_length=3, max_length=40, description="E.164, or national with `region`."
    )
    region: str | None = Field(
        None,
        pattern="^[A-Z]{2}$",
        description="Country of a national number, ISO 3166; DEFAULT_REGION if left out.",
    )


class ById(BaseModel):
    """Attempts by the id of a verification, the id of an attempt or Plivo's uuid."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=64)


@router.post(
    "/search",
    operation_id="findAttempts",
    summary="Find attempts by number or id",
    responses=documented(401, 403, 413, 422, 429, 503),
)
def search(
    explorer: ExplorerObject,
    verifications: VerificationsObject,
    settings: SettingsObject,
    token: MayRead,
    body: ByNumber | ById,
) -> Attempts:
    """A POST, so that no number is in a URL. The list is empty for a number without attempts."""
    if isinstance(body, ById):
        return _page(explorer.find(body.id))
    number_index = _number_index(verifications, settings, body)
    return _page(explorer.find_by_number(number_index))


@router.get(
    "/{attempt}",
    operation_id="readAttempt",
    summary="One attempt, with its events",
    responses=documented(401, 403, 404, 422, 429, 503),
)
def attempt(
    ledger: LedgerObject,
    token: MayRead,
    attempt: Annotated[str, Path(pattern=r"^[a-z2-7]{24}-[0-9]{1,3}$")],
) -> AttemptDetail:
    """The events include those that came twice or late and changed nothing."""
    records = ledger.read([attempt])
    if attempt not in records:
        raise not_found("attempt")
    record = records[attempt]
    if record is None:
        raise Refused(
            404,
            ProblemCode.RECORD_UNREADABLE,
            "The stored record of this attempt cannot be read.",
            "Ask the operator: the server's log names it.",
        )
    events = [HeardAnswer.model_validate(event) for event in ledger.events(attempt)]
    return AttemptDetail(**dict(AttemptAnswer.model_validate(record)), heard=events)


def _page(page: AttemptPage) -> Attempts:
    return Attempts(
        attempts=[AttemptAnswer.model_validate(attempt) for attempt in page.attempts],
        next_cursor=page.cursor,
        left_out=page.left_out,
    )


def _number_index(verifications: Verifications, settings: Settings, body: ByNumber) -> str:
    try:
        number = verifications.numbers.find(
            body.number, region=body.region or settings.default_region
        )
    except AmbiguousNumber as error:
        raise Refused(
            422,
            ProblemCode.NUMBER_AMBIGUOUS,
            error.cause,
            error.remedy,
            candidates=error.candidates,
        ) from None
    except NumberRefused as error:
        raise Refused(422, ProblemCode.NUMBER_REFUSED, error.cause, error.remedy) from None
    return verifications.numbers.index(number.e164)
