"""Servers and clients for the sandbox's tests: the sandbox, a product for callbacks, a phone."""

import asyncio
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from core.sandbox.app import Sandbox
from core.sandbox.standalone import standalone
from tests.world import PATIENCE_SECONDS

AUTH_ID = "MATESTTESTTESTTEST00"
AUTH_TOKEN = "a-token-for-tests"
SENDER = "14155550100"
SPEED = 100.0

T = TypeVar("T")

_serial = itertools.count(1)


def number(suffix: str) -> str:
    """A number with this ending that only this test uses; none of a `World`."""
    return f"1650{next(_serial):03}{suffix}"


def wait_for(condition: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """The first true value of `condition`. Raises AssertionError after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.005)):
        value = condition()
        if value:
            return value
        pause.wait(0.005)
    raise AssertionError(f"the condition was not true within {seconds} s")


@contextmanager
def serving(app: ASGIApp, stop: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Serve `app` in a thread and yield its address. `stop` runs on the server's loop."""
    # With IPPROTO_TCP, asyncio sets TCP_NODELAY; else each answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    # Longer than any test is idle: no request meets a connection that the server is closing.
    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_keep_alive=300)
    server = uvicorn.Server(config)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve([listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        if thread.is_alive():
            loops[0].call_soon_threadsafe(stop)
            server.should_exit = True
        thread.join(10)
        listener.close()
    assert not thread.is_alive()


@dataclass(frozen=True)
class Received:
    """A request to the product; `params` are those of the form and the query."""

    method: str
    url: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Product:
    """The product that gets the sandbox's callbacks; it records every request.

    By path: `documents` are the XML answers, `statuses` those of the next requests, then 200.
    """

    base: str = ""
    received: list[Received] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"{self.base}/{path}"

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == f"/{path}"]

    def values(self, path: str, name: str) -> list[str]:
        """The values of a parameter in all requests to `path`, in order of arrival."""
        return [request.params[name] for request in self.at(path)]

    async def _receive(self, request: Request) -> Response:
        query = dict(request.query_params)
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.received.append(
            Received(
                request.method,
                _requested_url(request),
                request.url.path,
                {**query, **form},
                dict(request.headers),
            )
        )
        path = request.url.path[1:]
        status = self.statuses[path].pop(0) if self.statuses.get(path) else 200
        return Response(self.documents.get(path, ""), status, media_type="application/xml")

    @contextmanager
    def listening(self) -> Iterator["Product"]:
        app = Starlette(routes=[Route("/{path:path}", self._receive, methods=["GET", "POST"])])
        with serving(app) as self.base:
            yield self


def _requested_url(request: Request) -> str:
    """The URL as sent: `request.url` has another encoding of the path."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"http://{request.headers['host']}{request.scope['raw_path'].decode()}{query}"


class Phone:
    """The handset of one number, over HTTP."""

    def __init__(self, http: httpx.Client, number: str) -> None:
        self._http = http
        self.number = number

    def look(self) -> dict[str, Any]:
        view: dict[str, Any] = self._http.get(f"/handset/{self.number}", auth=None).json()
        return view

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.look()["messages"]]

    @property
    def call(self) -> dict[str, Any]:
        """The newest call; empty if none rang."""
        calls: list[dict[str, Any]] = self.look()["calls"]
        return calls[0] if calls else {}

    def transcript(self, kind: str = "spoken") -> list[str]:
        return [part["text"] for part in self.call["transcript"] if part["kind"] == kind]

    def do(self, action: str) -> httpx.Response:
        """Do "answer", "press/1", … on the newest call, once it rings."""
        call = wait_for(lambda: self.call)
        return self._http.post(f"/handset/{self.number}/calls/{call['call_uuid']}/{action}")

    def answer(self) -> None:
        assert self.do("answer").status_code == 200

    def waits(self) -> bool:
        return bool(self.call.get("waits_for_key"))

    def ended(self) -> bool:
        return bool(self.call.get("status") == "ended")

    def auto_answer(self, *, on: bool, press: str = "1") -> None:
        body = {"on": on, "press": press}
        self._http.put(f"/handset/{self.number}/auto-answer", json=body).raise_for_status()


class Api:
    """The sandbox's API with the right credentials."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = httpx.Client(
            base_url=base, auth=(AUTH_ID, AUTH_TOKEN), timeout=PATIENCE_SECONDS
        )
        self.account = f"/v1/Account/{AUTH_ID}"

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(self.account + path, params=query)

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(self.account + path, json=body)

    def send(self, to: str, **more: Any) -> str:
        """Send a message; return its UUID."""
        body = {"src": SENDER, "dst": to, "text": "hello", **more}
        answer = self.post("/Message/", **body)
        assert answer.status_code == 202, answer.text
        uuid: str = answer.json()["message_uuid"][0]
        return uuid

    def call(self, to: str, answer_url: str, **more: Any) -> str:
        """Make a call; return its UUID."""
        # At this speed, the default of two minutes is too short for a busy machine.
        body = {
            "from": SENDER,
            "to": to,
            "answer_url": answer_url,
            "ring_timeout": 1200,
            **more,
        }
        answer = self.post("/Call/", **body)
        assert answer.status_code == 201, answer.text
        uuid: str = answer.json()["request_uuid"]
        return uuid

    def message(self, uuid: str) -> dict[str, Any]:
        record: dict[str, Any] = self.get(f"/Message/{uuid}/").json()
        return record

    def settled(self, uuid: str) -> dict[str, Any]:
        """The record of a message, once its state is final."""

        def record() -> dict[str, Any] | None:
            message = self.message(uuid)
            return None if message["message_state"] in {"queued", "sent"} else message

        return wait_for(record)

    def hung_up(self, uuid: str) -> dict[str, Any]:
        """The record of a call, once it has ended."""

        def record() -> dict[str, Any] | None:
            answer = self.get(f"/Call/{uuid}/")
            return answer.json() if answer.status_code == 200 else None

        return wait_for(record)

    def callbacks(self, reference: str) -> list[dict[str, Any]]:
        answer = self.http.get("/v1/sandbox/callbacks", params={"reference": reference})
        log: list[dict[str, Any]] = answer.json()["objects"]
        return log

    def finished_callbacks(self, reference: str) -> list[dict[str, Any]]:
        """The callback log of a message or call, once none is pending or held."""

        def log() -> list[dict[str, Any]]:
            callbacks = self.callbacks(reference)
            is_open = any(callback["state"] in {"pending", "held"} for callback in callbacks)
            return [] if is_open else callbacks

        return wait_for(log)

    def all_callbacks(self, uuid: str) -> list[dict[str, Any]]:
        """The callback log of a message, once its final callback is finished too."""
        self.settled(uuid)
        return self.finished_callbacks(uuid)

    def phone(self, number: str) -> Phone:
        return Phone(self.http, number)


@contextmanager
def sandbox_on(data: Path, **options: Any) -> Iterator[Api]:
    """A running sandbox with its state in `data`; without rate limits unless `options` set them."""
    options = {
        "speed": SPEED,
        "requests_per_5_seconds": 100_000,
        "lists_per_minute": 100_000,
        **options,
    }
    sandbox = Sandbox(data=data, auth_id=AUTH_ID, auth_token=AUTH_TOKEN, **options)
    with serving(standalone(sandbox), sandbox.stop) as base:
        api = Api(base)
        try:
            yield api
        finally:
            api.http.close()
