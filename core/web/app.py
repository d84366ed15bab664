"""The routes and the lifespan that `dashboard.py` mounts beside the pages.

The same routes also make an application of their own without Streamlit, `api`, for as many workers
as there are cores: `uvicorn core.web.app:api --workers 2`.
"""

import gc
import logging
import re
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from core.log import log_to_stderr
from core.model.errors import ProductError, SettingsRefused, StoreUnavailable
from core.services import Services, build
from core.settings.settings import read_settings
from core.web import access, live, plivo, sandbox_state, seed
from core.web.access_log import hide_addresses
from core.web.body_deadline import BodyDeadline
from core.web.headers import SecurityHeaders, broken
from core.web.live import Changes
from core.web.metrics import route as monitoring
from core.web.open_files import raise_file_limit
from core.web.shutdown import call_on_stop

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

WARM_AFTER_SECONDS = 2.0


class MountedSandbox(Protocol):
    """The simulated Plivo, as far as it is mounted here. The entry makes it: nothing else of core
    knows the sandbox."""

    @property
    def asgi(self) -> ASGIApp: ...

    def claim(self) -> None:
        """Take what only one process may have. Its own error says which other one has it."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Its carrier runs while this is entered."""
        ...


class Web:
    """Everything that this process serves beside the pages.

    `services` is asked for whenever they are needed; `make_sandbox` is called only where this
    process runs the sandbox.
    """

    def __init__(
        self,
        services: Callable[[], Services],
        make_sandbox: Callable[[Services], MountedSandbox],
    ) -> None:
        self._services = services
        self._make_sandbox = make_sandbox
        self._changes: Changes | None = None
        self._sandbox: MountedSandbox | None = None

    def claim(self) -> None:
        """Take the sandbox's state, where this process runs one: ahead of the lifespan, whose
        errors are tracebacks. Raises as the sandbox does."""
        services = self._services()
        if services.runs_sandbox:
            self._sandbox = self._make_sandbox(services)
            self._sandbox.claim()

    @property
    def routes(self) -> list[BaseRoute]:
        """Plivo's callbacks, the seed's routes, the metrics, the push, the REST API, and the
        sandbox where there is one."""
        return [
            *plivo.routes(self._services),
            *access.routes(self._services),
            *seed.routes(self._services),
            *monitoring.routes(self._services),
            *live.routes(self._live_changes, self._may_watch),
            *sandbox_state.routes(self._services),
            _Below("/api/v1", self._serve_rest),
            Mount("/phone/{verification}", app=self._serve_phone),
            _Below("/sandbox", self._serve_sandbox),
        ]

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[dict[str, Any]]:
        """Start what runs in the background, and stop it again, in the opposite order."""
        hide_addresses()
        raise_file_limit()
        services = self._services()
        async with AsyncExitStack() as stack:
            stack.callback(services.close)
            if services.runs_sandbox:
                self._sandbox = self._sandbox or self._make_sandbox(services)
                stack.callback(setattr, self, "_sandbox", None)
                await stack.enter_async_context(self._sandbox.running())
            self._changes = Changes(services.client, services.keys.changes)
            self._changes.start()
            stack.callback(self._changes.stop)
            call_on_stop(self._changes.end_streams)
            for periodic in services.background:
                periodic.start()
                stack.callback(periodic.stop)
            # After the first visitor's page has been drawn, before a number has been typed.
            warm = threading.Timer(WARM_AFTER_SECONDS, self._warm)
            warm.daemon = True
            warm.start()
            stack.callback(warm.cancel)
            started = {
                "mode": services.settings.mode,
                "verify_access": services.settings.effective_access,
                "redis": services.where,
            }
            log.info("started", extra=started)
            for warning in services.settings.warnings:
                log.warning(warning)
            yield {}

    def _warm(self) -> None:
        self._services().warm()
        import_module("core.web.rest.application")

    @property
    def front(self) -> list[Middleware]:
        """What stands in front of every route, the pages included; the outermost comes first."""
        return [Middleware(SecurityHeaders), Middleware(BodyDeadline), Middleware(self.middleware)]

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Learns the address this process listens on from the first request or WebSocket."""

        async def learning(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] in {"http", "websocket"} and scope.get("server"):
                host, port = scope["server"]
                self._services().address.listening_on(f"http://{_host(host)}:{port}")
            await app(scope, receive, send)

        return learning

    def _may_watch(self, connection: HTTPConnection, verification: str) -> bool:
        services = self._services()
        grant = access.admitted(services, connection).grant
        if grant.touches_all:
            return True
        return services.verifications.look(verification, grant) is not None

    def _live_changes(self) -> Changes:
        if self._changes is None:
            raise RuntimeError("The lifespan has not started")
        return self._changes

    @cached_property
    def rest(self) -> "FastAPI":
        """The REST API. Made when it is first needed: FastAPI takes its time to load, and whoever
        opens a page should not wait for it."""
        from core.web.rest.application import rest_api

        return rest_api(self._services)

    async def _serve_rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.rest(scope, receive, send)

    async def _serve_phone(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The sandbox's handset of a verification, at `…/handset`, for a browser that may look at
        that: so its page need not hold the number."""
        connection = HTTPConnection(scope)
        handset, _, rest = get_route_path(scope).removeprefix("/").partition("/")
        verification = str(connection.path_params["verification"])
        number = None
        try:
            number = await run_in_threadpool(self._number_of, connection, verification)
        except StoreUnavailable as error:
            text = f"{error.cause} {error.remedy}"
            refusal = PlainTextResponse(text, 503, {"Retry-After": "5"})
        else:
            refusal = PlainTextResponse("There is no such phone.", 404)
        if number is None or handset != "handset":
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).send_denial_response(refusal)
            else:
                await refusal(scope, receive, send)
            return
        path = f"/sandbox/handset/{number}" + (f"/{rest}" if rest else "")
        moved = {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "/sandbox",
            "query_string": b"number=hidden",
        }
        await self._serve_sandbox(moved, receive, send)

    def _number_of(self, connection: HTTPConnection, verification: str) -> str | None:
        services = self._services()
        if self._sandbox is None:
            return None
        grant = access.admitted(services, connection).grant
        view = services.verifications.look(verification, grant)
        return view.verification.to.removeprefix("+") if view else None

    async def _serve_sandbox(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._sandbox is None:
            # Live: there is no sandbox, and the page's catch-all must not answer for it.
            await Starlette()(scope, receive, send)
        else:
            await self._sandbox.asgi(scope, receive, send)


class _Below(Mount):
    """Every path below a prefix. `Mount` leaves those with a newline to the page's catch-all."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def standalone(web: Web) -> Starlette:
    """The routes without the pages."""
    return Starlette(
        routes=web.routes,
        lifespan=web.lifespan,
        middleware=web.front,
        exception_handlers={Exception: broken},
    )


def __getattr__(name: str) -> Starlette:
    """`api`, made when a server asks this module for it: the pages import it for `Web` alone."""
    if name != "api":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    log_to_stderr()
    try:
        services = build(read_settings())
        if services.runs_sandbox:
            raise SettingsRefused(
                "The API alone has no sandbox inside: every worker would have one of its own.",
                "Start one with `python -m core sandbox`, then set PLIVO_MODE=sandbox, "
                "SANDBOX_URL=http://127.0.0.1:8510 and the credentials that it prints.",
            )
    except ProductError as error:
        sys.exit(f"{error.cause}\n{error.remedy}")
    web = Web(lambda: services, _no_sandbox)
    # A worker serves nothing else, so it loads what it needs before its first request.
    web.rest.openapi()
    app = standalone(web)
    # What is loaded by now stays as long as the worker: the collector need not walk it again.
    gc.collect()
    gc.freeze()
    return app


def _no_sandbox(services: Services) -> MountedSandbox:
    raise AssertionError("a process with a sandbox inside was refused above")


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
