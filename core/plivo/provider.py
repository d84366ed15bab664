"""Sends attempts through Plivo by any channel: the provider of the verification service."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from core.model.attempt import verification_of
from core.model.exchange import Exchange
from core.model.way import Channel, Way
from core.plivo.callback_address import CallbackAddress, CallbackUrls
from core.plivo.cheaper_text import MessagePreview
from core.plivo.client import PlivoClients
from core.plivo.phlo import NO_PHLO_ID, Phlo
from core.plivo.request import AttemptRequest
from core.plivo.sdk_call import Recorder
from core.plivo.sms import Sms
from core.plivo.voice import NO_PUBLIC_URL, Voice
from core.settings.keyring import Keyring
from core.settings.settings import Settings


class ChannelSender(Protocol):
    """Sends attempts by one channel."""

    def send(
        self, request: AttemptRequest, urls: CallbackUrls | None, record: Recorder | None
    ) -> str:
        """Send an attempt; return the reference that its delivery reports have.

        Returns once Plivo accepts it; accepted is not delivered. "" if the channel has none.
        Raises AttemptRejected (nothing sent) or AttemptUnknown (perhaps sent: it stays counted).
        """
        ...


class PlivoProvider:
    """Sends attempts through Plivo, or through the sandbox where `clients` reach that.

    `record` stores an HTTP exchange of a verification.
    """

    def __init__(
        self,
        clients: PlivoClients,
        settings: Settings,
        keyring: Keyring,
        address: CallbackAddress,
        record: Callable[[str, Exchange], None],
    ) -> None:
        self._settings = settings
        self._keyring = keyring
        self._address = address
        self._record_exchange = record
        self._sms = Sms(clients, settings)
        self._senders: dict[Channel, ChannelSender] = {
            Channel.SMS: self._sms,
            Channel.VOICE: Voice(clients, settings),
            Channel.PHLO: Phlo(clients, settings),
        }

    def preview(self, minutes: int) -> MessagePreview:
        """The message as it will be sent."""
        return self._sms.preview(minutes)

    def obstacle(self, way: Way) -> tuple[str, str] | None:
        """Why a way cannot be used at all, as (cause, remedy); None if it can."""
        if way.channel is Channel.VOICE and self._address.base is None:
            return NO_PUBLIC_URL
        if way.channel is Channel.PHLO and self._settings.effective_phlo_id is None:
            return NO_PHLO_ID
        return None

    def calls_back(self, way: Way) -> bool:
        """Whether Plivo sends callbacks for such an attempt. Otherwise it must be polled."""
        return way.channel is not Channel.PHLO and self._address.base is not None

    def send(self, request: AttemptRequest) -> str:
        """As `ChannelSender.send`, with the callback URLs of the attempt; each HTTP exchange is
        recorded, masked."""
        urls = self._address.urls(self._keyring.callback_token(request.attempt))
        return self._senders[request.way.channel].send(request, urls, self._record(request.attempt))

    def _record(self, attempt: str) -> Callable[[Exchange], None]:
        verification = verification_of(attempt)
        return lambda exchange: self._record_exchange(
            verification, replace(exchange, attempt=attempt)
        )
