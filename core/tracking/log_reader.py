"""Reads the pages of Plivo's logs within the account's limit of requests.

The times of the requests are in Redis, so that all processes keep the limit together.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from core.model.clock import Clock, to_ms
from core.plivo.client import PlivoClients
from core.plivo.record_calls import log_page, rows_of
from core.plivo.sdk_call import SdkCall
from core.store.client import Client
from core.store.keys import Keys
from core.tracking.log_status import read_count

REQUESTS_A_MINUTE = 20
_PAGE = 20
_MINUTE = timedelta(minutes=1)
_MINUTE_MS = 60_000
_LONGEST_WAIT_SECONDS = 5.0


class StopRequested(Exception):
    """Raised before a request when the run is to stop."""


class LogReader:
    """Reads rows. `wait` sleeps for a number of seconds; `is_stopped` is called before each
    request. Its methods raise StoreUnavailable."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        clock: Clock,
        clients: PlivoClients,
        wait: Callable[[float], object],
        is_stopped: Callable[[], bool],
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._clients = clients
        self._wait = wait
        self._is_stopped = is_stopped

    def rows(self, start: datetime, end: datetime, *, is_call: bool) -> Iterator[Any]:
        """The records of messages, or of calls, in this window. Raises ProviderRead,
        StopRequested."""
        offset = 0
        while True:
            page = log_page(start, end, is_call=is_call, limit=_PAGE, offset=offset)
            rows = rows_of(self._read(page))
            yield from rows
            if len(rows) < _PAGE:
                return
            offset += _PAGE

    def _read(self, call: SdkCall) -> Any:
        self._await_request()
        try:
            return self._clients.read(call)
        finally:
            # Plivo counts a request when it arrives: after it was noted, and before its answer. The
            # later moment is the safe one.
            self._note_request(again=True)

    def _await_request(self) -> None:
        """Wait until another request is allowed, and note it."""
        while True:
            if self._is_stopped():
                raise StopRequested
            oldest = self._client.lrange(
                self._keys.log_requests, REQUESTS_A_MINUTE - 1, REQUESTS_A_MINUTE - 1
            )
            noted_ms = read_count(oldest[0]) if oldest else 0
            left_ms = noted_ms + _MINUTE_MS - to_ms(self._clock.now())
            # A time ahead of this clock says nothing about the last minute.
            if not 0 < left_ms <= _MINUTE_MS:
                break
            self._wait(min(left_ms / 1000, _LONGEST_WAIT_SECONDS))
        self._note_request()

    def _note_request(self, *, again: bool = False) -> None:
        """Note a request of now; with `again`, in place of the newest noted."""
        with self._client.pipeline() as pipe:
            if again:
                pipe.lpop(self._keys.log_requests)
            pipe.lpush(self._keys.log_requests, to_ms(self._clock.now()))
            pipe.ltrim(self._keys.log_requests, 0, REQUESTS_A_MINUTE - 1)
            pipe.expire(self._keys.log_requests, 2 * _MINUTE)
            pipe.execute()
