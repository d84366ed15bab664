"""`python -m core sandbox`: what it prints, and when."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


def command(data: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "core", "sandbox", "--data", str(data), *arguments]


@contextmanager
def running(data: Path) -> Iterator[str]:
    """The sandbox on a free port, and the address that it prints."""
    process = subprocess.Popen(  # noqa: S603
        command(data, "--port", "0"), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().removeprefix("Sandbox: ").strip()
    finally:
        process.kill()
        process.communicate()


def test_credentials_are_printed_once_the_port_is_bound_and_only_then(tmp_path: Path) -> None:
    with running(tmp_path / "first") as address:
        assert httpx.get(address + "/endings").status_code == 200
        port = address.removesuffix("/sandbox").rpartition(":")[2]
        second = subprocess.run(  # noqa: S603
            command(tmp_path / "second", "--port", port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (second.returncode, second.stdout) == (1, "")
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use." in second.stderr
    assert "--port" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_a_speed_outside_the_limits_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    from core.cli import sandbox

    with pytest.raises(SystemExit):
        sandbox.main(["--data", str(tmp_path), "--speed", speed], "sandbox")
    assert f'"{speed}" is not a number from 0.1 to 1,000' in capsys.readouterr().err


def test_an_account_that_plivo_cannot_have_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.cli import sandbox

    with pytest.raises(SystemExit):
        sandbox.main(["--data", str(tmp_path), "--auth-id", "me"], "sandbox")
    assert '"me" is not MA and 18 capital letters or digits' in capsys.readouterr().err


def test_a_port_that_does_not_exist_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.cli import sandbox

    with pytest.raises(SystemExit, match=r"cannot listen on 127\.0\.0\.1, port 99999"):
        sandbox.main(["--data", str(tmp_path), "--port", "99999"], "sandbox")
    assert capsys.readouterr().out == ""
