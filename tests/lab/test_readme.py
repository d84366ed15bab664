"""The examples of the README run as they are written; tests/browser runs the one with a browser."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.world import World

ROOM = Path(__file__).parents[2] / "core" / "lab"
README = (ROOM / "README.md").read_text(encoding="utf-8")


def block(language: str, word: str) -> str:
    """The fenced block of the README in a language that has a word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (example,) = (str(each) for each in blocks if word in each)
    return example


def run(at: World, folder: Path, *command: str) -> str:
    addresses = {"APP": at.address, "SANDBOX": f"{at.address}/sandbox"}
    result = subprocess.run(  # noqa: S603
        command,
        cwd=folder,
        env={**os.environ, **addresses, "TOKEN": str(at.services.tokens.sandbox_token)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_pytest_example_runs_with_a_copy_of_the_client(at: World, tmp_path: Path) -> None:
    shutil.copy(ROOM / "sandbox_client.py", tmp_path)
    (tmp_path / "test_sign_up.py").write_text(block("python", "def test_"), encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider")
    assert "3 passed" in run(at, tmp_path, *command)


def test_the_curl_example_verifies_a_number(at: World, tmp_path: Path) -> None:
    output = run(at, tmp_path, "bash", "-e", "-o", "pipefail", "-c", block("sh", "/checks"))
    assert '"outcome":"approved"' in output.replace(" ", "")
    assert at.http.get("/sandbox/numbers").json() == {"leases": []}
