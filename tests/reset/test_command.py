"""`python -m core reset`, with and without a running app."""

import subprocess
import sys
from pathlib import Path

import redis

from core.model.attempt import Channel
from core.model.verification import SendOutcome
from core.store.keys import Keys
from tests.world import World

from .test_reset import families

PROJECT = Path(__file__).parents[2]

#: The app of the other tests uses the same Redis and may check its alerts at any moment.
ALERT_CHECKS = {"alert_check", "alert_turn"}


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
        at.start(number, Channel.SMS)
    result = command("--what", "budgets", "--address", at.address)
    assert (result.returncode, result.stdout.partition(":")[0]) == (0, "budgets"), result.stderr
    assert at.start(number).outcome is SendOutcome.SENT
    refused = command("--what", "everything", "--address", at.address)
    assert refused.returncode == 1
    assert "budgets, handsets, attempts, sample" in refused.stderr


def test_the_command_works_without_an_app_and_never_when_live(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "sandbox.sqlite3").write_bytes(b"")
    client.set(Keys("sandbox").sends("number", "x"), "1", px=60_000)
    places = {"REDIS_URL": redis_url, "DATA_DIR": str(tmp_path)}
    live = {
        "PLIVO_MODE": "live", "PLIVO_AUTH_ID": "MA" + "X" * 18, "PLIVO_AUTH_TOKEN": "none",
        "PLIVO_NUMBER": "+14155550100", "SECRET_KEY": "k" * 32,
    }  # fmt: skip
    refused = command("--address", "http://127.0.0.1:9", **places, **live)
    assert (refused.returncode, "live environment" in refused.stderr) == (1, True)
    assert families(client) - ALERT_CHECKS == {"sends"}
    result = command("--address", "http://127.0.0.1:9", **places)
    assert result.returncode == 0, result.stderr
    assert families(client) - ALERT_CHECKS <= {"probe"}
    assert not (folder / "sandbox.sqlite3").exists()
