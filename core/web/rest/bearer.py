"""Lets requests in: a bearer token with a scope, and how many requests it has left."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer

from core.access.request_limit import WINDOW, RequestAllowance
from core.access.tokens import Scope, Token
from core.web.bearer import UNAUTHENTICATED, BearerRefusal, presented_token, refuse_scope
from core.web.rest.objects import RestServices
from core.web.rest.parameters import refuse_unknown_parameters
from core.web.rest.problems import ProblemCode, Refused
from core.web.retry_after import retry_after_seconds

#: Only for the OpenAPI document: `presented_token` reads the header.
_SCHEME = HTTPBearer(
    auto_error=False,
    description="Made by `python -m core tokens make NAME --scope verify`.",
)


@dataclass(frozen=True, slots=True)
class AuthorizedCaller:
    """The token of a request, and what its allowance is after that request."""

    token: Token
    allowance: RequestAllowance


def admit(services: RestServices, presented: Sequence[str]) -> list[AuthorizedCaller | None]:
    """The callers of several requests, by the tokens that they present; None for an invalid token.
    Counts the requests. Raises StoreUnavailable."""
    tokens = [services.tokens.recognise(text) if text else None for text in presented]
    names = [token.name for token in tokens if token is not None]
    allowances = iter(services.request_limit.spend(names))
    return [
        None if token is None else AuthorizedCaller(token, next(allowances)) for token in tokens
    ]


def bearer_of(scope: Scope) -> Callable[..., Awaitable[Token]]:
    """A dependency: the valid token of the request, which must hold `scope`. Counts the request,
    and reports the allowance in the `RateLimit-…` headers
    (draft-ietf-httpapi-ratelimit-headers-06)."""

    async def bearer(
        request: Request,
        response: Response,
        _: Annotated[object, Depends(_SCHEME)],
    ) -> Token:
        presented = presented_token(request.headers)
        caller: AuthorizedCaller | None = await request.app.state.admissions.ask(presented)
        if caller is None:
            raise _refused(UNAUTHENTICATED, ProblemCode.UNAUTHENTICATED)
        token, allowance = caller.token, caller.allowance
        headers = _headers(allowance)
        # For the response of an error, which is not `response`.
        request.state.limit_headers = headers
        response.headers.update(headers)
        response.headers["Cache-Control"] = "no-store"
        if allowance.is_spent:
            raise Refused(
                429,
                ProblemCode.TOO_MANY_REQUESTS,
                f"This token has used its {allowance.limit:,} requests of this minute.",
                "Wait, or ask the operator for more (API_REQUESTS_PER_MINUTE).",
                retry_after=allowance.reset,
            )
        if refusal := refuse_scope(token, scope):
            raise _refused(refusal, ProblemCode.INSUFFICIENT_SCOPE)
        refuse_unknown_parameters(request)
        return token

    return bearer


def _refused(refusal: BearerRefusal, code: ProblemCode) -> Refused:
    return Refused(refusal.status, code, refusal.cause, refusal.remedy, headers=refusal.headers)


def _headers(allowance: RequestAllowance) -> dict[str, str]:
    return {
        "RateLimit-Policy": f"{allowance.limit};w={int(WINDOW.total_seconds())}",
        "RateLimit-Limit": str(allowance.limit),
        "RateLimit-Remaining": str(allowance.remaining),
        "RateLimit-Reset": str(retry_after_seconds(allowance.reset)),
    }


MayVerify = Annotated[Token, Depends(bearer_of(Scope.VERIFY))]
MayRead = Annotated[Token, Depends(bearer_of(Scope.READ))]
MayAdminister = Annotated[Token, Depends(bearer_of(Scope.ADMIN))]
