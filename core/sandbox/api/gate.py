"""Checks the credentials and the rate limits of API requests."""

import base64
import binascii
import functools
import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from core.sandbox.api.limits import RateLimit
from core.sandbox.errors import Refusal, Unauthorized

Endpoint = Callable[[Request], Awaitable[Response]]

TOO_MANY = "too many requests"


class ApiGate:
    """HTTP Basic with the account's credentials, then the limit of requests."""

    def __init__(self, auth_id: str, auth_token: str, requests: RateLimit, lists: RateLimit):
        self._auth_id = auth_id
        self._credentials = f"{auth_id}:{auth_token}".encode()
        self._requests = requests
        self._lists = lists

    def guard(self, endpoint: Endpoint) -> Endpoint:
        """Wrap `endpoint` with the checks, which raise Unauthorized or Refusal 429."""

        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            self._check(request)
            return await endpoint(request)

        return guarded

    def count_list(self) -> None:
        """Count a request for a list, which has a limit of its own. Raises Refusal 429."""
        if not self._lists.acquire():
            raise Refusal(429, TOO_MANY)

    def _check(self, request: Request) -> None:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            credentials = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise Unauthorized from None
        is_valid = hmac.compare_digest(credentials, self._credentials)
        account = request.path_params.get("auth_id", self._auth_id)
        if scheme.lower() != "basic" or not is_valid or account != self._auth_id:
            raise Unauthorized
        if not self._requests.acquire():
            raise Refusal(429, TOO_MANY)
