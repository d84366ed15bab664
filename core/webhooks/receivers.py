"""Routes events to their receivers: WEBHOOK_URL, or a service of ALERT_URLS."""

import httpx

from core.webhooks.alert_event import WEBHOOK, AlertEvent
from core.webhooks.answer import Answer, Verdict
from core.webhooks.event import QueuedEvent
from core.webhooks.notifier import Notifier
from core.webhooks.sender import WebhookSender, http_client


class Receivers:
    """Sends each event to its receiver. `webhook` is None without WEBHOOK_URL."""

    def __init__(self, webhook: WebhookSender | None, notifier: Notifier) -> None:
        self._webhook = webhook
        self._notifier = notifier

    def client(self) -> httpx.AsyncClient:
        """A client for `send`; the caller closes it."""
        return http_client()

    async def send(self, http: httpx.AsyncClient, event: QueuedEvent) -> Answer:
        """Send an event, once."""
        if isinstance(event, AlertEvent) and event.receiver != WEBHOOK:
            return await self._notifier.send(event)
        if self._webhook is None:
            return Answer(Verdict.GONE, None, "WEBHOOK_URL is not set any more.")
        return await self._webhook.send(http, event)
