"""A client of the REST API in the shared world: it holds the sandbox's token."""

from collections.abc import Iterator

import httpx
import pytest

from tests.world import World


@pytest.fixture
def rest(at: World) -> Iterator[httpx.Client]:
    token = at.services.tokens.sandbox_token
    with httpx.Client(
        base_url=f"{at.address}/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    ) as client:
        yield client
