"""Runs a callback on SIGINT or SIGTERM, before the server waits for open responses.

A server ends the lifespan only after all responses have ended, so an open event stream would block
its shutdown for ever. The signal is passed on to the server's own handler.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on the running loop at SIGINT or SIGTERM, then the previous handler.

    Does nothing outside the main thread, which gets no signals: there the host must call `stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    previous = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}

    def handle_signal(signum: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        handler = previous[signal.Signals(signum)]
        if callable(handler):
            handler(signum, frame)
        elif handler is signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)

    for signum in previous:
        signal.signal(signum, handle_signal)
    try:
        yield
    finally:
        for signum, handler in previous.items():
            if signal.getsignal(signum) is handle_signal and handler is not None:
                signal.signal(signum, handler)
