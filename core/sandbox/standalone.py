"""The sandbox as an ASGI application of its own, for the command and for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount

from core.sandbox.app import Sandbox


def standalone(sandbox: Sandbox) -> Starlette:
    """Serves every path with and without the prefix /sandbox, and runs the sandbox meanwhile."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with sandbox.running():
            yield

    mounts = [Mount("/sandbox", sandbox.asgi), Mount("/", sandbox.asgi)]
    return Starlette(routes=mounts, lifespan=lifespan)
