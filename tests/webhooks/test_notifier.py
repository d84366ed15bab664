"""Alerts to the services of ALERT_URLS, through the real apprise, to a receiver on this machine."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.model.errors import SettingsRefused
from core.settings.keyring import Keyring
from core.webhooks.alert_event import AlertEvent, AlertNews, receiver_of
from core.webhooks.answer import Answer, Verdict
from core.webhooks.notifier import APPRISE, Notifier
from tests.world import served

KEYRING = Keyring(b"k" * 32)
TOKEN = "t0ken-in-the-address"


@dataclass
class Service:
    """A service that takes what apprise's `json://` sends."""

    address: str = ""
    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.address.replace("http://", "json://") + f"/{TOKEN}"


@pytest.fixture
def service() -> Iterator[Service]:
    taken = Service()

    async def take(request: Request) -> Response:
        taken.messages.append(json.loads(await request.body()))
        return Response(status_code=taken.status)

    with served(Starlette(routes=[Route(f"/{TOKEN}", take, methods=["POST"])])) as address:
        taken.address = address
        yield taken


def event(url: str, news: AlertNews = AlertNews.FIRING) -> AlertEvent:
    receiver = receiver_of(url, KEYRING)
    link = "https://example.com/delivery?channel=sms"
    return AlertEvent(
        "alert_1", news, datetime.now(UTC), receiver, "SMS, Nigeria", "Few arrive.", link, {}
    )


def sent(notifier: Notifier, what: AlertEvent) -> Answer:
    return asyncio.run(notifier.send(what))


@pytest.mark.parametrize(
    ("news", "kind"),
    [(AlertNews.FIRING, "failure"), (AlertNews.RESOLVED, "success"), (AlertNews.TEST, "info")],
)
def test_a_service_gets_title_text_link_and_kind(
    service: Service, news: AlertNews, kind: str
) -> None:
    notifier = Notifier((SecretStr(service.url),), KEYRING)
    assert sent(notifier, event(service.url, news)) == Answer(Verdict.ACCEPTED, None, "")
    (message,) = service.messages
    assert (message["title"], message["type"]) == ("SMS, Nigeria", kind)
    assert message["message"] == "Few arrive.\nhttps://example.com/delivery?channel=sms"


def test_a_service_that_refuses_or_is_down_gets_it_later_and_no_text_has_its_address(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.status = 500
    unreachable = f"json://127.0.0.1:9/{TOKEN}"
    notifier = Notifier((SecretStr(service.url), SecretStr(unreachable)), KEYRING)
    for url in (service.url, unreachable):
        answer = sent(notifier, event(url))
        assert (answer.verdict, answer.status) == (Verdict.REFUSED, None)
        assert answer.cause == "JSON cannot be reached, or did not accept it."
    lines = [r for r in caplog.records if not r.name.startswith(("urllib3", "asyncio"))]
    assert TOKEN not in "\n".join(f"{r.getMessage()} {r.__dict__}" for r in lines)


def test_an_event_whose_service_was_removed_is_given_up() -> None:
    answer = sent(Notifier((), KEYRING), event("json://127.0.0.1/"))
    assert answer.verdict is Verdict.GONE
    assert answer.cause == "Its address is not in ALERT_URLS any more."


def test_an_address_that_apprise_does_not_know_is_refused_without_quoting_it() -> None:
    urls = (SecretStr("json://127.0.0.1/"), SecretStr(f"nothing://{TOKEN}"))
    with pytest.raises(SettingsRefused) as refused:
        Notifier(urls, KEYRING)
    assert "address 2" in refused.value.cause
    assert TOKEN not in f"{refused.value} {refused.value.cause} {refused.value.remedy}"


def test_without_apprise_the_start_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsRefused) as refused:
        Notifier((SecretStr("json://127.0.0.1/"),), KEYRING)
    assert "apprise is not installed" in refused.value.cause
    assert APPRISE in refused.value.remedy
    assert Notifier((), KEYRING).names == ()
