"""Calls the `plivo` SDK with explicit time-outs, one client per thread, and named errors.

A client is lent to one thread at a time and returned. (A client for each thread would be as safe,
but Streamlit starts a thread for every rerun, and connections would not be reused.)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any

from core.plivo.sdk_call import Recorder, SdkCall

if TYPE_CHECKING:
    from core.plivo.sdk import SdkClient


class PlivoClients:
    """A pool of SDK clients. `base` returns the address of the sandbox; None means the real Plivo.

    `timeout` is (connect, read) in seconds.
    """

    def __init__(
        self,
        auth_id: str,
        auth_token: str,
        *,
        timeout: tuple[float, float],
        base: Callable[[], str] | None = None,
    ) -> None:
        def new() -> "SdkClient":
            # Imported late: the SDK takes a third of a second to load.
            from core.plivo.sdk import SdkClient

            return SdkClient(auth_id, auth_token, timeout, base)

        self._new = new
        self._idle: LifoQueue[SdkClient] = LifoQueue()

    def send(self, call: SdkCall, record: Recorder | None = None) -> Any:
        """Make a call that sends. Returns the SDK's response object, None for an HTTP 204.

        Raises AttemptRejected (nothing sent) or AttemptUnknown (perhaps sent).
        """
        with self._lend() as client:
            return client.send(call, record)

    def read(self, call: SdkCall, record: Recorder | None = None) -> Any:
        """Make a call that reads. Raises ProviderRead, with `status` 404 for an unknown record."""
        with self._lend() as client:
            return client.read(call, record)

    @contextmanager
    def _lend(self) -> "Iterator[SdkClient]":
        try:
            client = self._idle.get_nowait()
        except Empty:
            client = self._new()
        try:
            yield client
        finally:
            self._idle.put(client)

    def warm(self) -> None:
        """Load the SDK and make the first client, before the first send."""
        with self._lend():
            pass

    def close(self) -> None:
        """Close the idle clients' connections."""
        while not self._idle.empty():
            self._idle.get_nowait().close()
