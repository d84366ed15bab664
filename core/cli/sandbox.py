"""Start the sandbox alone: `python -m core sandbox --port 8510`."""

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from core.log import log_to_stderr
from core.sandbox.app import Sandbox
from core.sandbox.errors import FileInUse, StorageFailed
from core.sandbox.signature import Signatures
from core.sandbox.standalone import standalone

AUTH_ID = "MASANDBOX00000000000"


def main(arguments: Sequence[str], program: str) -> None:
    """Serve until stopped. Without --auth-token, each start makes a new random token."""
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8510)
    parser.add_argument("--data", type=Path, default=Path(".data/sandbox"))
    parser.add_argument("--auth-id", default=AUTH_ID)
    parser.add_argument("--auth-token", default="")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--signatures", choices=list(Signatures), default=Signatures.BOTH)
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
    log_to_stderr()
    sys.stdout.write(f"Sandbox: http://{options.host}:{options.port}/sandbox\n")
    sys.stdout.write(f"auth_id {options.auth_id}, auth_token {token}\n")
    sys.stdout.flush()
    # No access log: the paths hold full numbers.
    uvicorn.run(
        standalone(sandbox),
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
    )
