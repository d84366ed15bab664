"""Start the sandbox alone: `python -m core sandbox --port 8510`."""

import argparse
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from core.sandbox.app import Sandbox
from core.sandbox.errors import FileInUse
from core.sandbox.signature import Signatures

AUTH_ID = "MASANDBOX00000000000"


def standalone(sandbox: Sandbox) -> Starlette:
    """The sandbox as an application that runs alone, with and without the prefix /sandbox."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with sandbox.running():
            yield

    mounts = [Mount("/sandbox", sandbox.asgi), Mount("/", sandbox.asgi)]
    return Starlette(routes=mounts, lifespan=lifespan)


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
