"""Scrapes /metrics of a world like Prometheus."""

import httpx

from core.access.tokens import Scope
from tests.world import World


def token_of(at: World) -> str:
    """A new token that may read; call it once in a test, since its name is fixed."""
    token = at.services.tokens.make("scraper", frozenset({Scope.READ}))
    # Clears the cache of tokens.
    at.services.tokens.revoke("nobody")
    return token


def scraped(
    at: World, *, token: str | None = None, accept: str | None = None, method: str = "GET"
) -> httpx.Response:
    """The answer to a scrape, by default with the token of the sandbox."""
    headers = {"Authorization": f"Bearer {token or at.services.tokens.sandbox_token}"}
    if token == "":
        headers = {}
    if accept is not None:
        headers["Accept"] = accept
    return at.http.request(method, "/metrics", headers=headers)
