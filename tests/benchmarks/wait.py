"""How long a wait takes to answer after the arrival of its message: the whole product over HTTP.

The moment of arrival is that of the answer; the end is when the client has read the answer. Both
are of one machine's clock. `clients` wait at the same time, each for messages to its own number;
they run in a process of their own, so that they take no turns of the server's Python.

    python -m tests.benchmarks.wait
    {"waits": 200, "clients": 1, "median_ms": …, "p99_ms": …, "max_ms": …}
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from urllib.request import Request, urlopen

from core.lab.sandbox_client import SandboxClient
from tests.world import MovableClock, world

MILLISECONDS = 1000


def latencies(address: str, token: str, waits: int) -> list[float]:
    """In seconds: of waits that begin before their message arrives."""
    sandbox = SandboxClient(f"{address}/sandbox")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    measured = []
    with sandbox.lease() as lease:
        handset = sandbox.handset(lease.number)
        body = json.dumps({"number": lease.number}).encode()
        for _ in range(waits):
            url = f"{address}/api/v1/verifications"
            with urlopen(Request(url, body, headers)) as answer:  # noqa: S310
                answer.read()
            arrival = handset.wait()
            measured.append(time.time() - datetime.fromisoformat(arrival.time).timestamp())
    return measured


def all_latencies(address: str, token: str, waits: int, clients: int) -> list[float]:
    """Of `clients` that wait in parallel; sorted."""
    with ThreadPoolExecutor(clients) as pool:
        parts = pool.map(lambda _: latencies(address, token, waits // clients), range(clients))
        return sorted(seconds for part in parts for seconds in part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waits", type=int, default=200)
    parser.add_argument("--clients", type=int, default=1)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        # Started before the server's threads, and by spawn, so it shares nothing with them.
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
        world(Path(folder), None, MovableClock()) as at,
    ):
        token = at.services.tokens.sandbox_token or ""
        measured = process.submit(
            all_latencies, at.address, token, chosen.waits, chosen.clients
        ).result()
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
