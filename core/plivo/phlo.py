"""Sends by a PHLO, Plivo's visual workflow, which gets the number and the code.

It cannot carry a callback token, so no callback arrives: PHLO attempts are polled.
The reference is found in the `message` of the answer, where Plivo embeds the answer of the node
that ran, as a Python literal. That form is seen in published samples, not specified (UNVERIFIED):
where it is missing, the run's id is kept and the attempt waits for the logs.
"""

import re
from collections.abc import Mapping
from typing import Any

from core.model.errors import AttemptRejected
from core.plivo.answers import empty_answer
from core.plivo.callback_address import CallbackUrls
from core.plivo.client import PlivoClients
from core.plivo.request import AttemptRequest
from core.plivo.sdk_call import Recorder, SdkCall
from core.settings.settings import Settings

NO_PHLO_ID = (
    "No PHLO is configured.",
    "Set PHLO_ID to the id of your PHLO, from its page in the Plivo console, and restart.",
)

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REFERENCE = re.compile(
    rf"""['"](?:message_uuid|request_uuid|call_uuid)['"]\s*:\s*\[?\s*u?['"]({_UUID})['"]"""
)


class Phlo:
    """Runs the configured PHLO with exactly `from`, `to`, `otp` and `mode`."""

    def __init__(self, clients: PlivoClients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    def arguments(self, request: AttemptRequest) -> Mapping[str, Any]:
        """The payload of the run."""
        return {
            "from": self._settings.sender,
            "to": request.to.e164,
            "otp": request.code.reveal(),
            "mode": request.way.mode.value,
        }

    def send(
        self, request: AttemptRequest, urls: CallbackUrls | None, record: Recorder | None
    ) -> str:
        """The UUID of the message or call that the PHLO sent, else "". Raises AttemptRejected,
        AttemptUnknown."""
        phlo_id = self._settings.effective_phlo_id
        if phlo_id is None:
            raise AttemptRejected(NO_PHLO_ID[0], NO_PHLO_ID[1])
        call = SdkCall("phlo.run", self.arguments(request), phlo_id, request.code)
        response = self._clients.send(call, record)
        if response is None:
            raise empty_answer()
        return reference_in(str(getattr(response, "message", "")))


def reference_in(message: str) -> str:
    """The message's or call's UUID embedded in a run's `message`; "" when there is none."""
    match = _REFERENCE.search(message)
    return match[1] if match else ""
