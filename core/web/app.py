"""Assembles the routes and the lifespan that `dashboard.py` mounts beside the pages.

The same routes also make an application without Streamlit, `api`, which several workers can serve:
`uvicorn core.web.app:api --workers 2`.
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

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from core.log import log_to_stderr
from core.model.errors import ProductError, SettingsRefused
from core.services import Services
from core.settings.reading import read_settings
from core.web import access, live, live_chaos, phone, plivo, sandbox_state, seed, tester
from core.web.access_log import hide_addresses
from core.web.body_deadline import BodyDeadline
from core.web.headers import SecurityHeaders, broken
from core.web.live import Changes
from core.web.live_chaos import ChaosFeed
from core.web.metrics import route as monitoring
from core.web.open_files import raise_file_limit
from core.web.sandbox_guard import SandboxGuard
from core.web.shutdown import call_on_stop
from core.wiring import build

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

#: What is slow to load is loaded when the first page has been drawn: this long after its script has
#: ended, since the browser draws then. Without a page: this long after the start.
DRAWING_SECONDS, WITHOUT_PAGE_SECONDS = 1.0, 10.0


class MountedSandbox(Protocol):
    """The simulated Plivo, as it is mounted here. The entry makes it, since nothing else in core
    may import the sandbox."""

    @property
    def asgi(self) -> ASGIApp: ...

    def claim(self) -> None:
        """Lock the sandbox's state for this process. Its error names the process that holds it."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """A context in which the simulated carrier runs."""
        ...

    def load(self) -> object:
        """Load what its first request needs, ahead of that request."""
        ...


class Web:
    """Everything that this process serves beside the pages.

    `services` is called whenever they are needed, since the pages build them after the routes;
    `make_sandbox` only where this process runs the sandbox. `phone_page` is the HTML of the page
    that shows a handset on another phone.
    """

    def __init__(
        self,
        services: Callable[[], Services],
        make_sandbox: Callable[[Services], MountedSandbox],
        phone_page: str = "",
    ) -> None:
        self._services = services
        self._make_sandbox = make_sandbox
        self._phone_page = phone_page
        self._changes: Changes | None = None
        self._chaos: ChaosFeed | None = None
        self._sandbox: MountedSandbox | None = None

    def claim(self) -> None:
        """Lock the sandbox's state, where this process runs a sandbox. Call it before the lifespan,
        whose errors are tracebacks. Raises the sandbox's errors."""
        services = self._services()
        if services.runs_sandbox:
            self._sandbox = self._make_sandbox(services)
            self._sandbox.claim()

    @property
    def routes(self) -> list[BaseRoute]:
        """All routes outside the pages; those of the sandbox answer 404 where there is none."""
        return [
            *plivo.routes(self._services),
            *access.routes(self._services),
            *tester.routes(self._services),
            *seed.routes(self._services),
            *monitoring.routes(self._services),
            *live.routes(self._live_changes, self._may_watch),
            *live_chaos.routes(lambda: self._chaos),
            *sandbox_state.routes(self._services),
            _SubtreeMount("/api/v1", self._serve_rest),
            *phone.routes(self._services, self._mounted_sandbox, self._phone_page),
            _SubtreeMount("/sandbox", self._serve_sandbox),
        ]

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[dict[str, Any]]:
        """Start what runs in the background, and stop it in the opposite order."""
        hide_addresses()
        raise_file_limit()
        services = self._services()
        async with AsyncExitStack() as stack:
            stack.callback(services.close)
            if services.runs_sandbox:
                self._sandbox = self._sandbox or self._make_sandbox(services)
                stack.callback(setattr, self, "_sandbox", None)
                await stack.enter_async_context(self._sandbox.running())
            self._changes = Changes(services.changes)
            self._changes.start()
            stack.callback(self._changes.stop)
            call_on_stop(self._changes.end_streams)
            if services.settings.is_sandbox:
                self._chaos = ChaosFeed(services.chaos.read)
                stack.callback(self._chaos.stop)
                call_on_stop(self._chaos.stop)
            for periodic in services.background:
                periodic.start()
                stack.callback(periodic.stop)
            stopping = threading.Event()
            threading.Thread(
                target=self._warm, args=(stopping,), name="loading", daemon=True
            ).start()
            stack.callback(services.page_drawn.set)
            stack.callback(stopping.set)
            fields = {
                "mode": services.settings.mode,
                "verify_access": services.settings.effective_access,
                "redis": services.where,
            }
            log.info("started", extra=fields)
            for warning in services.settings.start_warnings:
                log.warning(warning)
            yield {}

    def _warm(self, stopping: threading.Event) -> None:
        services = self._services()
        services.page_drawn.wait(WITHOUT_PAGE_SECONDS)
        if not stopping.wait(DRAWING_SECONDS):
            if (sandbox := self._sandbox) is not None:
                sandbox.load()
            services.warm()
            import_module("core.web.rest.application")

    @property
    def front(self) -> list[Middleware]:
        """The middleware of every route and page, the outermost first."""
        return [Middleware(SecurityHeaders), Middleware(BodyDeadline), Middleware(self.middleware)]

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Learns the address this process listens on from the first request or WebSocket."""

        async def learn_address(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] in {"http", "websocket"} and scope.get("server"):
                host, port = scope["server"]
                self._services().address.listening_on(f"http://{_host(host)}:{port}")
            await app(scope, receive, send)

        return learn_address

    def _may_watch(self, connection: HTTPConnection, verification: str) -> bool:
        services = self._services()
        grant = access.admitted(services.admission, connection).grant
        if grant.touches_all:
            return True
        return services.verifications.look(verification, grant) is not None

    def _live_changes(self) -> Changes:
        if self._changes is None:
            raise RuntimeError("The lifespan has not started")
        return self._changes

    @cached_property
    def rest(self) -> "FastAPI":
        """The REST API. Made when it is first needed: FastAPI is slow to load, and no page should
        wait for it."""
        from core.web.rest.application import rest_api

        return rest_api(self._services)

    async def _serve_rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.rest(scope, receive, send)

    async def _serve_sandbox(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._sandbox is None:
            # A 404: the catch-all of the pages must not answer in place of the sandbox.
            await Starlette()(scope, receive, send)
        else:
            await SandboxGuard(self._sandbox.asgi, self._services)(scope, receive, send)

    def _mounted_sandbox(self) -> ASGIApp | None:
        return self._sandbox.asgi if self._sandbox else None


class _SubtreeMount(Mount):
    """Every path below a prefix, also with a newline in it, which `Mount` does not match."""

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
    """`api`, made when a server reads it from this module: the pages import only `Web`."""
    if name != "api":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    log_to_stderr()
    try:
        services = build(read_settings())
        if services.runs_sandbox:
            raise SettingsRefused(
                "The API without pages cannot run a sandbox: every worker would start its own.",
                "Start one with `python -m core sandbox`, then set PLIVO_MODE=sandbox, "
                "SANDBOX_URL=http://127.0.0.1:8510 and the credentials that it prints.",
            )
    except ProductError as error:
        sys.exit(f"{error.cause}\n{error.remedy}")
    web = Web(lambda: services, _no_sandbox)
    # A worker serves only the API, so it loads the API before its first request.
    web.rest.openapi()
    app = standalone(web)
    # Objects of loaded modules live as long as the worker: exclude them from garbage collection.
    gc.collect()
    gc.freeze()
    return app


def _no_sandbox(services: Services) -> MountedSandbox:
    raise AssertionError("a process that would run a sandbox was refused above")


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
