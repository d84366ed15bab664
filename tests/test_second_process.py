"""A second process in the folder of a running application: a command, another application."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from core.model.attempt import State
from core.plivo.callback_address import CallbackAddress
from tests.store.servers import free_port
from tests.world import MovableClock, World, until, world

ROOT = Path(__file__).parents[1]


def run(data: Path, redis_url: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of ours with the settings of the running application."""
    ours = {"DATA_DIR": str(data), "REDIS_URL": redis_url, "PATH": os.environ["PATH"]}
    return subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", *command],
        env=ours,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_logs_are_read_beside_an_application_with_its_sandbox(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    # A sandbox of its own: the logs of the shared one have more pages than a minute may read.
    with world(tmp_path, redis_url, MovableClock()) as at:
        verification = at.started(at.number())
        until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
        ended = run(at.services.settings.data_dir, redis_url, "core", "read-logs")
        assert ended.returncode == 0, ended.stderr
        rows = int(ended.stdout.splitlines()[-1].split()[0])
        assert rows > 0
        # The command has not taken the application's address away.
        assert run(at.services.settings.data_dir, redis_url, "core", "read-logs").returncode == 0


@pytest.mark.parametrize("left", [None, "", "http://127.0.0.1:{port}"])
def test_without_an_application_the_command_says_what_to_do(
    redis_url: str, tmp_path: Path, left: str | None
) -> None:
    if left is not None:
        # What an application that was killed leaves.
        (tmp_path / "sandbox").mkdir()
        (tmp_path / "sandbox" / "address").write_text(left.format(port=free_port()))
    ended = run(tmp_path, redis_url, "core", "read-logs")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) >= 2
    if not left:
        assert "Start it and open its page, or set SANDBOX_URL" in ended.stderr


def test_the_address_is_in_the_file_while_the_application_runs(tmp_path: Path) -> None:
    file = tmp_path / "sandbox" / "address"
    ours = CallbackAddress(None, local_allowed=True, file=file)
    other = CallbackAddress(None, local_allowed=True, file=file)
    assert other.beside is None
    ours.listening_on("http://127.0.0.1:8501")
    assert other.beside == "http://127.0.0.1:8501"
    # A command reads it, and takes no callbacks at it.
    assert (other.local, other.base) == (None, None)
    other.withdraw()
    assert ours.beside == other.beside == "http://127.0.0.1:8501"
    ours.withdraw()
    assert other.beside is None


@pytest.mark.parametrize(
    "command",
    [
        ["uvicorn", "dashboard:app", "--port", "{port}"],
        [
            "streamlit",
            "run",
            "dashboard.py",
            "--server.headless",
            "true",
            "--server.port",
            "{port}",
        ],
        ["core", "sandbox", "--port", "{port}", "--data", "{data}/sandbox"],
    ],
    ids=["uvicorn", "streamlit", "sandbox"],
)
def test_a_second_application_in_the_same_folder_ends_with_a_sentence(
    at: World, redis_url: str, command: list[str]
) -> None:
    data = at.services.settings.data_dir
    ended = run(data, redis_url, *(part.format(port=free_port(), data=data) for part in command))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert f"Another sandbox uses {data}" in ended.stderr
    assert "DATA_DIR" in ended.stderr or "--data" in ended.stderr
    # The first one has not noticed.
    verification = at.started(at.number())
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
