"""The API without pages, as two worker processes on one Redis."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.http_check import free_port
from tests.world import PATIENCE_SECONDS, World, until

PROJECT = Path(__file__).parents[2]
KEY = "a key that is long enough for any test"


@contextmanager
def workers(at: World, redis_url: str, data: Path, count: int = 2) -> Iterator[str]:
    """`uvicorn core.web.app:api --workers 2` beside the world's sandbox; gives its address."""
    port = free_port()
    settings = at.services.settings
    environment = os.environ | {
        "DATA_DIR": str(data),
        "REDIS_URL": redis_url,
        "PLIVO_MODE": "sandbox",
        "SANDBOX_URL": f"{at.address}/sandbox",
        "PLIVO_AUTH_ID": settings.auth_id,
        "PLIVO_AUTH_TOKEN": at.services.auth_token,
        "SECRET_KEY": KEY,
        "API_REQUESTS_PER_MINUTE": "100000",
    }
    command = [
        *(sys.executable, "-m", "uvicorn", "core.web.app:api"),
        *("--workers", str(count), "--port", str(port), "--log-level", "warning"),
    ]
    with (data / "workers.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=PROJECT, env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _is_up(address), 60)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _is_up(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/v1/health").status_code == 200
    except httpx.TransportError:
        return False


def send_request(
    address: str, token: str, method: str, path: str, **more: object
) -> httpx.Response:
    """On a connection of its own, so that either worker may get it."""
    headers = {"Authorization": f"Bearer {token}"}
    headers |= more.pop("headers", {})  # type: ignore[call-overload]
    url = f"{address}/api/v1{path}"
    return httpx.request(method, url, headers=headers, timeout=PATIENCE_SECONDS, **more)  # type: ignore[arg-type]


def test_two_workers_are_one_service(at: World, redis_url: str, tmp_path: Path) -> None:
    with workers(at, redis_url, tmp_path) as address:
        token = subprocess.run(
            [sys.executable, "-m", "core", "tokens", "make", "ci", "--scope", "admin"],
            cwd=PROJECT,
            env=os.environ | {"DATA_DIR": str(tmp_path), "REDIS_URL": redis_url, "SECRET_KEY": KEY},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        number = at.number()

        def create(_: int) -> str:
            answer = send_request(
                address, token, "POST", "/verifications",
                json={"number": number}, headers={"Idempotency-Key": "one"},
            )  # fmt: skip
            assert answer.status_code == 201, answer.text
            return str(answer.json()["verification"]["id"])

        with ThreadPoolExecutor(8) as pool:
            (verification,) = set(pool.map(create, range(24)))

        path = f"/verifications/{verification}"
        # The callback reaches one of them; both show its effect.
        until(
            lambda: all(
                send_request(address, token, "GET", path).json()["attempts"][0]["state"]
                == "delivered"
                for _ in range(6)
            )
        )
        text = at.message(number)
        code = next(word for word in text.replace(".", " ").split() if word.isdecimal())
        assert len(at.handset(number)["messages"]) == 1

        def guess(entered: str) -> str:
            answer = send_request(address, token, "POST", f"{path}/checks", json={"code": entered})
            return str(answer.json()["outcome"])

        # Four wrong codes and the right code many times, concurrently: they share one budget.
        wrong = [f"{(int(code) + n) % 1_000_000:06}" for n in range(1, 5)]
        with ThreadPoolExecutor(12) as pool:
            outcomes = list(pool.map(guess, wrong + [code] * 8))
        assert outcomes.count("approved") == 1
        assert outcomes.count("wrong_code") + outcomes.count("approved") <= 5
        assert set(outcomes) <= {"approved", "wrong_code", "used", "locked"}
        figures = until(
            lambda: send_request(address, token, "GET", "/delivery/totals").json()["figures"]
        )
        assert figures["requested"] == 1


@pytest.mark.parametrize(
    ("environment", "setting"),
    [
        ({"PLIVO_MODE": "sandbox"}, "SANDBOX_URL"),
        ({"PLIVO_MODE": "nowhere"}, "PLIVO_MODE"),
    ],
)
def test_a_worker_that_cannot_serve_says_why(
    tmp_path: Path, environment: dict[str, str], setting: str
) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PLIVO_", "SANDBOX_"))}
    command = [sys.executable, "-m", "uvicorn", "core.web.app:api", "--port", str(free_port())]
    ended = subprocess.run(  # noqa: S603
        command,
        cwd=PROJECT,
        env={**inherited, "DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode != 0
    assert setting in ended.stderr
    assert "Traceback" not in ended.stderr
