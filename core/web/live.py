"""Pushes changes to pages: one message on a WebSocket for each change of a verification.

One thread of the process subscribes to Redis and passes each change to the sockets that wait for
it. It subscribes only while there are sockets, so that it costs a busy API nothing. A message says
only that something changed; the page reads what changed.

Decision: a WebSocket for each window. A browser opens at most six HTTP/1.1 connections to a host,
for all windows together, and each event stream holds one of them: a fourth Verify page with its two
streams waited forever. WebSockets do not count against that limit (Chromium allows 255). Rejected:
one stream for all windows, in a shared worker or a leading tab. That needs an election, a way to
pass changes on and a hand-over when the leading window closes. Streamlit's own pages need
WebSockets as well, so a proxy needs no further configuration.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from core.background import Periodic
from core.model.errors import StoreForbidden, StoreUnavailable
from core.store.changes import ChangeChannel
from core.web.outage import outage
from core.web.push import CHANGED, KEEP_ALIVE, next_change, push

log = logging.getLogger(__name__)

#: How often pages look again where the Redis user may not subscribe.
POLL_SECONDS = 2
_PAUSE = timedelta(seconds=1)
#: How many verifications and test sessions a WebSocket watches at most.
MAX_WATCHED = 50


class Changes:
    """Hands changes from Redis Pub/Sub to coroutines. `start` and `stop` belong to the lifespan."""

    def __init__(self, channel: ChangeChannel) -> None:
        self._channel = channel
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched = threading.Event()
        self._polls = False
        self._background = Periodic("push", self._listen, timedelta(), pause=_PAUSE)

    def start(self) -> None:
        """Listen in the background; call it on the loop that serves the streams."""
        self._loop = asyncio.get_running_loop()
        self._background.start()

    def end_streams(self) -> None:
        """End every stream at once; call it on the loop that serves them."""
        self._background.request_stop()
        self._watched.set()
        self._set(None)

    def stop(self) -> None:
        """End the streams, and the thread with them."""
        self.end_streams()
        self._background.stop()

    async def of(self, *names: str) -> AsyncGenerator[str]:
        """The texts to push: CHANGED after one or more changes of these, else KEEP_ALIVE."""
        event = asyncio.Event()
        for name in names:
            self._waiting[name].add(event)
        self._watched.set()
        try:
            while not self._background.stopping.is_set():
                is_change = await next_change(event)
                if not self._background.stopping.is_set():
                    yield CHANGED if is_change else KEEP_ALIVE
        finally:
            for name in names:
                self._waiting[name].discard(event)
                if not self._waiting[name]:
                    del self._waiting[name]
            if not self._waiting and not self._background.stopping.is_set():
                self._watched.clear()

    def _listen(self) -> None:
        self._watched.wait()
        stopping = self._background.stopping
        try:
            with self._channel.subscription() as pubsub:
                # Changes from before the subscription are not known: every page looks again.
                self._wake(None)
                while self._watched.is_set() and not stopping.is_set():
                    message = pubsub.get_message(timeout=0.5)
                    if message is not None:
                        self._wake(message["data"])
        except StoreForbidden:
            if not self._polls:
                log.warning("no push: this user of redis may not subscribe, so pages poll")
            self._polls = True
            self._wake(None)
            stopping.wait(POLL_SECONDS)

    def _wake(self, verification: str | None) -> None:
        if verification is not None and verification not in self._waiting:
            return
        assert self._loop is not None  # noqa: S101  start() set it before the thread ran
        self._loop.call_soon_threadsafe(self._set, verification)

    def _set(self, verification: str | None) -> None:
        names = list(self._waiting) if verification is None else [verification]
        for name in names:
            for event in self._waiting.get(name, ()):
                event.set()


def routes(
    changes: Callable[[], Changes], may_watch: Callable[[HTTPConnection, str], bool]
) -> list[WebSocketRoute]:
    """`/live/{verification}`, or several ids with commas between them; 404 for a browser for which
    `may_watch` is false for any of them.

    The text is `changed`, or empty after 15 seconds without a change: a window that receives
    neither knows that its connection is gone, even if it was never closed.
    """

    def may_watch_all(socket: WebSocket, names: list[str]) -> bool:
        return all(may_watch(socket, name) for name in names)

    async def live(socket: WebSocket) -> None:
        names = list(dict.fromkeys(str(socket.path_params["verification"]).split(",")))
        try:
            if len(names) > MAX_WATCHED or not await run_in_threadpool(
                may_watch_all, socket, names
            ):
                await socket.send_denial_response(
                    PlainTextResponse("There is no such verification.", 404)
                )
                return
        except StoreUnavailable as error:
            await socket.send_denial_response(outage(error))
            return
        await push(socket, changes().of(*names))

    return [WebSocketRoute("/live/{verification}", live)]
