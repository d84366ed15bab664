"""`python -m core reset`, with and without a running app."""

import subprocess
import sys
from pathlib import Path

import redis

from core.model.verification import SendOutcome
from core.model.way import Way
from core.store.keys import Keys
from tests.reset.test_reset import families
from tests.store.servers import running
from tests.world import World

PROJECT = Path(__file__).parents[2]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "core", "reset", *arguments],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PLIVO_MODE": "sandbox", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_resets_the_running_app(at: World) -> None:
    number = at.number()
    for _ in range(5):
        at.start(number, Way.SMS)
    result = command("--what", "budgets", "--address", at.address)
    assert (result.returncode, result.stdout.partition(":")[0]) == (0, "budgets"), result.stderr
    assert at.start(number).outcome is SendOutcome.SENT
    refused = command("--what", "everything", "--address", at.address)
    assert refused.returncode == 1
    assert "budgets, handsets, attempts, sample" in refused.stderr


def test_a_malformed_address_is_not_taken_for_a_stopped_app() -> None:
    result = command("--address", "127.0.0.1:9")
    assert (result.returncode, "did not answer" in result.stderr) == (1, True), result.stderr


def test_the_command_works_without_an_app_and_never_when_live(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "sandbox.sqlite3").write_bytes(b"")
    # A server of its own: the application of the other tests writes keys to the shared server.
    with (
        running(tmp_path / "redis") as port,
        redis.Redis(port=port, decode_responses=True) as client,
    ):
        client.set(Keys("sandbox").sends("number", "x"), "1", px=60_000)
        places = {"REDIS_URL": f"redis://127.0.0.1:{port}", "DATA_DIR": str(tmp_path)}
        live = {
            "PLIVO_MODE": "live", "PLIVO_AUTH_ID": "MA" + "X" * 18, "PLIVO_AUTH_TOKEN": "none",
            "PLIVO_NUMBER": "+14155550100", "SECRET_KEY": "k" * 32,
        }  # fmt: skip
        refused = command("--address", "http://127.0.0.1:9", **places, **live)
        assert (refused.returncode, "live environment" in refused.stderr) == (1, True)
        assert families(client) == {"sends"}
        result = command("--address", "http://127.0.0.1:9", **places)
        assert result.returncode == 0, result.stderr
        assert families(client) <= {"probe"}
    assert not (folder / "sandbox.sqlite3").exists()
