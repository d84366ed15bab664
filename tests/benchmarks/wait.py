"""How long a wait takes to answer after the arrival of its message: the whole product over HTTP.

The moment of arrival is that of the answer; the end is when the client has read the answer. Both
are of one machine's clock. `clients` wait at the same time, each for messages to its own number.

    python -m tests.benchmarks.wait
    {"waits": 200, "clients": 1, "median_ms": …, "p99_ms": …, "max_ms": …}
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from core.lab.sandbox_client import SandboxClient
from tests.world import MovableClock, World, world

MILLISECONDS = 1000


def latencies(at: World, waits: int) -> list[float]:
    """In seconds: of waits that begin before their message arrives."""
    sandbox = SandboxClient(f"{at.address}/sandbox")
    measured = []
    with sandbox.lease() as lease:
        handset = sandbox.handset(lease.number)
        for _ in range(waits):
            at.started(lease.number)
            arrival = handset.wait()
            measured.append(time.time() - datetime.fromisoformat(arrival.time).timestamp())
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waits", type=int, default=200)
    parser.add_argument("--clients", type=int, default=1)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder), None, MovableClock()) as at,
        ThreadPoolExecutor(chosen.clients) as pool,
    ):
        each = chosen.waits // chosen.clients
        parts = pool.map(lambda _: latencies(at, each), range(chosen.clients))
        measured = sorted(seconds for part in parts for seconds in part)
    result = {
        "waits": len(measured),
        "clients": chosen.clients,
        "median_ms": round(statistics.median(measured) * MILLISECONDS, 1),
        "p99_ms": round(measured[int(len(measured) * 0.99)] * MILLISECONDS, 1),
        "max_ms": round(measured[-1] * MILLISECONDS, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
