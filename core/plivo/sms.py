"""Sends SMS by the Message API."""

from collections.abc import Mapping
from typing import Any

from core.plivo.answers import reference_of
from core.plivo.callback_address import CallbackUrls
from core.plivo.cheaper_text import MessagePreview, saving
from core.plivo.client import PlivoClients
from core.plivo.message_text import measure, render
from core.plivo.request import AttemptRequest
from core.plivo.sdk_call import Recorder, SdkCall
from core.settings.settings import Settings


class Sms:
    """Sends the code in a message."""

    def __init__(self, clients: PlivoClients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    def arguments(self, request: AttemptRequest, urls: CallbackUrls | None) -> Mapping[str, Any]:
        """The arguments of `messages.create`."""
        arguments: dict[str, Any] = {
            "src": self._settings.sender,
            "dst": request.to.e164,
            "text": self._text(request.code.reveal(), request.minutes),
            # The code must not be readable in Plivo's logs. The SDK wants the string, not False.
            "log": "false",
        }
        if urls is not None:
            arguments |= {"url": urls.message, "method": "POST"}
        return arguments

    def preview(self, minutes: int) -> MessagePreview:
        """The message that will be sent."""
        length = self._settings.code_length
        text = self._text("0" * length, minutes)
        masked = text.replace("0" * length, "•" * length)
        return MessagePreview(masked, measure(text), saving(text))

    def _text(self, digits: str, minutes: int) -> str:
        return render(
            self._settings.sms_template,
            code=digits,
            brand=self._settings.brand,
            minutes=minutes,
            origin_host=self._settings.origin_host,
        )

    def send(
        self, request: AttemptRequest, urls: CallbackUrls | None, record: Recorder | None
    ) -> str:
        """The message's UUID. Raises AttemptRejected, AttemptUnknown."""
        call = SdkCall("messages.create", self.arguments(request, urls), code=request.code)
        return reference_of(self._clients.send(call, record), "message_uuid")
