"""The routes of the handset: read it, answer its calls, press its keys, watch its changes.

The handset needs no credentials. None of its answers may be cached.
"""

from collections.abc import Callable

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from core.sandbox.api.answers import NO_STORE, read_json
from core.sandbox.api.gate import Endpoint
from core.sandbox.api.handset_view import HandsetView
from core.sandbox.api.numbers import parse_destination
from core.sandbox.api.parameters import refuse_others
from core.sandbox.api.streams import Streams
from core.sandbox.calls.log import SandboxCall
from core.sandbox.calls.script import CallScript
from core.sandbox.calls.switchboard import Switchboard
from core.sandbox.calls.xml import ALL_KEYS
from core.sandbox.errors import Refusal
from core.sandbox.handsets import AutoAnswer, Handsets

MAX_MOMENT_DIGITS = 15


class HandsetApi:
    """Every answer is the current handset as JSON, except events and DELETE of all handsets."""

    def __init__(
        self,
        handsets: Handsets,
        view: HandsetView,
        switchboard: Switchboard,
        script: CallScript,
        streams: Streams,
    ) -> None:
        self._handsets = handsets
        self._handset_view = view
        self._switchboard = switchboard
        self._script = script
        self._streams = streams

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
        refuse_others(body, ("on", "press"), "field")
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
        return self._streams.events(_number(request))

    async def push(self, socket: WebSocket) -> None:
        await self._streams.push(socket, _number(socket))

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
