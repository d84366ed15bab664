"""Sends alerts to the services of ALERT_URLS: Slack, Teams, mail, PagerDuty and many others.

The package apprise (github.com/caronc/apprise) knows their addresses and protocols. It is an
optional extra, imported only where ALERT_URLS is set. The addresses hold tokens and passwords, so
none is logged, shown or in an error.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from core.model.errors import SettingsRefused
from core.settings.keyring import Keyring
from core.webhooks.alert_event import AlertEvent, AlertEventKind, receiver_of
from core.webhooks.answer import Answer, Verdict

#: The version that is tested; pyproject.toml has it too.
APPRISE = "apprise==2.3.0"
#: How long apprise waits for an answer at least. After its own 4 s, a slow service that has taken a
#: message would be sent it again with each try.
_READ_SECONDS = 30.0
#: For one try, within `queue.CLAIM`. Longer than apprise waits for a connection, 4 s (of a mail
#: server 15 s), and an answer.
DEADLINE = timedelta(seconds=45)
#: apprise takes it for a part of the first address, and sends nothing to the second one.
_SECOND_ADDRESS = re.compile(r",[a-z][a-z0-9]*://", re.IGNORECASE)
_NOTIFY_TYPES = {
    AlertEventKind.FIRING: "failure",
    AlertEventKind.RESOLVED: "success",
    AlertEventKind.TEST: "info",
}


class Notifier:
    """The services of ALERT_URLS. Raises SettingsRefused where apprise is missing, or does not
    know an address, and for two addresses without a space between them."""

    def __init__(self, urls: Sequence[SecretStr], keyring: Keyring) -> None:
        self._services: dict[str, Any] = {}
        if not urls:
            return
        try:
            from apprise import Apprise, AppriseAsset
        except ImportError as error:
            raise SettingsRefused(
                "ALERT_URLS is set, but the package apprise is not installed.",
                f"Install it with `.venv/bin/pip install {APPRISE}`, or remove ALERT_URLS.",
            ) from error
        # Its lines quote parts of the addresses. The result of each try is logged by the worker.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        # As of WEBHOOK_URL: a redirect would turn the message into a request for a page.
        asset = AppriseAsset(http_redirects=False)
        for place, secret in enumerate(urls, 1):
            url = secret.get_secret_value()
            if _SECOND_ADDRESS.search(url):
                raise SettingsRefused(
                    f"ALERT_URLS: address {place} has another one in it, after a comma.",
                    "Separate addresses by spaces. Write a comma of an address as %2C.",
                )
            service = Apprise.instantiate(url, asset=asset)
            if service is None:
                raise SettingsRefused(
                    f"ALERT_URLS: apprise does not know the form of address {place}.",
                    "Correct it (forms: github.com/caronc/apprise/wiki), or remove it.",
                )
            service.socket_read_timeout = max(service.socket_read_timeout, _READ_SECONDS)
            self._services[receiver_of(url, keyring)] = service

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the services, such as "Slack": safe to show."""
        return tuple(str(service.service_name) for service in self._services.values())

    async def send(self, event: AlertEvent) -> Answer:
        """Send an event, once. There is an answer by the deadline."""
        service = self._services.get(event.receiver)
        if service is None:
            return Answer(Verdict.GONE, None, "Its address is not in ALERT_URLS any more.")
        text = f"{event.text}\n{event.link}" if event.link else event.text

        def notify() -> bool:
            # As text: in mail it would be HTML, and carriers name themselves.
            return bool(
                service.notify(
                    title=event.title,
                    body=text,
                    notify_type=_NOTIFY_TYPES[event.kind],
                    body_format="text",
                )
            )

        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                is_accepted = await _in_own_thread(notify)
        except TimeoutError:
            return Answer(Verdict.REFUSED, None, f"{service.service_name} did not answer in time.")
        if is_accepted:
            return Answer(Verdict.ACCEPTED, None, "")
        cause = f"{service.service_name} cannot be reached, or did not accept it."
        return Answer(Verdict.REFUSED, None, cause)


async def _in_own_thread(call: Callable[[], bool]) -> bool:
    """The result of a call that may hang. Not `asyncio.to_thread`: its few threads are also those
    of the queue in Redis, and a process that stops waits for them."""
    result: Future[bool] = Future()

    def run() -> None:
        result.set_running_or_notify_cancel()
        try:
            result.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised where the result is awaited
            result.set_exception(error)

    threading.Thread(target=run, name="alert service", daemon=True).start()
    return await asyncio.wrap_future(result)
