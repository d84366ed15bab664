"""The push that wakes a page: one message on a WebSocket for each change of a verification.

One thread of the process listens to Redis and passes each change on to the sockets that wait for
it; while there are none it does not listen, so that a busy API wakes nobody in vain. A message says
only that something changed; what changed is read by the page.

Decision: a WebSocket for each window. A browser opens six HTTP/1.1 connections to a host over all
its windows and keeps one for each event stream, so a fourth Verify page with its two streams waited
for ever; WebSockets are not counted with them (Chromium allows 255). Rejected: one stream for all
windows, in a shared worker or in a leading tab. It needs an election, a way to pass changes on, and
a hand-over when that window closes; here a window depends on no other. Streamlit's own pages need
WebSockets as well, so no proxy has to pass on anything more.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.model.errors import StoreForbidden, StoreUnavailable
from core.store.client import Client

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 15
#: Where Redis does not let us subscribe, pages look again so often.
POLL_SECONDS = 2
#: Close codes, RFC 6455 section 7.4.1.
_GOING_AWAY, _NOTHING_EXPECTED = 1001, 1008


class Changes:
    """Hands changes from Redis Pub/Sub to coroutines. `start` and `stop` belong to the lifespan."""

    def __init__(self, client: Client, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._watched = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen in the background; call it on the loop that serves the streams."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, name="changes", daemon=True)
        self._thread.start()

    def end_streams(self) -> None:
        """End every stream at once; call it on the loop that serves them."""
        self._stopping.set()
        self._watched.set()
        self._set(None)

    def stop(self) -> None:
        """End the streams, and the thread with them."""
        self.end_streams()
        if self._thread is not None:
            self._thread.join()

    async def of(self, verification: str) -> AsyncGenerator[bool]:
        """True for each change, several at once as one; False while an idle stream lives on."""
        event = asyncio.Event()
        self._waiting[verification].add(event)
        self._watched.set()
        try:
            while not self._stopping.is_set():
                try:
                    # `wait_for` of Python 3.11 loses a cancel that comes with the event.
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await event.wait()
                except TimeoutError:
                    yield False
                    continue
                event.clear()
                if not self._stopping.is_set():
                    yield True
        finally:
            self._waiting[verification].discard(event)
            if not self._waiting[verification]:
                del self._waiting[verification]
            if not self._waiting and not self._stopping.is_set():
                self._watched.clear()

    def _listen(self) -> None:
        polls = False
        while not self._stopping.is_set():
            self._watched.wait()
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    pubsub.subscribe(self._channel)
                    # What changed while nobody listened is not known: everybody looks again.
                    self._wake(None)
                    while self._watched.is_set() and not self._stopping.is_set():
                        message = pubsub.get_message(timeout=0.5)
                        if message is not None:
                            self._wake(message["data"])
            except StoreForbidden:
                if not polls:
                    log.warning("no push: this user of redis may not subscribe, so pages poll")
                polls = True
                self._wake(None)
                self._stopping.wait(POLL_SECONDS)
            except StoreUnavailable as error:
                log.warning("push paused", extra={"cause": error.cause})
                self._stopping.wait(1)

    def _wake(self, verification: str | None) -> None:
        if verification is not None and verification not in self._waiting:
            return
        assert self._loop is not None  # noqa: S101  start() set it before this thread was made
        self._loop.call_soon_threadsafe(self._set, verification)

    def _set(self, verification: str | None) -> None:
        names = list(self._waiting) if verification is None else [verification]
        for name in names:
            for event in self._waiting.get(name, ()):
                event.set()


def routes(
    changes: Callable[[], Changes], may_watch: Callable[[HTTPConnection, str], bool]
) -> list[WebSocketRoute]:
    """`/live/{verification}`: it changes. 404 for a browser that `may_watch` refuses it to.

    The text is `changed`, or empty every `KEEP_ALIVE_SECONDS`: a window that hears neither knows
    that its connection is gone, also where nothing closed it.
    """

    async def live(socket: WebSocket) -> None:
        verification = str(socket.path_params["verification"])
        try:
            if not await run_in_threadpool(may_watch, socket, verification):
                await socket.send_denial_response(
                    PlainTextResponse("There is no such verification.", 404)
                )
                return
        except StoreUnavailable as error:
            text = f"{error.cause} {error.remedy}"
            await socket.send_denial_response(PlainTextResponse(text, 503, {"Retry-After": "5"}))
            return
        await socket.accept()
        pushing = asyncio.create_task(_push(socket, changes().of(verification)))
        try:
            # The window has nothing to say: whatever comes, its leave or a message, ends it.
            await socket.receive()
        finally:
            pushing.cancel()
            await asyncio.wait([pushing])
        with suppress(WebSocketDisconnect, RuntimeError):  # closed already
            await socket.close(_NOTHING_EXPECTED)

    return [WebSocketRoute("/live/{verification}", live)]


async def _push(socket: WebSocket, changes: AsyncGenerator[bool]) -> None:
    with suppress(WebSocketDisconnect):  # `live` hears of it too
        async with aclosing(changes):
            async for changed in changes:
                await socket.send_text("changed" if changed else "")
        await socket.close(_GOING_AWAY)
