"""Hear early that the server is to stop.

It waits for its open answers before it tells the lifespan, so an event stream would hold it up for
ever. (The sandbox has the same in a file of its own: it shares nothing with the product.)
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType


def call_on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` on the running loop at SIGINT or SIGTERM, and then whoever listened before.

    Signals arrive in the main thread only. Elsewhere this does nothing: the host must call `stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        _chain(number, lambda: loop.call_soon_threadsafe(stop))


def _chain(number: signal.Signals, first: Callable[[], object]) -> None:
    before = signal.getsignal(number)

    def heard(signum: int, frame: FrameType | None) -> None:
        first()
        if callable(before):
            before(signum, frame)

    signal.signal(number, heard)
