"""Many creates with few idempotency keys, from 32 clients at once: one send for each key.

Each client has a connection of its own to the REST API of one process, beside the sandbox, whose
own message log says how many messages there really were. Sends go through the whole product and
over HTTP to the sandbox, so the figure is of that, not of the API alone.

    python -m tests.benchmarks.creates
    {"creates": 10000, "keys": 1000, "verifications": 1000, "sends": 1000, "creates_per_s": …}
"""

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import httpx

from tests.world import MovableClock, World, world

CLIENTS = 32
PAGE = 20
_ROOM = {
    "api_requests_per_minute": 1_000_000,
    "sends_per_prefix_per_hour": 1_000_000,
    "sends_per_country_per_hour": 1_000_000,
    "spend_per_day": 1_000_000,
}


def sends(at: World) -> int:
    """How many messages the sandbox was asked for."""
    settings, found = at.services.settings, 0
    while True:
        answer = at.http.get(
            f"/sandbox/v1/Account/{settings.auth_id}/Message/",
            params={"limit": PAGE, "offset": found},
            auth=(settings.auth_id, at.services.auth_token),
        )
        listed = len(answer.json()["objects"])
        found += listed
        if listed < PAGE:
            return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--creates", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=1000)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder), None, MovableClock(), **_ROOM) as at,
    ):
        numbers = [at.number() for _ in range(chosen.keys)]
        asked = [n % chosen.keys for n in range(chosen.creates)]
        Random(7).shuffle(asked)  # noqa: S311
        parts = [asked[client::CLIENTS] for client in range(CLIENTS)]
        headers = {"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}

        def create(part: list[int]) -> set[tuple[int, str]]:
            made = set()
            with httpx.Client(base_url=at.address, headers=headers, timeout=60) as http:
                for n in part:
                    answer = http.post(
                        "/api/v1/verifications",
                        json={"number": numbers[n]},
                        headers={"Idempotency-Key": f"key-{n}"},
                    )
                    assert answer.status_code == 201, answer.text
                    made.add((n, answer.json()["verification"]["id"]))
            return made

        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            made = set().union(*pool.map(create, parts))
        spent = time.perf_counter() - began
        figures = {
            "creates": chosen.creates,
            "keys": chosen.keys,
            "verifications": len(made),
            "sends": sends(at),
            "creates_per_s": round(chosen.creates / spent),
        }
    sys.stdout.write(json.dumps(figures) + "\n")
    if not figures["keys"] == figures["verifications"] == figures["sends"]:
        sys.exit("Some key sent twice, or not at all.")


if __name__ == "__main__":
    main()
