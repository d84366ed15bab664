"""`/attempts`: single messages and calls, newest first, as far as they are kept."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from core.ledger.explorer import CURSOR, Listed, Wanted
from core.model.attempt import Attempt, State
from core.model.clock import from_ms
from core.model.errors import CursorRefused, NumberRefused
from core.model.way import Channel
from core.services import Services
from core.verification.number.parse import AmbiguousNumber
from core.web.rest.answers import AttemptAnswer, HeardAnswer
from core.web.rest.bearer import App, MayRead
from core.web.rest.parameters import Country
from core.web.rest.problems import ProblemCode, Refused, documented, not_found

router = APIRouter(prefix="/attempts", tags=["Attempts"])

_MOST = 200


class Attempts(BaseModel):
    """A page of them. `next_cursor` asks for the next one; null at the end. A page may hold fewer
    than were asked for, or none, and still not be the last: only so many are looked through."""

    attempts: list[AttemptAnswer]
    next_cursor: str | None = None
    left_out: int = Field(
        default=0, description="Attempts of this page whose stored record cannot be read."
    )


class AttemptDetail(AttemptAnswer):
    """One attempt with all that was heard of it, the newest 100, oldest first."""

    heard: list[HeardAnswer] = Field(default_factory=list)


@router.get(
    "",
    operation_id="listAttempts",
    summary="Attempts, newest first",
    responses=documented(401, 403, 422, 429, 503),
)
def attempts(
    services: App,
    token: MayRead,
    state: State | None = None,
    channel: Channel | None = None,
    country: Country | None = None,
    error: Annotated[
        str | None, Query(max_length=40, description="A message's error, a call's hangup cause.")
    ] = None,
    cursor: Annotated[
        str | None,
        Query(pattern=CURSOR, description="Of the page before; it is not to be made up."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
) -> Attempts:
    """Kept: the newest ATTEMPTS_KEPT, for ATTEMPT_RETENTION_DAYS; older ones are in the figures."""
    wanted = Wanted(state or "", channel or "", country or "", error or "")
    try:
        page = services.explorer.page(wanted, cursor, limit)
    except CursorRefused as error:
        raise Refused(422, ProblemCode.CURSOR_REFUSED, error.cause, error.remedy) from None
    return Attempts(
        attempts=_answers(page.attempts), next_cursor=page.cursor, left_out=page.left_out
    )


@router.api_route(
    "/search",
    methods=["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"],
    include_in_schema=False,
)
async def only_post() -> None:
    """Without this, the route of one attempt would take a GET."""
    raise HTTPException(405, headers={"Allow": "POST"})


class ByNumber(BaseModel):
    """Attempts to a number, read as the start of a verification reads it."""

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
    """Attempts by the id of a verification, of an attempt, or of Plivo's."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=64)


@router.post(
    "/search",
    operation_id="findAttempts",
    summary="Find attempts by number or id",
    responses=documented(401, 403, 413, 422, 429, 503),
)
def search(services: App, token: MayRead, body: ByNumber | ById) -> Attempts:
    """A POST, so that no number stands in an address. An unknown number finds nothing, as does one
    that nobody has verified."""
    if isinstance(body, ById):
        page = services.explorer.find(body.id)
    else:
        page = _of_number(services, body.number, body.region)
    return Attempts(attempts=_answers(page.attempts), left_out=page.left_out)


@router.get(
    "/{attempt}",
    operation_id="readAttempt",
    summary="One attempt, with all that was heard of it",
    responses=documented(401, 403, 404, 422, 429, 503),
)
def attempt(
    services: App,
    token: MayRead,
    attempt: Annotated[str, Path(pattern=r"^[a-z2-7]{24}-[0-9]{1,3}$")],
) -> AttemptDetail:
    """Also what came twice or late, which changed nothing."""
    kept = services.ledger.read([attempt])
    if attempt not in kept:
        raise not_found("attempt")
    found = kept[attempt]
    if found is None:
        raise Refused(
            404,
            ProblemCode.RECORD_UNREADABLE,
            "The stored record of this attempt cannot be read.",
            "Ask the operator: the server's log has a line about it.",
        )
    heard = [
        HeardAnswer(
            kind=one["kind"],
            outcome=one["outcome"],
            at=from_ms(one["at_ms"]),
            heard_at=from_ms(one["heard_ms"]),
            source=one["source"],
        )
        for one in services.ledger.heard(attempt)
    ]
    return AttemptDetail(**AttemptAnswer.of(found).model_dump(), heard=heard)


def _answers(found: list[Attempt]) -> list[AttemptAnswer]:
    return [AttemptAnswer.of(one) for one in found]


def _of_number(services: Services, typed: str, region: str | None) -> Listed:
    try:
        number = services.verifications.find_number(
            typed, region=region or services.settings.default_region
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
    return services.explorer.of_number(services.keyring.index("number", number.e164))
