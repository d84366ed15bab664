"""Runs a callback on SIGINT and SIGTERM, before open streams are drained.

The server waits for open responses before it ends the lifespan, so an event stream would delay the
stop forever. (The sandbox has a copy of this file, since it shares nothing with the product.)
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType


def call_on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` on the running loop at SIGINT or SIGTERM, and then the previous handler.

    Signals arrive in the main thread only. Elsewhere this does nothing: the host must call `stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        _chain(number, lambda: loop.call_soon_threadsafe(stop))


def _chain(number: signal.Signals, first: Callable[[], object]) -> None:
    previous = signal.getsignal(number)

    def handle(signum: int, frame: FrameType | None) -> None:
        first()
        if callable(previous):
            previous(signum, frame)

    signal.signal(number, handle)
