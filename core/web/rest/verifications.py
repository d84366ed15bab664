"""The routes of `/verifications`: start, read, resend, check and cancel."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from core.access.tokens import Token
from core.model.verification import (
    CancelOutcome,
    CheckOutcome,
    CheckResult,
    SendOutcome,
    SendResult,
)
from core.model.way import Channel, Mode, Way
from core.settings.keyring import new_id
from core.verification.checking import EnteredCode
from core.verification.code import LONGEST_ENTERED
from core.verification.service import Verifications
from core.web.rest.answers import CheckAnswer, SendAnswer, SentAnswer, VerificationAnswer
from core.web.rest.bearer import MayVerify
from core.web.rest.objects import SettingsObject, VerificationsObject
from core.web.rest.problems import ProblemCode, Refused, documented, not_found
from core.web.send_threads import SendThreads
from core.wording.verification import budget_warning, check_words

router = APIRouter(prefix="/verifications", tags=["Verifications"])

Id = Annotated[str, Path(description="A verification's id.", pattern=r"^[a-z2-7]{24}$")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Of your choice, a new one for each verification: a repeated request with the "
        "same key sends nothing and gets the same verification. Kept for ATTEMPT_RETENTION_DAYS.",
    ),
]


def _ip_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        # The message of ip_address repeats the text.
        raise ValueError("write it as 192.0.2.1 or 2001:db8::1") from None


Address = Annotated[
    str,
    AfterValidator(_ip_address),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]


class Start(BaseModel):
    """The number that gets a code, and how it is sent."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(
        min_length=3, max_length=40, description="E.164, or national with `region`.",
    )  # fmt: skip
    channel: Channel = Channel.SMS
    mode: Mode = Field(Mode.SMS, description="What a PHLO is asked to do; others ignore it.")
    region: str | None = Field(
        None,
        pattern="^[A-Z]{2}$",
        description="Country of a national number, ISO 3166; DEFAULT_REGION if left out.",
    )
    locale: str | None = Field(
        None, max_length=35, pattern="^[A-Za-z0-9-]+$",
        description="Language of the message or the call, BCP 47, such as de-AT.",
    )  # fmt: skip
    client_address: Address | None = Field(
        None,
        description="IP address of the person who verifies, for the budget of one address. Live, "
        "all requests without it share one budget.",
    )


class Resend(BaseModel):
    """How to send the same code again."""

    model_config = ConfigDict(extra="forbid")

    seen: int = Field(
        ge=1, le=1000,
        description="How many attempts you have seen: the same request twice sends once.",
    )  # fmt: skip
    call: bool = Field(False, description="Call instead of sending a message.")
    client_address: Address | None = None


class Check(BaseModel):
    """What a person entered."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(
        min_length=1, max_length=LONGEST_ENTERED, examples=["123456"],
        description="Digits of any script; spaces, dashes, dots and invisible marks are dropped.",
    )  # fmt: skip
    client_address: Address | None = Field(
        None,
        description="IP address of the person who entered it, for the budget of wrong codes.",
    )


@router.post(
    "",
    status_code=201,
    operation_id="startVerification",
    summary="Start a verification and send its code",
    responses=documented(401, 403, 409, 413, 422, 429, 503),
)
async def start(
    verifications: VerificationsObject,
    settings: SettingsObject,
    token: MayVerify,
    request: Request,
    response: Response,
    body: Start,
    idempotency_key: Key = None,
) -> SentAnswer:
    """Known and unknown numbers get the same answer. 201 also when Plivo refused the send: see
    `send.outcome`, and resend."""

    def send() -> SentAnswer:
        result = verifications.start(
            body.number,
            Way.of(body.channel, body.mode),
            grant=token.grant,
            region=body.region or settings.default_region,
            locale=body.locale,
            address=body.client_address,
            idempotency_key=_idempotency_key(token, idempotency_key),
        )
        answer = _sent(verifications, result)
        response.headers["Location"] = f"{request.scope['path'].rstrip('/')}/{result.verification}"
        if result.outcome is SendOutcome.DUPLICATE:
            response.headers["Idempotency-Replayed"] = "true"
        return answer

    return await _in_thread(request, send)


@router.get(
    "/{verification}",
    operation_id="readVerification",
    summary="Read a verification with its timeline",
    responses=documented(401, 403, 404, 422, 429, 503),
)
def read(
    verifications: VerificationsObject, token: MayVerify, verification: Id
) -> VerificationAnswer:
    """Its attempts, its timeline, and what may be done next."""
    return _look(verifications, verification)


@router.post(
    "/{verification}/resend",
    operation_id="resendCode",
    summary="Send the same code again",
    responses=documented(401, 403, 404, 409, 413, 422, 429, 503),
)
async def resend(
    verifications: VerificationsObject,
    token: MayVerify,
    request: Request,
    verification: Id,
    body: Resend,
) -> SentAnswer:
    """By the same channel, or by a call. The server enforces cooldowns and budgets."""

    def send() -> SentAnswer:
        result = verifications.resend(
            verification,
            grant=token.grant,
            seen=body.seen,
            call=body.call,
            address=body.client_address,
        )
        return _sent(verifications, result)

    return await _in_thread(request, send)


@router.post(
    "/{verification}/checks",
    operation_id="checkCode",
    summary="Check a code",
    response_model_exclude_unset=True,
    responses=documented(401, 403, 404, 413, 422, 429, 503),
)
async def check(request: Request, token: MayVerify, verification: Id, body: Check) -> CheckAnswer:
    """The check is counted before the code is compared. A right code is used up; only `approved`
    proves the number."""
    result: CheckResult = await request.app.state.checks.ask(
        EnteredCode(verification, body.code, body.client_address)
    )
    match result.outcome:
        case CheckOutcome.NOT_FOUND:
            raise not_found("verification")
        case CheckOutcome.MALFORMED:
            raise Refused(
                422, ProblemCode.MALFORMED_CODE, "This is not a code.", "Send all its digits."
            )
        case CheckOutcome.NUMBER_LOCKED:
            words = check_words(result, 0)
            raise Refused(
                429,
                ProblemCode.NUMBER_LOCKED,
                words.headline,
                words.detail,
                retry_after=result.retry_after,
            )
        case outcome:
            answer = CheckAnswer(outcome=outcome, checks_left=result.checks_left)
            if result.over_budget is not None:
                now = request.app.state.services().clock.now()
                answer.warnings = [budget_warning(result.over_budget, now)]
            return answer


@router.post(
    "/{verification}/cancel",
    operation_id="cancelVerification",
    summary="Cancel a verification",
    responses=documented(401, 403, 404, 409, 422, 429, 503),
)
def cancel(
    verifications: VerificationsObject, token: MayVerify, verification: Id
) -> VerificationAnswer:
    """Its code is refused from now on. A second cancel changes nothing; 409 for a verification that
    ended otherwise."""
    match verifications.cancel(verification):
        case CancelOutcome.NOT_FOUND:
            raise not_found("verification")
        case CancelOutcome.CLOSED:
            raise Refused(
                409,
                ProblemCode.VERIFICATION_CLOSED,
                "This verification is over already.",
                "Read it to see how it ended.",
            )
        case CancelOutcome.CANCELED:
            return _look(verifications, verification)


#: Outcomes of a send without a verification: status and code of the problem.
_REFUSALS = {
    SendOutcome.NUMBER_REFUSED: (422, ProblemCode.NUMBER_REFUSED),
    SendOutcome.AMBIGUOUS: (422, ProblemCode.NUMBER_AMBIGUOUS),
    SendOutcome.CHANNEL_UNAVAILABLE: (409, ProblemCode.CHANNEL_UNAVAILABLE),
    SendOutcome.KEY_REUSED: (409, ProblemCode.KEY_REUSED),
    SendOutcome.CLOSED: (409, ProblemCode.VERIFICATION_CLOSED),
    SendOutcome.TOO_SOON: (429, ProblemCode.TOO_SOON),
    SendOutcome.BUSY: (503, ProblemCode.SENDS_BUSY),
    SendOutcome.OVER_BUDGET: (429, ProblemCode.OVER_BUDGET),
    SendOutcome.LOCKED: (429, ProblemCode.NUMBER_LOCKED),
}


async def _in_thread(request: Request, send: Callable[[], SentAnswer]) -> SentAnswer:
    threads: SendThreads = request.app.state.send_threads
    return await threads.run(send)


def _sent(verifications: Verifications, result: SendResult) -> SentAnswer:
    if result.outcome in _REFUSALS:
        status, code = _REFUSALS[result.outcome]
        raise Refused(
            status,
            code,
            result.cause,
            result.remedy,
            retry_after=result.retry_after,
            candidates=result.candidates,
        )
    if result.verification is None:
        raise not_found("verification")
    send = SendAnswer(outcome=result.outcome, cause=result.cause, remedy=result.remedy)
    verification = _look(verifications, result.verification)
    return SentAnswer(send=send, verification=verification, warnings=verification.warnings)


def _look(verifications: Verifications, verification: str) -> VerificationAnswer:
    view = verifications.look(verification)
    if view is None:
        raise not_found("verification")
    return VerificationAnswer.of(view)


def _idempotency_key(token: Token, header: str | None) -> str:
    """Keys of different tokens never meet. Without the header, a key for this request alone."""
    return f"api {token.name} {header}" if header else new_id()
