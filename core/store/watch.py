"""Starts the embedded server again as soon as it has ended.

Decision: an idle connection, which the kernel closes with the server, in place of a check every
second. It costs nothing while the server runs, and a crash is repaired before most visitors see it.
"""

import select
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from core.background import Periodic

# A server that closes every connection must not make the watch spin.
_PAUSE_SECONDS = 0.05
_RETRY = timedelta(seconds=1)
# More than a restore takes.
_PATIENCE = timedelta(minutes=2)


class ServerWatch:
    """Watches from `start` to `stop`. `restore` starts the server again, or raises
    StoreUnavailable and is called again every second."""

    def __init__(self, path: Path, restore: Callable[[], None]) -> None:
        self._path = path
        self._restore = restore
        self._wake, self._waker = socket.socketpair()
        self._background = Periodic(
            "embedded redis", self._watch, timedelta(), pause=_RETRY, patience=_PATIENCE
        )

    def start(self) -> None:
        self._background.start()

    def stop(self) -> None:
        """Returns when the thread has ended: nothing is restored after that."""
        self._background.request_stop()
        self._waker.close()
        self._background.stop()
        self._wake.close()

    def _watch(self) -> None:
        self._wait_for_an_end()
        if not self._background.stopping.wait(_PAUSE_SECONDS):
            self._restore()

    def _wait_for_an_end(self) -> None:
        """Wait until the server has ended, or the watch is to stop."""
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self._path))
            except OSError:
                return  # The server has ended already.
            poll = select.poll()
            # Nothing is sent on this connection: it becomes readable when it is closed.
            poll.register(connection, select.POLLIN)
            poll.register(self._wake, select.POLLIN)
            poll.poll()
