"""`python -m core reset --what budgets`: asks the running app, else resets the data itself."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from core.model.errors import ProductError, ResetRefused
from core.reset.kinds import ResetKind, read_kinds
from core.reset.offline import remove_sandbox_file
from core.reset.reset import refuse_live
from core.services import build
from core.settings.reading import read_settings
from core.settings.settings import Settings

_KINDS = ", ".join(ResetKind)


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(
        prog=program, description="Reset the sandbox, whole or by kind."
    )
    parser.add_argument(
        "--what", action="append", default=[], metavar="KINDS", help=f"{_KINDS}; default all"
    )
    parser.add_argument("--address", default="http://127.0.0.1:8501", help="of the running app")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(Path.cwd())
        refuse_live(settings.mode.value)
        kinds = read_kinds(options.what)
        removed = _by_app(options.address, kinds) or _directly(settings, kinds)
    except ProductError as error:
        sys.exit(f"{error.cause}\n{error.remedy}")
    for kind, keys in removed.items():
        sys.stdout.write(f"{kind}: {keys:,} keys removed\n")


def _by_app(address: str, kinds: frozenset[ResetKind]) -> dict[str, int] | None:
    """The keys that the running app removed; None if no app runs. It also clears its caches."""
    try:
        answer = httpx.delete(
            f"{address.rstrip('/')}/sandbox/state",
            params={"what": ",".join(sorted(kinds))},
            timeout=30,
        )
    except httpx.TransportError:
        return None
    if answer.status_code != 200:
        raise ResetRefused(
            f"{address} answered {answer.status_code}, so nothing was reset.",
            "Check that this address is this app in sandbox mode, or pass --address.",
        )
    removed: dict[str, int] = answer.json()["removed"]
    return removed


def _directly(settings: Settings, kinds: frozenset[ResetKind]) -> dict[str, int]:
    if settings.sandbox_url is None and kinds & {ResetKind.HANDSETS, ResetKind.ATTEMPTS}:
        remove_sandbox_file(settings.data_dir / "sandbox")
    services = build(settings)
    try:
        runs = settings.sandbox_url is not None
        return {str(k): n for k, n in services.reset.run(kinds, sandbox_runs=runs).items()}
    finally:
        services.close()
