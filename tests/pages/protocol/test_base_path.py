"""Starts that are refused with a sentence, whichever way a setting is given."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("way", ["flag", "environment", "config.toml"])
def test_a_base_path_is_refused_however_it_is_given(tmp_path: Path, way: str) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", "0"]
    match way:
        case "flag":
            command += ["--server.baseUrlPath", "demo"]
        case "environment":
            environment["STREAMLIT_SERVER_BASE_URL_PATH"] = "/demo/"
        case _:
            # The user's own file; the project's has no such line.
            (tmp_path / ".streamlit").mkdir()
            (tmp_path / ".streamlit" / "config.toml").write_text('[server]\nbaseUrlPath = "demo"\n')
    done = subprocess.run(  # noqa: S603
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert 'server.baseUrlPath is "demo"' in done.stderr
    assert "a host name of its own" in done.stderr
    assert "Traceback" not in done.stderr
    # Nothing was started: no Redis, no data.
    assert not (tmp_path / "data").exists()
