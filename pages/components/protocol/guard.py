"""The guard in front of every websocket: Streamlit's, and those of our own routes.

A browser on our pages sends a few kinds of small messages, a few a second. A socket that sends
other kinds, or many more, is dropped. Runs wait for their turn (`turns`), so that a flood of
allowed messages delays only its sender.

A run of a fragment waits for the end of the socket's current run, as it would in Streamlit: that
run may change the page, and then the fragment's message is dropped (`shown_page`).

Dropped means without a close frame: with one, the server would wait 10 seconds for the client's
answer and read everything that a flooding client sends until then. A flooding socket is no longer
read, and is held for a while first: holding it costs less than parsing what the client sends next.

Our own websockets, which push changes and read nothing, pass if their origin is ours; they are
counted separately. A websocket at any other path is refused.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.components.protocol.bucket import Bucket
from pages.components.protocol.messages import (
    LONGEST,
    ends_work,
    is_allowed,
    is_fragment_run,
    is_work,
)
from pages.components.protocol.paths import STREAM, is_plain, not_found
from pages.components.protocol.shown_page import ShownPage
from pages.components.protocol.sockets import (
    PER_ADDRESS,
    PER_PROCESS,
    Sockets,
    client_address,
)
from pages.components.protocol.turns import Runner, Turns

log = logging.getLogger(__name__)

#: Messages of one socket: a second on average, and at once.
RATE, BURST = 20.0, 60.0
#: Messages of one socket that wait for their turn: their number, and their total bytes.
_MOST_WAITING, _MOST_BYTES = 128, 1024 * 1024
_HOLD_SECONDS = 5.0
#: A run that has not begun, or not ended, by then holds no fragment up any longer. Streamlit begins
#: none for a fragment that is gone.
_BEGIN_SECONDS, _LONGEST_RUN_SECONDS = 0.5, 5.0
#: New sockets of the process: a second on average, and at once. More must wait.
NEW_RATE, NEW_BURST = 40.0, 100.0
_DROPPED: Message = {"type": "websocket.disconnect", "code": 1008}


#: Our own sockets in one window: one for its verification, one for its handset.
_PUSHES_PER_WINDOW = 2


class ProtocolGuard:
    """Middleware for `st.App`. `own`: our routes, which come before Streamlit's."""

    def __init__(self, app: ASGIApp, own: Sequence[BaseRoute] = ()) -> None:
        self._app = app
        self._own = own
        self._streams = Sockets()
        self._pushes = Sockets(_PUSHES_PER_WINDOW * PER_ADDRESS, _PUSHES_PER_WINDOW * PER_PROCESS)
        self._turns = Turns()
        self._new = Bucket(NEW_RATE, NEW_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            app = self._app if is_plain(scope) else not_found
            await app(scope, receive, send)
            return
        is_stream = scope["path"] == STREAM
        if not (is_stream or self._is_own(scope)) or not is_own_origin(scope):
            await _refuse(receive, send)
            return
        address = client_address(scope)
        sockets = self._streams if is_stream else self._pushes
        if not sockets.open(address):
            log.warning("socket refused", extra={"cause": "too many are open"})
            await _refuse(receive, send)
            return
        try:
            await asyncio.sleep(self._new.take())
            if is_stream:
                runner = Runner(sockets.visitor(address))
                await _Socket(receive, send, self._turns, runner).serve(self._app, scope)
            else:
                await self._app(scope, receive, send)
        finally:
            sockets.close(address)

    def _is_own(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.FULL for route in self._own)


def is_own_origin(scope: Scope) -> bool:
    """Whether a websocket request comes from a page of this host, from an origin in
    `server.corsAllowedOrigins`, or from a client that is not a browser.

    Streamlit's own check comes after this one. It also accepts pages of this machine's addresses;
    for an unknown origin it asks an external server for the address of this machine.
    """
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.netloc and parts.netloc.lower() == headers.get("host", "").lower():
        return True
    others = st.get_option("server.corsAllowedOrigins") or []
    return origin.lower() in {str(other).lower().rstrip("/") for other in others}


async def _refuse(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})


@dataclass(frozen=True, slots=True)
class _Read:
    """A message that was read and not yet passed on."""

    message: Message
    is_work: bool = False
    is_fragment: bool = False

    @property
    def size(self) -> int:
        return len(self.message.get("bytes") or b"")


class _Socket:
    """One websocket: messages are read at once, checked, and passed on when it is their turn."""

    def __init__(self, receive: Receive, send: Send, turns: Turns, runner: Runner) -> None:
        self._receive = receive
        self._send = send
        self._turns = turns
        self._runner = runner
        self._read: deque[_Read] = deque()
        self._bytes = 0
        #: While a script runs: the timer that stops waiting for its end.
        self._run: asyncio.TimerHandle | None = None
        self._has_more = asyncio.Event()
        self._ending: Message | None = None
        self._floods = False
        self._bucket = Bucket(RATE, BURST)
        self._page = ShownPage()

    async def serve(self, app: ASGIApp, scope: Scope) -> None:
        reader = asyncio.create_task(self._read_all(), name="websocket-guard")
        try:
            await app(scope, self._next, self._pass_on)
        finally:
            reader.cancel()
            self._end_run()
            self._turns.leave(self._runner)
        if self._floods:
            await asyncio.sleep(_HOLD_SECONDS)

    async def _read_all(self) -> None:
        while self._ending is None:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._end(message)
            elif message["type"] != "websocket.receive":
                self._add(_Read(message))
            elif refused := self._refusal(message):
                log.warning("socket dropped", extra={"cause": refused})
                self._end(_DROPPED)
            else:
                data = message["bytes"]
                self._add(_Read(message, is_work(data), is_fragment_run(data)))

    def _refusal(self, message: Message) -> str | None:
        """Why the socket of this message is dropped; None if it is not."""
        data = message.get("bytes")
        if data is None:
            return "text instead of a message"
        if len(data) > LONGEST:
            return "a message is too long"
        if self._bucket.take():
            self._floods = True
            return "too many messages"
        if len(self._read) >= _MOST_WAITING or self._bytes + len(data) > _MOST_BYTES:
            return "too many messages wait"
        return None if is_allowed(data) else "a message that our pages do not send"

    def _add(self, read: _Read) -> None:
        self._read.append(read)
        self._bytes += read.size
        self._has_more.set()

    def _end(self, message: Message) -> None:
        self._ending = message
        self._has_more.set()
        self._turns.leave(self._runner)

    async def _next(self) -> Message:
        """The `receive` of the application."""
        while True:
            while self._ending is None and not self._has_ready():
                self._has_more.clear()
                await self._has_more.wait()
            if self._ending is not None:
                return self._ending
            read = self._read.popleft()
            self._bytes -= read.size
            if not read.is_work:
                return read.message
            if self._page.is_outdated(read.message["bytes"]):
                continue
            await self._turns.take(self._runner)
            self._hold(_BEGIN_SECONDS)
            return _DROPPED if self._has_ended() else read.message

    def _has_ready(self) -> bool:
        """Whether a message may be passed on. Fragments wait for the current run, but nothing waits
        behind them."""
        if not self._read or self._run is None:
            return bool(self._read)
        return not all(read.is_fragment for read in self._read)

    def _hold(self, seconds: float) -> None:
        """Let fragments wait for the end of a run, at most so long."""
        if self._run is not None:
            self._run.cancel()
        self._run = asyncio.get_running_loop().call_later(seconds, self._end_run)

    def _end_run(self) -> None:
        if self._run is not None:
            self._run.cancel()
            self._run = None
            self._has_more.set()

    def _has_ended(self) -> bool:
        return self._ending is not None

    async def _pass_on(self, message: Message) -> None:
        """The `send` of the application."""
        if self._ending is not None:
            return
        if message["type"] == "websocket.send":
            data = message.get("bytes") or b""
            if self._page.follow(data):
                self._hold(_LONGEST_RUN_SECONDS)
            if ends_work(data):
                self._turns.end(self._runner)
                self._end_run()
        await self._send(message)
