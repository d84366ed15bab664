"""The OpenAPI document describes what is served: schemathesis derives valid and invalid requests,
and sequences of them, from the document and checks every answer against it."""

import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.world import MovableClock, world

CONFIG = Path(__file__).parent / "schemathesis.toml"
#: High budgets, so that generated requests reach the service.
_ROOM = {
    "api_requests_per_minute": 1_000_000,
    "sends_per_10_minutes": 1000,
    "sends_per_day": 10_000,
    "sends_per_address_per_hour": 1_000_000,
    "sends_per_prefix_per_hour": 1_000_000,
    "sends_per_country_per_hour": 1_000_000,
    "spend_per_day": 1_000_000,
}


def test_every_answer_is_as_the_document_says_and_none_is_a_5xx(tmp_path: Path) -> None:
    with world(tmp_path / "data", None, MovableClock(), **_ROOM) as at:
        command = [
            str(Path(sys.executable).parent / "schemathesis"),
            f"--config-file={CONFIG}",
            "run",
            f"{at.address}/api/v1/openapi.json",
            f"--header=Authorization: Bearer {at.services.tokens.sandbox_token}",
            "--checks=all",
            "--max-examples=5",
            "--seed=7",
            "--warnings=off",
        ]
        ran = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=150
        )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    generated = re.search(r"(\d+) generated", ran.stdout)
    # Some dozens for every operation.
    assert generated is not None
    assert int(generated[1]) > 300


def test_the_document_and_its_pages_load_nothing_from_other_hosts(rest: httpx.Client) -> None:
    document = rest.get("/openapi.json").json()
    assert document["info"]["title"] == "Phone verification"
    assert "Problem" in document["components"]["schemas"]
    operations = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    assert all(operation["summary"] and operation["operationId"] for operation in operations)
    page = rest.get("/docs").text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert address.startswith("/api/v1/")
        assert rest.get(address.removeprefix("/api/v1")).status_code == 200
