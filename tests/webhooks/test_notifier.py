"""Alerts to the services of ALERT_URLS, through the real apprise, to a receiver on this machine."""

import asyncio
import email
import json
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
from core.settings.settings import Settings
from core.webhooks.alert_event import AlertEvent, AlertEventKind, alert_receivers, receiver_of
from core.webhooks.answer import Answer, Verdict
from core.webhooks.notifier import APPRISE, Notifier
from core.webhooks.worker import AT_ONCE
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
        return Response(status_code=taken.status, headers={"location": "/page"})

    async def page(request: Request) -> Response:
        return Response("Welcome")

    routes = [Route(f"/{TOKEN}", take, methods=["POST"]), Route("/page", page)]
    with served(Starlette(routes=routes)) as address:
        taken.address = address
        yield taken


def event(url: str, kind: AlertEventKind = AlertEventKind.FIRING) -> AlertEvent:
    receiver = receiver_of(url, KEYRING)
    link = "https://example.com/delivery?channel=sms"
    return AlertEvent(
        "alert_1", kind, datetime.now(UTC), receiver, "SMS, Nigeria", "Few arrive.", link, {}
    )


def sent(notifier: Notifier, what: AlertEvent) -> Answer:
    return asyncio.run(notifier.send(what))


@pytest.mark.parametrize(
    ("kind", "notify_type"),
    [
        (AlertEventKind.FIRING, "failure"),
        (AlertEventKind.RESOLVED, "success"),
        (AlertEventKind.TEST, "info"),
    ],
)
def test_a_service_gets_title_text_link_and_kind(
    service: Service, kind: AlertEventKind, notify_type: str
) -> None:
    notifier = Notifier((SecretStr(service.url),), KEYRING)
    assert sent(notifier, event(service.url, kind)) == Answer(Verdict.ACCEPTED, None, "")
    (message,) = service.messages
    assert (message["title"], message["type"]) == ("SMS, Nigeria", notify_type)
    assert message["message"] == "Few arrive.\nhttps://example.com/delivery?channel=sms"


@pytest.mark.parametrize("status", [500, 301, 302])
def test_a_service_that_refuses_or_is_down_gets_it_later_and_no_text_has_its_address(
    service: Service, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    service.status = status
    unreachable = f"json://127.0.0.1:9/{TOKEN}"
    notifier = Notifier((SecretStr(service.url), SecretStr(unreachable)), KEYRING)
    for url in (service.url, unreachable):
        answer = sent(notifier, event(url))
        assert (answer.verdict, answer.status) == (Verdict.REFUSED, None)
        assert answer.cause == "JSON cannot be reached, or did not accept it."
    lines = [r for r in caplog.records if not r.name.startswith(("urllib3", "asyncio"))]
    assert TOKEN not in "\n".join(f"{r.getMessage()} {r.__dict__}" for r in lines)


def test_a_service_that_answers_late_is_sent_a_message_once() -> None:
    """It has the message when it answers, so another try would be a second notification."""

    async def take(request: Request) -> Response:
        # Longer than apprise waits by itself.
        await asyncio.sleep(5)
        return Response()

    with served(Starlette(routes=[Route("/", take, methods=["POST"])])) as address:
        url = address.replace("http://", "json://")
        notifier = Notifier((SecretStr(url),), KEYRING)
        assert sent(notifier, event(url)) == Answer(Verdict.ACCEPTED, None, "")


def test_services_that_hang_leave_the_threads_of_the_queue_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/{TOKEN}"
        notifier = Notifier((SecretStr(url),), KEYRING)

        async def send_many() -> list[bool]:
            tries = [asyncio.create_task(notifier.send(event(url))) for _ in range(AT_ONCE)]
            await asyncio.sleep(0)
            await asyncio.to_thread(int)
            are_done = [attempt.done() for attempt in tries]
            for attempt in tries:
                attempt.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
            return are_done

        assert asyncio.run(send_many()) == [False] * AT_ONCE


class MailServer(socketserver.StreamRequestHandler):
    """Takes one mail, and keeps its source in the server's `mails`."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            has_text = line.lower().startswith(b"data")
            self.wfile.write(b"354 go on\r\n" if has_text else b"250 done\r\n")
            if has_text:
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(b"".join(lines))  # type: ignore[attr-defined]
                self.wfile.write(b"250 done\r\n")


def test_a_mail_is_plain_text_whatever_a_carrier_calls_itself() -> None:
    hostile = "O2 <img src=//evil.example>\r\nBcc: all@example.com\r\n\r\n*x*"
    with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
        server.mails = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        port = server.server_address[1]
        url = (
            f"mailto://127.0.0.1:{port}?smtp=127.0.0.1&mode=insecure"
            "&from=a@example.com&to=b@example.com"
        )
        what = replace(event(url), title=hostile, text=hostile)
        answer = sent(Notifier((SecretStr(url),), KEYRING), what)
        thread.join()
        (source,) = server.mails  # type: ignore[attr-defined]
    assert answer.verdict is Verdict.ACCEPTED
    mail = email.message_from_bytes(source)
    assert (mail.get_content_type(), mail["Bcc"]) == ("text/plain", None)
    assert b"<img src=//evil.example>" in mail.get_payload(decode=True)


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


def test_addresses_that_a_comma_separates_are_refused() -> None:
    """apprise takes them for one address."""
    urls = (SecretStr(f"json://127.0.0.1/{TOKEN},slack://a/b/c"),)
    with pytest.raises(SettingsRefused) as refused:
        Notifier(urls, KEYRING)
    assert "by spaces" in refused.value.remedy
    assert TOKEN not in refused.value.cause
    # A comma of one address.
    Notifier((SecretStr("mailto://a:b@example.com?to=c@example.com,d@example.com"),), KEYRING)


def test_an_address_that_is_listed_twice_is_one_receiver() -> None:
    settings = Settings(alert_urls="json://127.0.0.1/ json://127.0.0.1/")
    assert len(alert_receivers(settings, KEYRING)) == 1


def test_without_apprise_the_start_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsRefused) as refused:
        Notifier((SecretStr("json://127.0.0.1/"),), KEYRING)
    assert "apprise is not installed" in refused.value.cause
    assert APPRISE in refused.value.remedy
    assert Notifier((), KEYRING).names == ()
