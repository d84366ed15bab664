"""Hear of the end early.

A server waits for its open answers before it tells the application that it stops, so an event
stream would hold it up for ever. The signal that stops the server is heard here too, and passed on.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on the running loop at SIGINT or SIGTERM, then whoever was to be called before.

    Does nothing outside the main thread, where no signal arrives: the host must call stop itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}

    def hear(signum: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        handler = before[signal.Signals(signum)]
        if callable(handler):
            handler(signum, frame)
        elif handler is signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)

    for signum in before:
        signal.signal(signum, hear)
    try:
        yield
    finally:
        for signum, handler in before.items():
            if signal.getsignal(signum) is hear and handler is not None:
                signal.signal(signum, handler)
