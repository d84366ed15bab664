"""`python -m core reset --what budgets`: asks the running app, else resets the data itself."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from core.access.tokens import sandbox_token
from core.cli.running import exiting_on_errors, opened_services
from core.model.errors import ResetRefused
from core.reset.kinds import ResetKind, read_kinds
from core.reset.offline import remove_sandbox_file
from core.reset.reset import refuse_live
from core.settings.credentials import secret_key
from core.settings.keyring import Keyring
from core.settings.reading import read_settings
from core.settings.settings import Settings

_KINDS = ", ".join(ResetKind)


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(
        prog=program, description="Reset the sandbox, whole or by kind."
    )
    parser.add_argument(
        "--what",
        action="append",
        default=[],
        metavar="KINDS",
        help=f"{_KINDS}; default all but {ResetKind.TEST_SESSIONS}",
    )
    parser.add_argument("--address", default="http://127.0.0.1:8501", help="of the running app")
    options = parser.parse_args(arguments)
    with exiting_on_errors():
        settings = read_settings(Path.cwd())
        refuse_live(settings.mode.value)
        kinds = read_kinds(options.what)
        removed = _by_app(settings, options.address, kinds) or _directly(settings, kinds)
    for kind, keys in removed.items():
        sys.stdout.write(f"{kind}: {keys:,} removed\n")


def _by_app(settings: Settings, address: str, kinds: frozenset[ResetKind]) -> dict[str, int] | None:
    """The keys that the running app removed; None if no app runs. It also clears its caches."""
    url = f"{address.rstrip('/')}/sandbox/state"
    what = {"what": ",".join(sorted(kinds))}
    try:
        answer = httpx.delete(url, params=what, timeout=30)
        if answer.status_code == 401:
            token = sandbox_token(Keyring(secret_key(settings)))
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx.delete(url, params=what, headers=headers, timeout=30)
    except httpx.ConnectError:
        return None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        # The app may run and be resetting its data: a second reset must not interfere.
        raise ResetRefused(
            f"{address} did not answer the request to reset.",
            "Check --address. If the app hangs, stop it, and run this command again.",
        ) from error
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
    runs = settings.sandbox_url is not None
    with opened_services(settings) as services:
        removed = services.reset.run(kinds, sandbox_runs=runs)
    return {str(kind): keys for kind, keys in removed.items()}
