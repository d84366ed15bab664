"""Calls the `plivo` SDK with explicit time-outs, one client per thread, and named errors.

A client is lent to one thread at a time and returned. (A client for each thread would be as safe,
but Streamlit starts a thread for every rerun, and connections would not be reused.)
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from queue import Empty, LifoQueue
from typing import Any

from core.model.code import Code
from core.model.errors import ProviderError
from core.model.exchange import Exchange
from core.plivo.failures import is_from_sdk, not_sent_failure, read_failure, send_failure
from core.plivo.masking import mask_fields
from core.plivo.wire import PlivoAdapter, WireContext

Recorder = Callable[[Exchange], None]

# Calls whose answer is a page of `objects`.
_LISTS = frozenset({"messages.list", "calls.list"})


@dataclass(frozen=True, slots=True)
class SdkCall:
    """A call of the SDK, as data: the page shows the same call that is made.

    `path` is relative to the client, such as `messages.create`; for a PHLO, `phlo.run` with the
    PHLO's id in `phlo`. `code` is masked wherever it appears.
    """

    path: str
    arguments: Mapping[str, Any] = field(repr=False)
    phlo: str = ""
    code: Code | None = None

    @property
    def words(self) -> str:
        """The call as Python, masked."""
        masked = mask_fields(self.arguments, self.code)
        if self.phlo:
            return f"client.phlo.get({self.phlo!r}).run(**{masked!r})"
        return f"client.{self.path}({', '.join(f'{k}={v!r}' for k, v in masked.items())})"


class _Client:
    """The two clients of the SDK (PHLO has its own), wired to one adapter each."""

    def __init__(
        self,
        auth_id: str,
        auth_token: str,
        timeout: tuple[float, float],
        base: Callable[[], str] | None,
    ) -> None:
        # Imported late: the SDK takes a third of a second to load.
        import plivo

        self.call = WireContext()
        self.rest = plivo.RestClient(auth_id, auth_token, timeout=timeout)
        self.phlo = plivo.phlo.RestClient(auth_id, auth_token, timeout=timeout)
        sessions = (
            self.rest.session,
            self.rest.multipart_session,
            self.phlo.session,
        )
        for session in sessions:
            session.mount("https://", PlivoAdapter(self.call, base))
        self._phlos: dict[str, Any] = {}

    def prepare(self, call: SdkCall) -> None:
        """Fetch the PHLO, once per client: `run` needs the resource. Nothing is sent by this."""
        if call.phlo and call.phlo not in self._phlos:
            phlo = self.phlo.phlo.get(call.phlo)
            # The configured PHLO runs, whatever id the answer has.
            phlo.phlo_id = call.phlo
            self._phlos[call.phlo] = phlo

    def make(self, call: SdkCall) -> Any:
        if call.phlo:
            return self._phlos[call.phlo].run(**call.arguments)
        method: Callable[..., Any] = attrgetter(call.path)(self.rest)
        return method(**call.arguments)


FailureOf = Callable[[Exception], ProviderError | None]


@contextmanager
def _named(failure_of: FailureOf) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        # The SDK's error repeats the refused value, which may be a callback token: drop it.
        raise failure from (None if is_from_sdk(error) else error)


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
        self._new: Callable[[], _Client] = partial(_Client, auth_id, auth_token, timeout, base)
        self._idle: LifoQueue[_Client] = LifoQueue()

    def send(self, call: SdkCall, record: Recorder | None = None) -> Any:
        """Make a call that sends. Returns the SDK's response object, None for an HTTP 204.

        Raises AttemptRejected (nothing sent) or AttemptUnknown (perhaps sent).
        """
        return self._make(call, record, send_failure)

    def read(self, call: SdkCall, record: Recorder | None = None) -> Any:
        """Make a call that reads. Raises ProviderRead, with `status` 404 for an unknown record."""
        return self._make(call, record, read_failure)

    def _make(
        self,
        call: SdkCall,
        record: Recorder | None,
        failure_of: FailureOf,
    ) -> Any:
        with self._lend() as client:
            client.call.words, client.call.code = call.words, call.code
            client.call.is_list = call.path in _LISTS
            client.call.record = record
            try:
                with _named(not_sent_failure):
                    client.prepare(call)
                with _named(failure_of):
                    return client.make(call)
            finally:
                client.call.code, client.call.record = None, None

    @contextmanager
    def _lend(self) -> Iterator[_Client]:
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
            client = self._idle.get_nowait()
            client.rest.session.close()
            client.rest.multipart_session.close()
            client.phlo.session.close()
