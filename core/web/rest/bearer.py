"""Who calls: a bearer token with a scope (RFC 6750), and how many requests it has left."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from core.access.request_limit import WINDOW, RequestAllowance
from core.access.tokens import Scope, Token
from core.services import Services
from core.web.rest.parameters import refuse_unknown_parameters
from core.web.rest.problems import ProblemCode, Refused

_SCHEME = HTTPBearer(
    auto_error=False,
    description="Made by `python -m core tokens make NAME --scope verify`.",
)


async def services_of(request: Request) -> Services:
    """The services of this process."""
    services: Services = request.app.state.services()
    return services


App = Annotated[Services, Depends(services_of)]


@dataclass(frozen=True, slots=True)
class AuthorizedCaller:
    """Whose request it is, and what that leaves of the bearer's allowance; None for no token."""

    token: Token
    allowance: RequestAllowance


def admit(services: Services, presented: Sequence[str]) -> list[AuthorizedCaller | None]:
    """Recognise the tokens of several requests, and count these. Raises StoreUnavailable."""
    tokens = [services.tokens.recognise(one) if one else None for one in presented]
    counted = iter(services.request_limit.spend([one.name for one in tokens if one is not None]))
    return [None if token is None else AuthorizedCaller(token, next(counted)) for token in tokens]


def bearer_of(scope: Scope) -> Callable[..., Awaitable[Token]]:
    """A dependency: the valid token of the request, which must hold `scope`. Counts the request,
    and tells in the `RateLimit-…` headers (draft-ietf-httpapi-ratelimit-headers-06) what is left.
    """

    async def bearer(
        request: Request,
        response: Response,
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)],
    ) -> Token:
        admitted = await request.app.state.admissions.ask(given.credentials if given else "")
        if admitted is None:
            raise Refused(
                401,
                ProblemCode.UNAUTHENTICATED,
                "A token is missing, or not valid.",
                "Send one as Authorization: Bearer.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        token: Token = admitted.token
        allowance: RequestAllowance = admitted.allowance
        headers = _headers(allowance)
        # An error has a response of its own.
        request.state.limit_headers = headers
        response.headers.update(headers)
        response.headers["Cache-Control"] = "no-store"
        if allowance.is_spent:
            raise Refused(
                429,
                ProblemCode.TOO_MANY_REQUESTS,
                f"This token has made its {allowance.limit:,} requests of this minute.",
                "Wait, or ask the operator for more (API_REQUESTS_PER_MINUTE).",
                retry_after=allowance.reset,
            )
        if not token.has_scope(scope):
            raise Refused(
                403,
                ProblemCode.INSUFFICIENT_SCOPE,
                f"This token does not hold the scope {scope}.",
                "Use one that does, or ask the operator for it.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            )
        refuse_unknown_parameters(request)
        return token

    return bearer


def _headers(allowance: RequestAllowance) -> dict[str, str]:
    return {
        "RateLimit-Policy": f"{allowance.limit};w={int(WINDOW.total_seconds())}",
        "RateLimit-Limit": str(allowance.limit),
        "RateLimit-Remaining": str(allowance.remaining),
        "RateLimit-Reset": str(ceil(allowance.reset.total_seconds())),
    }


MayVerify = Annotated[Token, Depends(bearer_of(Scope.VERIFY))]
MayRead = Annotated[Token, Depends(bearer_of(Scope.READ))]
