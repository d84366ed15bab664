"""A receiver of events: a real HTTP server that checks every signature with the library of the
specification, and gives the answers that a test sets."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.world import served

#: The path of WEBHOOK_URL: its token must not appear anywhere.
PATH = "/events/t0ken-in-the-address"


@dataclass(frozen=True)
class ReceivedEvent:
    """A request: its event, as JSON, its headers and its body."""

    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def kind(self) -> str:
        return str(self.event["type"]).removeprefix("verification.")

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.event["data"]
        return data


@dataclass
class Receiver:
    """`answers` (a status and headers) are used in turn, and the last one again and again. An event
    whose id is in `held` is received, and not answered while it is there."""

    secret: str
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(200, {})])
    requests: list[ReceivedEvent] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    other_paths: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def of(self, verification: str) -> list[ReceivedEvent]:
        """The events of a verification, in the order of their arrival."""
        return [event for event in self.requests if event.data["verification"] == verification]

    def kinds(self, verification: str) -> Counter[str]:
        """How many events of each kind there are of a verification."""
        return Counter(event.kind for event in self.of(verification))

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(PATH, self._receive, methods=["POST"]),
                Route("/{elsewhere:path}", self._note_path, methods=["GET", "POST"]),
            ]
        )

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        # Raises for a wrong signature: the sender then gets a 500 in place of its answer.
        Webhook(self.secret).verify(body, dict(request.headers))
        with self._lock:
            headers = dict(request.headers) | {"test-client": str(request.client)}
            self.requests.append(ReceivedEvent(json.loads(body), headers, body))
            status, headers = self.answers[0]
            if len(self.answers) > 1:
                self.answers.pop(0)
        while request.headers["webhook-id"] in self.held:
            await asyncio.sleep(0.02)
        return Response("so be it", status_code=status, headers=headers)

    async def _note_path(self, request: Request) -> Response:
        self.other_paths.append(request.url.path)
        return Response("not here", status_code=200)


@contextmanager
def receiving(secret: str, port: int = 0) -> Iterator[tuple[Receiver, str]]:
    """A receiver, and its WEBHOOK_URL."""
    receiver = Receiver(secret)
    with served(receiver.app, port) as address:
        try:
            yield receiver, f"{address}{PATH}"
        finally:
            receiver.held.clear()
