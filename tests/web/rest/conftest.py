"""A client of the REST API in the shared world: it holds the sandbox's token."""

from collections.abc import Iterator

import httpx
import pytest

from tests.world import PATIENCE_SECONDS, World


@pytest.fixture
def rest(at: World) -> Iterator[httpx.Client]:
    token = at.services.tokens.sandbox_token
    with httpx.Client(
        base_url=f"{at.address}/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_SECONDS,
    ) as client:
        yield client
