"""Somebody who is told: a real HTTP server that checks every signature with the specification's own
library, and answers as a test wants it to."""

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

#: The path of WEBHOOK_URL: a token in it must not get out.
PATH = "/events/t0ken-in-the-address"


@dataclass(frozen=True)
class Heard:
    """One request: the event it told, as JSON, and how."""

    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def what(self) -> str:
        return str(self.event["type"]).removeprefix("verification.")

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.event["data"]
        return found


@dataclass
class Receiver:
    """`answers` are given in turn, the last one again and again: a status, and headers. An event
    whose id is in `held` is heard, and not answered as long as it is there."""

    secret: str
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(200, {})])
    heard: list[Heard] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    strayed: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def of(self, verification: str) -> list[Heard]:
        """What was told of one verification, in the order it came."""
        return [one for one in self.heard if one.data["verification"] == verification]

    def whats(self, verification: str) -> Counter[str]:
        """How often each thing was told of it."""
        return Counter(one.what for one in self.of(verification))

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(PATH, self._hear, methods=["POST"]),
                Route("/{elsewhere:path}", self._stray, methods=["GET", "POST"]),
            ]
        )

    async def _hear(self, request: Request) -> Response:
        body = await request.body()
        # Raises when the signature is wrong: the test then sees a 500 in place of its answer.
        Webhook(self.secret).verify(body, dict(request.headers))
        with self._lock:
            headers = dict(request.headers) | {"test-client": str(request.client)}
            self.heard.append(Heard(json.loads(body), headers, body))
            status, headers = self.answers[0]
            if len(self.answers) > 1:
                self.answers.pop(0)
        while request.headers["webhook-id"] in self.held:
            await asyncio.sleep(0.02)
        return Response("so be it", status_code=status, headers=headers)

    async def _stray(self, request: Request) -> Response:
        self.strayed.append(request.url.path)
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
