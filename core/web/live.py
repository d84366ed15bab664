"""The push that wakes a page: one server-sent event for each change of a verification.

One thread of the process listens to Redis and passes each change on to the streams that wait for
it; while there are none it does not listen, so that a busy API wakes nobody in vain. An event says
only that something changed; what changed is read by the page.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import redis
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import StoreUnavailable
from core.store.client import Client

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 15


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

    async def of(self, verification: str) -> AsyncIterator[bool]:
        """True for each change, several at once as one; False to keep an idle stream alive."""
        event = asyncio.Event()
        self._waiting[verification].add(event)
        self._watched.set()
        try:
            while not self._stopping.is_set():
                try:
                    await asyncio.wait_for(event.wait(), KEEP_ALIVE_SECONDS)
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
            except redis.exceptions.RedisError as error:
                log.warning("push paused", extra={"cause": type(error).__name__})
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
    changes: Callable[[], Changes], may_watch: Callable[[Request, str], bool]
) -> list[Route]:
    """`GET /live/{verification}`: it changes. 404 for a browser that `may_watch` refuses it to."""

    async def live(request: Request) -> Response:
        verification = str(request.path_params["verification"])
        try:
            if not await run_in_threadpool(may_watch, request, verification):
                return PlainTextResponse("There is no such verification.", 404)
        except StoreUnavailable as error:
            return PlainTextResponse(f"{error.cause} {error.remedy}", 503, {"Retry-After": "5"})

        async def stream() -> AsyncIterator[str]:
            # The first line opens the stream at once, also through a buffering proxy.
            yield "retry: 1000\n\n"
            async for changed in changes().of(verification):
                yield "data: changed\n\n" if changed else ": still here\n\n"

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)

    return [Route("/live/{verification}", live, methods=["GET"])]
