"""The routes of the inbox: what arrived on all handsets. It needs no credentials."""

import asyncio
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from core.sandbox.api.answers import NO_STORE
from core.sandbox.api.inbox_view import InboxView
from core.sandbox.api.parameters import refuse_others
from core.sandbox.api.streams import Streams
from core.sandbox.errors import Refusal
from core.sandbox.handsets import ALL_NUMBERS
from core.sandbox.inbox import Inbox

LIMIT, MAX_LIMIT = 50, 100
MAX_SEARCH = 200
MAX_ID_DIGITS = 15
_PARAMETERS = ("search", "limit", "before")


class InboxApi:
    """Every answer is JSON, except the events."""

    def __init__(self, inbox: Inbox, view: InboxView, streams: Streams) -> None:
        self._inbox = inbox
        self._view = view
        self._streams = streams

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/inbox", self.list, methods=["GET"]),
            Route("/inbox/events", self.events, methods=["GET"]),
            WebSocketRoute("/inbox/events", self.push),
            Route("/inbox/{reference}", self.show, methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        refuse_others(request.query_params, _PARAMETERS, "parameter")
        limit = _whole_number(request, "limit") or LIMIT
        if limit > MAX_LIMIT:
            raise Refusal(400, f"limit must be at most {MAX_LIMIT}")
        search = request.query_params.get("search", "")
        if len(search) > MAX_SEARCH:
            raise Refusal(400, f"search must have at most {MAX_SEARCH} characters")
        rows: list[sqlite3.Row] = []
        for part in self._inbox.slices(search, _whole_number(request, "before"), limit + 1):
            rows += part
            await asyncio.sleep(0)  # a long search must not delay messages, calls and waits
        more = len(rows) > limit
        return _answer(
            {
                "entries": self._view.of_rows(rows[:limit]),
                "next_before": rows[limit - 1]["id"] if more else None,
            }
        )

    async def show(self, request: Request) -> Response:
        row = self._inbox.find(request.path_params["reference"])
        entries = self._view.of_rows([row] if row else [])
        if not entries:
            raise Refusal(404, "no such message or call in the inbox")
        return _answer(entries[0])

    async def events(self, request: Request) -> Response:
        return self._streams.events(ALL_NUMBERS)

    async def push(self, socket: WebSocket) -> None:
        await self._streams.push(socket, ALL_NUMBERS)


def _answer(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=NO_STORE)


def _whole_number(request: Request, name: str) -> int | None:
    """A parameter of the query, from 1 on; None without it. Raises Refusal 400."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS and int(text) > 0):
        raise Refusal(400, f"{name} must be a whole number above 0")
    return int(text)
