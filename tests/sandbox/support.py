"""Real parts for the sandbox's tests: servers on free ports, a product that listens, a phone."""

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

from core.sandbox import Sandbox
from core.sandbox.standalone import standalone

AUTH_ID = "MATESTTESTTESTTEST00"
AUTH_TOKEN = "a-token-for-tests"
SENDER = "14155550100"
SPEED = 100.0

T = TypeVar("T")

_serial = itertools.count(1)


def number(suffix: str) -> str:
    """A number that no other test uses, with the ending that asks for an outcome."""
    return f"1415{next(_serial):03}{suffix}"


def wait_for(condition: Callable[[], T | None], seconds: float = 8) -> T:
    """The first true value of `condition`; AssertionError if there is none in time."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.005)):
        value = condition()
        if value:
            return value
        pause.wait(0.005)
    raise AssertionError(f"waited {seconds} s in vain")


@contextmanager
def serving(app: ASGIApp, stop: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Serve `app` from a thread of its own; yield the address. `stop` runs on the server's loop."""
    # The protocol is named so that asyncio turns off Nagle's delay of 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    # Longer than any test is idle: a connection that the server closes just as a client takes it up
    # again is nobody's mistake, and no test's subject.
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
    """One request that reached the product; `params` are those of the form or the query."""

    method: str
    url: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class Product:
    """What the sandbox calls back: it remembers everything, and answers as told per path.

    `documents` are answered as XML; `statuses` are used up one by one, then it is 200.
    """

    base: str = ""
    received: list[Received] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"{self.base}/{path}"

    def at(self, path: str) -> list[Received]:
        return [one for one in self.received if one.path == f"/{path}"]

    def values(self, path: str, name: str) -> list[str]:
        """One parameter of every request to `path`, in the order of arrival."""
        return [one.params[name] for one in self.at(path)]

    async def _hear(self, request: Request) -> Response:
        query = dict(request.query_params)
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.received.append(
            Received(
                request.method,
                str(request.url),
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
        app = Starlette(routes=[Route("/{path:path}", self._hear, methods=["GET", "POST"])])
        with serving(app) as self.base:
            yield self


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
        """The newest call; empty if it never rang."""
        calls: list[dict[str, Any]] = self.look()["calls"]
        return calls[0] if calls else {}

    def heard(self, kind: str = "spoken") -> list[str]:
        return [part["text"] for part in self.call["transcript"] if part["kind"] == kind]

    def do(self, action: str) -> httpx.Response:
        """Do something to the newest call, once it rings here: "answer", "press/1", …"""
        call = wait_for(lambda: self.call)
        return self._http.post(f"/handset/{self.number}/calls/{call['call_uuid']}/{action}")

    def take(self) -> None:
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
        self.http = httpx.Client(base_url=base, auth=(AUTH_ID, AUTH_TOKEN), timeout=10)
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
        # At this speed the usual two minutes would be over before a busy machine answers.
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
        """The record of a message once it is in its last state."""

        def record() -> dict[str, Any] | None:
            message = self.message(uuid)
            return None if message["message_state"] in {"queued", "sent"} else message

        return wait_for(record)

    def hung_up(self, uuid: str) -> dict[str, Any]:
        """The record of a call once it has ended."""

        def record() -> dict[str, Any] | None:
            answer = self.get(f"/Call/{uuid}/")
            return answer.json() if answer.status_code == 200 else None

        return wait_for(record)

    def callbacks(self, reference: str) -> list[dict[str, Any]]:
        answer = self.http.get("/v1/sandbox/callbacks", params={"reference": reference})
        log: list[dict[str, Any]] = answer.json()["objects"]
        return log

    def finished_callbacks(self, reference: str) -> list[dict[str, Any]]:
        """The callback log once nothing of it is under way at the moment."""

        def log() -> list[dict[str, Any]]:
            callbacks = self.callbacks(reference)
            open_ones = [one for one in callbacks if one["state"] in {"pending", "held"}]
            return [] if open_ones else callbacks

        return wait_for(log)

    def all_callbacks(self, uuid: str) -> list[dict[str, Any]]:
        """The callback log of a message once all is told, the last callback too."""
        self.settled(uuid)
        return self.finished_callbacks(uuid)

    def phone(self, number: str) -> Phone:
        return Phone(self.http, number)


@contextmanager
def sandbox_on(data: Path, **options: Any) -> Iterator[Api]:
    """A running sandbox with its state in `data`; limits out of the way unless given."""
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
