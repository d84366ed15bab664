"""Sends alerts to the services of ALERT_URLS: Slack, Teams, mail, PagerDuty and many others.

The package apprise (github.com/caronc/apprise) knows their addresses and protocols. It is an
optional extra, imported only where ALERT_URLS is set. The addresses hold tokens and passwords, so
none is logged, shown or in an error.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from core.model.errors import SettingsRefused
from core.settings.keyring import Keyring
from core.webhooks.alert_event import AlertEvent, AlertNews, receiver_of
from core.webhooks.answer import Answer, Verdict

#: The version that is tested; pyproject.toml has it too.
APPRISE = "apprise==2.3.0"
#: For one try. Longer than apprise waits for a connection and an answer, 4 s each: an unanswered
#: try is over when the next begins.
DEADLINE = timedelta(seconds=15)
_KINDS = {AlertNews.FIRING: "failure", AlertNews.RESOLVED: "success", AlertNews.TEST: "info"}


class Notifier:
    """The services of ALERT_URLS. Raises SettingsRefused where apprise is missing, or does not
    know an address."""

    def __init__(self, urls: Sequence[SecretStr], keyring: Keyring) -> None:
        self._services: dict[str, Any] = {}
        if not urls:
            return
        try:
            from apprise import Apprise
        except ImportError as error:
            raise SettingsRefused(
                "ALERT_URLS is set, but the package apprise is not installed.",
                f"Install it with `.venv/bin/pip install {APPRISE}`, or remove ALERT_URLS.",
            ) from error
        # Its lines quote parts of the addresses. The result of each try is logged by the worker.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        for place, secret in enumerate(urls, 1):
            url = secret.get_secret_value()
            service = Apprise.instantiate(url)
            if service is None:
                raise SettingsRefused(
                    f"ALERT_URLS: apprise does not know the form of address {place}.",
                    "Correct it (forms: github.com/caronc/apprise/wiki), or remove it.",
                )
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
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                is_accepted = await asyncio.to_thread(
                    service.notify, title=event.title, body=text, notify_type=_KINDS[event.news]
                )
        except TimeoutError:
            return Answer(Verdict.REFUSED, None, f"{service.service_name} did not answer in time.")
        if is_accepted:
            return Answer(Verdict.ACCEPTED, None, "")
        cause = f"{service.service_name} cannot be reached, or did not accept it."
        return Answer(Verdict.REFUSED, None, cause)
