"""Runs Node programs with the packages that a package.json pins.

A folder has package.json with exact versions, package-lock.json without addresses (`npm install
--omit-lockfile-registry-resolved`), and the programs. Its packages are installed once, by `npm ci`,
into `.cache/node/` of the project.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[1] / ".cache" / "node"
_LISTS = ("package.json", "package-lock.json")
_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def require_node() -> None:
    """Without Node a test is skipped by name on a laptop, and fails in CI."""
    if shutil.which("node") and shutil.which("npm"):
        return
    sentence = "no Node: apt-get install nodejs npm"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def run_node(folder: Path, program: str, *arguments: str, **environment: str) -> str:
    """Run `node [arguments] program` in a copy of `folder` with its packages; return its output.

    The arguments are options of Node, such as `--require=./file.cjs`. Of this process's environment
    the program gets PATH and HOME only, and `environment`.
    """
    installed = install_packages(folder)
    with tempfile.TemporaryDirectory(dir=installed, prefix="run-") as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        passed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return _run(Path(copy), ("node", *arguments, program), {**passed, **environment})


def install_packages(folder: Path) -> Path:
    """The folder that holds `node_modules` for the package.json of `folder`."""
    require_node()
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in _LISTS))
    installed = CACHE / digest.hexdigest()[:16]
    if not installed.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=CACHE))
        for name in _LISTS:
            shutil.copy(folder / name, partial)
        _run(partial, _INSTALL, dict(os.environ))
        try:
            partial.rename(installed)
        except OSError:  # another process has just installed the same packages
            shutil.rmtree(partial)
    return installed


def _run(folder: Path, command: tuple[str, ...], environment: dict[str, str]) -> str:
    result = subprocess.run(  # noqa: S603
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"
    return result.stdout
