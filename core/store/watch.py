"""Restarts the embedded server as soon as it ends.

Decision: an idle connection that the kernel closes with the server, instead of polling. It costs
nothing while the server runs, and a crash is repaired before most users notice it.
"""

import logging
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from core.model.errors import StoreUnavailable

log = logging.getLogger(__name__)

# A server that closes every connection must not make the watch spin.
_PAUSE_SECONDS = 0.05
_RETRY_SECONDS = 1.0


class ServerWatch:
    """A daemon thread from `start` to `stop`. `restore` brings the server back, or raises
    StoreUnavailable, and is then asked again every second."""

    def __init__(self, path: Path, restore: Callable[[], None]) -> None:
        self._path = path
        self._restore = restore
        self._stopping = threading.Event()
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="redis-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the thread has ended: nothing is restored after that."""
        self._stopping.set()
        self._waker.close()
        self._thread.join()
        self._wake.close()

    def _run(self) -> None:
        while True:
            self._wait_for_an_end()
            if self._stopping.wait(_PAUSE_SECONDS):
                return
            try:
                self._restore()
            except StoreUnavailable as error:
                log.error("embedded redis is down", extra={"cause": error.cause})
                self._stopping.wait(_RETRY_SECONDS)

    def _wait_for_an_end(self) -> None:
        """Until the server has ended, or the watch is to end."""
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self._path))
            except OSError:
                return  # It has ended already.
            poll = select.poll()
            # Nothing is ever sent here: the socket becomes readable when it is closed.
            poll.register(connection, select.POLLIN)
            poll.register(self._wake, select.POLLIN)
            poll.poll()
