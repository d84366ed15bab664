"""The product without its pages: real Redis, real sandbox, real HTTP. Only the clock moves."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from argon2 import PasswordHasher
from starlette.types import ASGIApp

# Loaded here, in the main thread: while they load, FastAPI and requests (part of Plivo's SDK) each
# silence a warning. That is a state of the process, not of the thread, and pytest sets it again for
# each test: the same load in another thread at that moment fails with the warning.
import core.plivo.sdk
import core.web.rest.application  # noqa: F401
from core.model.grant import OPERATOR
from core.model.verification import SendResult, View
from core.model.way import Way
from core.plivo.request import AttemptRequest
from core.sandbox.app import Sandbox
from core.sandbox.on_demand import OnDemandSandbox
from core.sandbox.storage import Storage
from core.services import Services
from core.settings.settings import Settings
from core.verification.sending import Provider
from core.web.app import Web, standalone
from core.wiring import LOG_SYNC, build
from pages.components.phone_page import phone_page

SPEED = 10
#: For what a busy machine does late. What a test expects not to happen does not wait for it.
PATIENCE_SECONDS = 60

T = TypeVar("T")

AREAS = ("415", "212", "312", "617", "206", "305", "702", "404")


def quick_hash(password: str) -> str:
    """A hash of a password for ADMIN_PASSWORD_HASH that takes 1 ms to compare instead of 100: its
    costs are written in it."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


class MovableClock:
    """The real time plus what a test has added to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, span: timedelta | float) -> None:
        """Move on by a span, or by seconds."""
        self.ahead += span if isinstance(span, timedelta) else timedelta(seconds=span)


class FrozenClock(MovableClock):
    """Stands still unless a test moves it: for windows that must be exact to the millisecond."""

    def __init__(self) -> None:
        super().__init__()
        self.restart()

    def restart(self) -> None:
        """Stop at the current second."""
        self.ahead = timedelta()
        self._start = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self._start + self.ahead


def until(what: Callable[[], T], patience: float = PATIENCE_SECONDS) -> T:
    """The first true result of `what`, called again until then; fails after `patience` s."""
    deadline = time.monotonic() + patience
    while True:
        called_at = time.monotonic()
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {patience} s")
        # A call that takes long is made less often: it slows down what it waits for.
        threading.Event().wait(min(max(0.02, 4 * (time.monotonic() - called_at)), 0.2))


@contextmanager
def served(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve an application on a port of the loopback, a free one by default; yields its address."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        port = listening.getsockname()[1]
        # Longer than any test is idle, so the server never closes a connection that a client is
        # about to reuse.
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="on", timeout_keep_alive=300
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive())
            assert server.started, "the server did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


class World:
    """A running product and a person with phones."""

    _numbers = itertools.count()

    def __init__(self, services: Services, address: str, clock: MovableClock) -> None:
        self.services = services
        self.address = address
        self.clock = clock
        self.http = httpx.Client(base_url=address, timeout=PATIENCE_SECONDS)
        self._keys = itertools.count()

    def number(self, ending: str = "5555") -> str:
        """A number that no other test uses, with these last four digits."""
        n = next(self._numbers)
        return f"+1{AREAS[n // 800 % len(AREAS)]}{200 + n % 800}{ending}"

    def start(self, number: str, way: Way = Way.SMS, **more: Any) -> SendResult:
        """Start a verification as the page does, each with a key of its own."""
        more.setdefault("grant", OPERATOR)
        more.setdefault("idempotency_key", f"test-{next(self._keys)}")
        return self.services.verifications.start(number, way, **more)

    def started(self, number: str, way: Way = Way.SMS) -> str:
        """The id of a verification that must have started."""
        result = self.start(number, way)
        assert result.verification is not None, result
        return result.verification

    def resend(self, verification: str, **more: Any) -> SendResult:
        return self.services.verifications.resend(verification, grant=OPERATOR, **more)

    def look(self, verification: str) -> View:
        view = self.services.verifications.look(verification)
        assert view is not None
        return view

    def code(self, verification: str) -> str:
        """The right code, for tests about checking; others read it from the phone."""
        return self.services.verifications.code_for(self.look(verification).verification).reveal()

    def wrong_code(self, verification: str) -> str:
        right = self.code(verification)
        return f"{(int(right) + 1) % 10 ** len(right):0{len(right)}}"

    def handset(self, number: str) -> dict[str, Any]:
        answer = self.http.get(f"/sandbox/handset/{number}")
        assert answer.status_code == 200, answer.text
        phone: dict[str, Any] = answer.json()
        return phone

    def message(self, number: str) -> str:
        """The newest message's text, once there is one."""
        return str(until(lambda: self.handset(number)["messages"])[0]["text"])

    def call(self, number: str, status: str) -> dict[str, Any]:
        """The newest call, once it has that status."""

        def newest() -> dict[str, Any] | None:
            calls = self.handset(number)["calls"]
            return calls[0] if calls and calls[0]["status"] == status else None

        call = until(newest)
        assert call is not None
        return call

    def touch(self, number: str, call: dict[str, Any], what: str) -> httpx.Response:
        """Answer, decline, hang up or press a key (`press/1`) on the phone."""
        return self.http.post(f"/sandbox/handset/{number}/calls/{call['call_uuid']}/{what}")


@contextmanager
def second_process(at: World, provider: Provider | None = None) -> Iterator[Services]:
    """Services of another process on the same Redis; `provider` takes its sends."""
    services = build(at.services.settings, at.clock, provider=provider)
    try:
        yield services
    finally:
        services.close()


class DiesWhileSending:
    """A provider whose process ends before the request to Plivo."""

    def obstacle(self, way: Way) -> tuple[str, str] | None:
        return None

    def calls_back(self, way: Way) -> bool:
        return True

    def send(self, request: AttemptRequest) -> str:
        raise KeyboardInterrupt("the process died here")


@contextmanager
def world(
    data: Path, redis_url: str | None, clock: MovableClock, **settings: Any
) -> Iterator[World]:
    """A world with these settings, torn down at the end."""
    # Only 0408 is answered later than this: a busy machine must not look like a silent Plivo.
    settings.setdefault("plivo_read_seconds", 5)
    # Most tests are about what live does; tests/verification/test_warnings.py has the default.
    settings.setdefault("sandbox_budgets", "enforce")
    effective_settings = Settings(
        data_dir=data, redis_url=redis_url, sandbox_speed=SPEED, **settings
    )
    services = build(effective_settings, clock)
    # A scheduled run of the log reader, a minute after the start, would fall into an unrelated
    # test. Tests read the logs themselves.
    background = tuple(one for one in services.background if one.name != LOG_SYNC)
    services = replace(services, background=background)

    def make_sandbox(of: Services) -> OnDemandSandbox:
        def make(storage: Storage) -> Sandbox:
            return Sandbox(
                data=storage,
                auth_id=of.settings.auth_id,
                auth_token=of.auth_token,
                speed=SPEED,
                requests_per_5_seconds=100_000,
                lists_per_minute=10_000,
            )

        return OnDemandSandbox(data / "sandbox", make)

    web = Web(lambda: services, make_sandbox, phone_page())
    with served(standalone(web)) as address:
        services.address.listening_on(address)
        new_world = World(services, address, clock)
        try:
            yield new_world
        finally:
            new_world.http.close()
