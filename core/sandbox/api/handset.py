"""The routes of the handset: read it, answer its calls, press its keys, watch its changes.

Changes are pushed as server-sent events, which any HTTP client can read, and at the same path by
WebSocket: a browser opens at most six HTTP connections per host, shared by all its windows.

The handset needs no credentials. None of its answers may be cached.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.sandbox.api.answers import NO_STORE, read_json
from core.sandbox.api.gate import Endpoint
from core.sandbox.api.handset_view import HandsetView
from core.sandbox.api.numbers import parse_destination
from core.sandbox.calls.log import SandboxCall
from core.sandbox.calls.script import CallScript
from core.sandbox.calls.switchboard import Switchboard
from core.sandbox.calls.xml import ALL_KEYS
from core.sandbox.errors import Refusal
from core.sandbox.handsets import AutoAnswer, Handsets

HEARTBEAT_SECONDS = 15.0
MAX_MOMENT_DIGITS = 15

_STREAM_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}


class HandsetApi:
    """Every answer is the current handset as JSON, except events and DELETE of all handsets."""

    def __init__(
        self,
        handsets: Handsets,
        view: HandsetView,
        switchboard: Switchboard,
        script: CallScript,
    ) -> None:
        self._handsets = handsets
        self._handset_view = view
        self._switchboard = switchboard
        self._script = script
        self._stopping = False

    def start(self) -> None:
        self._stopping = False

    def stop(self) -> None:
        """End every event stream at once."""
        self._stopping = True
        self._handsets.wake_all()

    def routes(self) -> list[BaseRoute]:
        phone = "/handset/{number}"
        call = phone + "/calls/{call_uuid}"
        return [
            Route("/handset", self.clear_all, methods=["DELETE"]),
            Route("/log", self.delete_logs, methods=["DELETE"]),
            Route(phone, self.show, methods=["GET"]),
            Route(phone, self.clear, methods=["DELETE"]),
            Route(phone + "/auto-answer", self.auto_answer, methods=["PUT"]),
            Route(phone + "/events", self.events, methods=["GET"]),
            WebSocketRoute(phone + "/events", self.push),
            Route(call + "/answer", self._action(self._switchboard.pick_up), methods=["POST"]),
            Route(
                call + "/decline",
                self._action(self._switchboard.decline),
                methods=["POST"],
            ),
            Route(call + "/hangup", self._action(self._switchboard.hang_up), methods=["POST"]),
            Route(call + "/press/{key}", self.press, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        return self._view(request)

    async def clear(self, request: Request) -> Response:
        self._handsets.clear(_number(request))
        return self._view(request)

    async def clear_all(self, request: Request) -> Response:
        self._handsets.clear_all()
        return Response(status_code=204, headers=NO_STORE)

    async def delete_logs(self, request: Request) -> Response:
        self._handsets.delete_logs()
        return Response(status_code=204, headers=NO_STORE)

    async def auto_answer(self, request: Request) -> Response:
        number, body = _number(request), await read_json(request)
        on, press = body.get("on"), body.get("press", "1")
        if not isinstance(on, bool):
            raise Refusal(400, "on must be true or false")
        if not isinstance(press, str) or len(press) > 1 or press not in ALL_KEYS:
            raise Refusal(400, "press must be one of 0-9, * and #, or empty")
        self._handsets.set_auto_answer(number, AutoAnswer(on, press))
        if on:
            self._switchboard.answer_ringing(number)
            self._script.press_waiting(number)
        return self._view(request)

    async def press(self, request: Request) -> Response:
        self._script.press(self._call(request), request.path_params["key"])
        return self._view(request)

    async def events(self, request: Request) -> Response:
        stream = self._events(_number(request))
        return StreamingResponse(stream, media_type="text/event-stream", headers=_STREAM_HEADERS)

    async def push(self, socket: WebSocket) -> None:
        """Send `changed` at each change, and an empty text at each heartbeat."""
        number = _number(socket)
        await socket.accept()
        pushing = asyncio.create_task(self._push(socket, number))
        try:
            # The client sends nothing: any message, or its disconnect, ends the push.
            await socket.receive()
        finally:
            pushing.cancel()
            await asyncio.wait([pushing])
        with suppress(WebSocketDisconnect, RuntimeError):  # closed already
            await socket.close(1008)

    async def _push(self, socket: WebSocket, number: str) -> None:
        with suppress(WebSocketDisconnect):  # `push` receives the disconnect
            async with aclosing(self._changes(number)) as changes:
                async for changed in changes:
                    await socket.send_text("changed" if changed else "")
            await socket.close(1001)

    async def _events(self, number: str) -> AsyncIterator[str]:
        yield ": open\n\n"  # makes the server send the headers
        async for changed in self._changes(number):
            yield "data: changed\n\n" if changed else ": still here\n\n"

    async def _changes(self, number: str) -> AsyncGenerator[bool]:
        """True at each change, False at each heartbeat, until the sandbox stops."""
        with self._handsets.watch(number) as changed:
            while not self._stopping:
                try:
                    # `wait_for` of Python 3.11 loses a cancel that comes with the event.
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield False
                else:
                    changed.clear()
                    if not self._stopping:
                        yield True

    def _action(self, action: Callable[[SandboxCall], None]) -> Endpoint:
        async def act(request: Request) -> Response:
            action(self._call(request))
            return self._view(request)

        return act

    def _call(self, request: Request) -> SandboxCall:
        call = self._switchboard.calls.find(request.path_params["call_uuid"])
        if call is None or call.to_number != _number(request):
            raise Refusal(404, "no such call on this handset")
        return call

    def _view(self, request: Request) -> Response:
        view = self._handset_view.of_number(_number(request), _since(request))
        # For a page that may show a verification's handset but not its number.
        if request.query_params.get("number") == "hidden":
            del view["number"]
        return JSONResponse(view, headers=NO_STORE)


def _since(request: Request) -> float:
    """The query's `since` in Unix seconds; 0 without one."""
    text = request.query_params.get("since", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_MOMENT_DIGITS):
        raise Refusal(400, "since must be a moment in Unix milliseconds")
    return int(text) / 1000


def _number(request: HTTPConnection) -> str:
    return parse_destination(request.path_params["number"])
