"""Reads the bearer token of a request (RFC 6750) and checks its scope, for every route that needs
one."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.access.tokens import Scope, Token, Tokens, bearer


@dataclass(frozen=True, slots=True)
class BearerRefusal:
    """Why a request is refused, for an answer with `status` and `headers`."""

    status: int
    cause: str
    remedy: str
    challenge: str

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": self.challenge}


UNAUTHENTICATED = BearerRefusal(
    401, "A token is missing or not valid.", "Send it as Authorization: Bearer.", "Bearer"
)


def presented_token(headers: Mapping[str, str]) -> str:
    """The token that a request presents; "" without one."""
    return bearer(headers.get("authorization"))


def refuse_scope(token: Token, scope: Scope) -> BearerRefusal | None:
    """403 for a token that does not hold `scope`; None for one that does."""
    if token.has_scope(scope):
        return None
    return BearerRefusal(
        403,
        f"This token does not hold the scope {scope}.",
        "Use one that does, or ask the operator for it.",
        f'Bearer error="insufficient_scope", scope="{scope}"',
    )


def authorize(tokens: Tokens, headers: Mapping[str, str], scope: Scope) -> Token | BearerRefusal:
    """The valid token of a request, which holds `scope`. Raises StoreUnavailable."""
    token = tokens.recognise(presented_token(headers))
    if token is None:
        return UNAUTHENTICATED
    return refuse_scope(token, scope) or token
