"""Start the sandbox alone: `python -m core sandbox --port 8510`."""

import argparse
import math
import secrets
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from core.log import log_to_stderr
from core.sandbox.app import Sandbox, is_auth_id
from core.sandbox.errors import FileInUse, StorageFailed
from core.sandbox.signature import Signatures
from core.sandbox.standalone import standalone

AUTH_ID = "MASANDBOX00000000000"


def main(arguments: Sequence[str], program: str) -> None:
    """Serve until stopped. Without --auth-token, each start makes a new random token."""
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8510, help="0 is any free port")
    parser.add_argument(
        "--data", type=Path, default=Path(".data/sandbox"), help="folder of the state file"
    )
    parser.add_argument("--auth-id", type=_auth_id, default=AUTH_ID, help="the account")
    parser.add_argument("--auth-token", default="", help="its token; a new one if it is left out")
    parser.add_argument("--speed", type=_speed, default=1.0, help="divides simulated durations")
    parser.add_argument(
        "--signatures",
        choices=list(Signatures),
        default=Signatures.BOTH,
        help="signature versions of callbacks",
    )
    options = parser.parse_args(arguments)
    token = options.auth_token or secrets.token_hex(20)
    sandbox = Sandbox(
        data=options.data,
        auth_id=options.auth_id,
        auth_token=token,
        speed=options.speed,
        signatures=options.signatures,
    )
    try:
        sandbox.claim()
    except FileInUse as error:
        sys.exit(f"{error}\nEnd it, or choose another folder with --data.")
    except StorageFailed as error:
        sys.exit(f"{error}\nFree disk space, or choose another folder with --data.")
    try:
        listener = _bind(options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        sys.exit(
            f"The sandbox cannot listen on {options.host}, port {options.port}: {reason}.\n"
            "Choose another address with --host and --port; port 0 is any free port."
        )
    log_to_stderr()
    host = f"[{options.host}]" if ":" in options.host else options.host
    sys.stdout.write(f"Sandbox: http://{host}:{listener.getsockname()[1]}/sandbox\n")
    sys.stdout.write(f"auth_id {options.auth_id}, auth_token {token}\n")
    sys.stdout.flush()
    # No access log: the paths hold full numbers.
    config = uvicorn.Config(standalone(sandbox), access_log=False, log_level="warning")
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)  # the error of the start is in the log


def _auth_id(text: str) -> str:
    if not is_auth_id(text):
        raise argparse.ArgumentTypeError(f'"{text}" is not MA and 18 capital letters or digits')
    return text


def _speed(text: str) -> float:
    """The limits are those of SANDBOX_SPEED."""
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0.1 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number from 0.1 to 1,000')
    return speed


def _bind(host: str, port: int) -> socket.socket:
    """A socket that listens: connections wait until the server accepts them. Raises OSError, and
    OverflowError for a port that does not exist."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With IPPROTO_TCP, asyncio sets TCP_NODELAY; else each answer takes 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener
