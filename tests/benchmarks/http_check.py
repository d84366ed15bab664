"""How many wrong codes `GET /checkcode/…` refuses in a second, in one process over 16 connections.

The reference is the same route of a minimal Flask and redis-py application, served by Flask's own
server in one process as the demo is that this product grew from: it reads a plain code and compares
it. Ours counts the guess, holds the budgets, and writes the ledger and the figures; both use the
same Redis, and are asked in turn. Beside it, the check of the REST API.

    python -m tests.benchmarks.http_check
    {"ratio": …, "requests_per_s": …, "flask_per_s": …, "rest_ratio": …, "rest_per_s": …}
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import cast

import redis
import uvloop

from core.access.tokens import Scope
from core.services import Services
from core.settings.settings import Settings
from core.store.embedded import EmbeddedRedis
from core.wiring import build
from tests.benchmarks.check import _SendsNothing, service_code, started
from tests.world import MovableClock, until

CONNECTIONS = 16
GOAL = 4.5
PATIENCE_SECONDS = 120
CHECKS_EACH = 10
_BUDGETS = {
    "checks_per_verification": CHECKS_EACH,
    "failed_checks_per_hour": 100,
    "failed_checks_per_day": 100,
    "sends_per_prefix_per_hour": 1_000_000,
    "sends_per_country_per_hour": 10_000_000,
    "spend_per_day": 1_000_000,
    "api_requests_per_minute": 1_000_000,
}
_FLASK = """
import logging, sys
import redis
from flask import Flask

app = Flask(__name__)
codes = redis.Redis.from_url(sys.argv[1])
logging.getLogger("werkzeug").setLevel(logging.ERROR)

@app.get("/checkcode/<number>/<code>")
def checkcode(number, code):
    kept = codes.get(f"number:{number}:code")
    if kept is None:
        return {"status": "failed", "message": "number not found"}, 500
    if kept.decode() == code:
        codes.delete(f"number:{number}:code")
        return {"status": "success", "message": "codes match, number verified"}, 200
    return {
        "status": "rejected", "message": "codes do not match, number not verified"
    }, 404

app.run("127.0.0.1", int(sys.argv[2]), threaded=True)
"""


@dataclass(frozen=True)
class Target:
    """A server under load, and how a wrong code is asked of it and answered."""

    name: str
    port: int
    status: bytes

    def ask(self, path: str, body: bytes = b"", headers: str = "") -> bytes:
        method = "POST" if body else "GET"
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{headers}"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body


@contextmanager
def running(command: Sequence[str], port: int, **environment: str) -> Iterator[None]:
    """A server process, from when it listens until the end."""
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        until(lambda: _listens(port) or process.poll() is not None, patience=60)
        assert process.poll() is None, f"{command} ended"
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Client(asyncio.Protocol):
    """One connection: asks, waits for the answer, asks the next. As lean as Python can be, since it
    shares the machine with what it measures."""

    def __init__(self, requests: Iterator[bytes], statuses: Counter[bytes]) -> None:
        self._requests = requests
        self._statuses = statuses
        self._received = b""
        #: Whether the connection ended because there was nothing more to ask.
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        fields = head.lower()
        at = fields.find(b"content-length:") + len(b"content-length:")
        if not found or len(body) < int(fields[at:].split(b"\r\n", 1)[0]):
            return
        self._received = b""
        self._statuses[head[9:12]] += 1
        # Flask's own server closes after each answer.
        if b"connection: close" not in fields:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self.ended.set_result(self._is_done)

    def _ask(self) -> None:
        request = next(self._requests, None)
        self._is_done = request is None
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)


async def load(target: Target, requests: Sequence[bytes]) -> float:
    """Seconds until all requests are answered, over CONNECTIONS at a time."""
    waiting = iter(requests)
    statuses: Counter[bytes] = Counter()
    loop = asyncio.get_running_loop()

    async def connected() -> None:
        is_done = False
        while not is_done:
            _, client = await loop.create_connection(
                lambda: _Client(waiting, statuses), "127.0.0.1", target.port
            )
            is_done = await client.ended

    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(connected() for _ in range(CONNECTIONS)))
    spent = time.perf_counter() - began
    assert statuses == {target.status: len(requests)}, (target.name, statuses)
    return spent


def wrong_guesses(services: Services, how_many: int, numbers: Iterator[int]) -> list[list[str]]:
    """(verification, number, a wrong code) for each guess, all of which will be evaluated; the
    guesses at one number lie far apart."""
    made = []
    for _ in range(how_many // CHECKS_EACH):
        verification = started(services, next(numbers))
        view = services.verifications.look(verification)
        assert view is not None
        code = int(service_code(services, verification))
        wrong = [f"{(code + n + 1) % 1_000_000:06}" for n in range(CHECKS_EACH)]
        made.append([(verification, view.verification.to.e164, one) for one in wrong])
    return [list(guess) for guesses in zip(*made, strict=True) for guess in guesses]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000, help="of each server in each round")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedRedis(Path(folder))
        url = embedded.start()
        try:
            spent = measured(Path(folder), url, chosen.rounds, chosen.requests)
        finally:
            embedded.stop()
    rates = {name: [chosen.requests / one for one in spans] for name, spans in spent.items()}
    say = sys.stdout.write
    say(f"{'requests a second':<24}{'median':>9}{'slowest':>9}{'fastest':>9}{'ratio':>8}\n")
    ratios = {}
    for name, found in rates.items():
        pairs = [ours / flask for ours, flask in zip(found, rates["Flask"], strict=True)]
        ratios[name] = statistics.median(pairs)
        say(f"{name:<24}{statistics.median(found):>9.0f}{min(found):>9.0f}{max(found):>9.0f}")
        say(f"{ratios[name]:>8.2f}\n")
    say(f"goal: at least {GOAL}\n")
    figures = {
        "ratio": round(ratios["GET /checkcode"], 2),
        "requests_per_s": round(statistics.median(rates["GET /checkcode"])),
        "flask_per_s": round(statistics.median(rates["Flask"])),
        "rest_ratio": round(ratios["REST check"], 2),
        "rest_per_s": round(statistics.median(rates["REST check"])),
    }
    say(json.dumps(figures) + "\n")


def measured(folder: Path, url: str, rounds: int, requests: int) -> dict[str, list[float]]:
    """Seconds of each round, by server."""
    ours, flask = free_port(), free_port()
    settings = {name.upper(): str(value) for name, value in _BUDGETS.items()} | {
        "DATA_DIR": str(folder),
        "REDIS_URL": url,
        "PLIVO_MODE": "sandbox",
        # Nothing is sent in this measurement: no server listens there.
        "SANDBOX_URL": "http://127.0.0.1:9",
    }
    chosen = Settings(data_dir=folder, redis_url=url, **_BUDGETS)  # type: ignore[arg-type]
    services = build(chosen, MovableClock(), provider=_SendsNothing())
    token = services.tokens.make("benchmark", frozenset({Scope.VERIFY}))
    bearer = f"Authorization: Bearer {token}\r\n"
    script = folder / "minimal.py"
    script.write_text(_FLASK)
    app = ["-m", "uvicorn", "core.web.app:api", "--port", str(ours), "--log-level", "warning"]
    servers = (
        Target("Flask", flask, b"404"),
        Target("GET /checkcode", ours, b"404"),
        Target("REST check", ours, b"200"),
    )
    spent: dict[str, list[float]] = {server.name: [] for server in servers}
    numbers = count()
    with (
        redis.Redis.from_url(url) as codes,
        running([sys.executable, str(script), url, str(flask)], flask),
        running([sys.executable, *app], ours, **settings),
    ):
        for n in range(rounds + 1):
            for server in servers:
                guesses = wrong_guesses(services, requests, numbers)
                asked = []
                for verification, number, wrong in guesses:
                    if server.name == "REST check":
                        path = f"/api/v1/verifications/{verification}/checks"
                        body = json.dumps({"code": wrong}).encode()
                        asked.append(server.ask(path, body, bearer))
                    else:
                        asked.append(server.ask(f"/checkcode/{number}/{wrong}"))
                    if server.name == "Flask":
                        codes.set(f"number:{number}:code", "none", ex=600)
                seconds = uvloop.run(load(server, asked))
                # The first round warms all of them up.
                if n:
                    spent[server.name].append(seconds)
    services.close()
    return spent


if __name__ == "__main__":
    main()
