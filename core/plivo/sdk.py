"""A client of the `plivo` SDK, with explicit time-outs and named errors.

Importing this module loads the SDK, which takes a third of a second.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import plivo

from core.model.errors import ProviderError
from core.plivo.failures import is_from_sdk, not_sent_failure, read_failure, send_failure
from core.plivo.sdk_call import Recorder, SdkCall
from core.plivo.wire import PlivoAdapter, WireContext

# Calls whose answer is a page of `objects`.
_LISTS = frozenset({"messages.list", "calls.list"})

FailureOf = Callable[[Exception], ProviderError | None]


@contextmanager
def _as_provider_error(failure_of: FailureOf) -> Iterator[None]:
    """Raises `failure_of` an error in its place; an error for which that is None is not ours."""
    try:
        yield
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        # The SDK's error repeats the refused value, which may be a callback token: drop it.
        raise failure from (None if is_from_sdk(error) else error)


class SdkClient:
    """The two clients of the SDK (PHLO has its own), wired to one adapter each."""

    def __init__(
        self,
        auth_id: str,
        auth_token: str,
        timeout: tuple[float, float],
        base: Callable[[], str] | None,
    ) -> None:
        self._context = WireContext()
        self._rest = plivo.RestClient(auth_id, auth_token, timeout=timeout)
        self._phlo = plivo.phlo.RestClient(auth_id, auth_token, timeout=timeout)
        sessions = (
            self._rest.session,
            self._rest.multipart_session,
            self._phlo.session,
        )
        for session in sessions:
            session.mount("https://", PlivoAdapter(self._context, base))
        self._phlos: dict[str, Any] = {}

    def send(self, call: SdkCall, record: Recorder | None) -> Any:
        """Make a call that sends. Raises AttemptRejected or AttemptUnknown."""
        return self._make(call, record, send_failure)

    def read(self, call: SdkCall, record: Recorder | None) -> Any:
        """Make a call that reads. Raises ProviderRead."""
        return self._make(call, record, read_failure)

    def close(self) -> None:
        """Close the connections."""
        self._rest.session.close()
        self._rest.multipart_session.close()
        self._phlo.session.close()

    def _make(self, call: SdkCall, record: Recorder | None, failure_of: FailureOf) -> Any:
        self._context.words, self._context.code = call.words, call.code
        self._context.is_list = call.path in _LISTS
        self._context.record = record
        try:
            with _as_provider_error(not_sent_failure):
                self._prepare(call)
            with _as_provider_error(failure_of):
                return self._call(call)
        finally:
            self._context.code, self._context.record = None, None

    def _prepare(self, call: SdkCall) -> None:
        """Fetch the PHLO, once per client: `run` needs the resource. Nothing is sent by this."""
        if call.phlo and call.phlo not in self._phlos:
            phlo = self._phlo.phlo.get(call.phlo)
            # The configured PHLO runs, whatever id the answer has.
            phlo.phlo_id = call.phlo
            self._phlos[call.phlo] = phlo

    def _call(self, call: SdkCall) -> Any:
        if call.phlo:
            return self._phlos[call.phlo].run(**call.arguments)
        method: Callable[..., Any] = attrgetter(call.path)(self._rest)
        return method(**call.arguments)
