"""Scrapes /metrics of a world, as Prometheus would."""

import httpx

from core.access.tokens import Scope
from tests.world import World


def token_of(at: World) -> str:
    """A token that may read; once in a test, since its name is then taken."""
    made = at.services.tokens.make("scraper", frozenset({Scope.READ}))
    # Forgets what the process remembers of tokens.
    at.services.tokens.revoke("nobody")
    return made


def scraped(
    at: World, *, token: str | None = None, accept: str | None = None, method: str = "GET"
) -> httpx.Response:
    """The answer to a scrape; without `token`, by the sandbox's own."""
    headers = {"Authorization": f"Bearer {token or at.services.tokens.sandbox_token}"}
    if token == "":
        headers = {}
    if accept is not None:
        headers["Accept"] = accept
    return at.http.request(method, "/metrics", headers=headers)
