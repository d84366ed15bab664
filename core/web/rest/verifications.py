"""The routes of `/verifications`: start, read, resend, check and cancel."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from core.access.tokens import Token
from core.model.verification import (
    CancelOutcome,
    CheckOutcome,
    CheckResult,
    SendOutcome,
    SendResult,
)
from core.model.way import Mode, Way
from core.settings.keyring import new_id
from core.verification.checking import EnteredCode
from core.verification.service import Verifications
from core.web.rest.answers import CheckAnswer, SendAnswer, SentAnswer, VerificationAnswer
from core.web.rest.bearer import MayVerify
from core.web.rest.objects import SettingsObject, VerificationsObject
from core.web.rest.problems import ProblemCode, Refused, documented, not_found
from core.web.rest.requests import Check, Id, Key, Resend, Start
from core.web.send_threads import SendThreads
from core.wording.verification import budget_warning, check_words

router = APIRouter(prefix="/verifications", tags=["Verifications"])


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
            mode=Mode.CALL if body.call else None,
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
