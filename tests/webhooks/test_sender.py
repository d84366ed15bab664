"""One try over real HTTP: what is sent, and what each answer of a receiver means."""

import asyncio
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from core.model.way import Way
from core.settings.credentials import secret_key
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.webhooks.event import WebhookEvent, WebhookKind
from core.webhooks.sender import Answer, Verdict, WebhookSender, signing_secret
from tests.webhooks.conftest import SECRET, let_the_receivers_clock_go_with
from tests.webhooks.receiver import PATH, Receiver, receiving
from tests.world import FrozenClock, MovableClock

ROOT = Path(__file__).parents[2]
EVENT = WebhookEvent(
    id="v_requested",
    what=WebhookKind.REQUESTED,
    at=datetime(2026, 3, 14, tzinfo=UTC),
    verification="v",
    attempt="v-1",
    way=Way.SMS,
    to_masked="+1 415 ••• ••23",
    country="US",
    status="pending",
)
DEADLINE = timedelta(seconds=1)


def tries(url: str, times: int = 1, clock: MovableClock | None = None) -> list[Answer]:
    """That many tries, one after the other, by one client."""
    sender = WebhookSender(url, SECRET, clock or MovableClock(), DEADLINE)

    async def send() -> list[Answer]:
        async with sender.client() as http:
            return [await sender.send(http, EVENT) for _ in range(times)]

    return asyncio.run(send())


@pytest.fixture(scope="module")
def _receiving() -> Iterator[tuple[Receiver, str]]:
    with receiving(SECRET) as found:
        yield found


@pytest.fixture
def receiver(_receiving: tuple[Receiver, str]) -> Receiver:
    found = _receiving[0]
    found.heard.clear()
    found.strayed.clear()
    found.answers[:] = [(200, {})]
    return found


@pytest.fixture
def url(_receiving: tuple[Receiver, str]) -> str:
    return _receiving[1]


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does to each connection what no proper server would; its WEBHOOK_URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        speak(connection)
                    except OSError:
                        # The sender has hung up, which is what it should do.
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}{PATH}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_takes_the_event(receiver: Receiver, url: str, status: int) -> None:
    receiver.answers[:] = [(status, {})]
    assert tries(url) == [Answer(Verdict.TAKEN, status, "")]
    (heard,) = receiver.heard
    assert heard.body == EVENT.body
    assert heard.event == json.loads(EVENT.body)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
def test_any_other_answer_refuses_it_for_now(receiver: Receiver, url: str, status: int) -> None:
    receiver.answers[:] = [(status, {})]
    (answer,) = tries(url)
    said = f"It answered with HTTP {status}."
    assert answer == Answer(Verdict.REFUSED, status, said)


def test_gone_wants_no_more(receiver: Receiver, url: str) -> None:
    receiver.answers[:] = [(410, {})]
    (answer,) = tries(url)
    assert (answer.verdict, answer.status) == (Verdict.GONE, 410)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, url: str, status: int) -> None:
    receiver.answers[:] = [(status, {"location": "/elsewhere"})]
    (answer,) = tries(url)
    assert (answer.verdict, answer.status) == (Verdict.REFUSED, status)
    assert "redirect" in answer.cause
    assert receiver.strayed == []
    assert len(receiver.heard) == 1


NOW = FrozenClock()


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        (format_datetime(NOW.now() + timedelta(minutes=3), usegmt=True), timedelta(minutes=3)),
        (format_datetime(NOW.now() - timedelta(minutes=3), usegmt=True), timedelta(0)),
        ("9" * 40, timedelta(seconds=10**8)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Mon, 05 Jan 2026 99999999999:00:00 GMT", None),
        ("", None),
    ],
    # A name with a moment in it would be another one in each process of the run.
    ids=itertools.count(),
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    receiver: Receiver,
    url: str,
    said: str,
    asked: timedelta | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # That clock stands since this file was read, which in a long run is more than five minutes.
    let_the_receivers_clock_go_with(NOW, monkeypatch)
    receiver.answers[:] = [(429, {"retry-after": said})]
    (answer,) = tries(url, clock=NOW)
    assert answer.retry_after == asked


def test_each_try_has_the_same_body_and_id_and_a_moment_of_its_own(
    receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FrozenClock()
    let_the_receivers_clock_go_with(clock, monkeypatch)
    tries(url, clock=clock)
    clock.advance(timedelta(hours=6))
    tries(url, clock=clock)
    first, second = receiver.heard
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == EVENT.id
    later = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert later == 6 * 3600
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert Webhook(SECRET).verify(second.body, second.headers) == second.event


def test_a_port_on_which_nobody_listens_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (answer,) = tries(f"http://127.0.0.1:{port}{PATH}")
    assert answer == Answer(Verdict.REFUSED, None, "It cannot be reached.")


def test_a_receiver_that_dribbles_its_headers_meets_the_deadline() -> None:
    def dribble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"x")
            threading.Event().wait(0.02)

    with speaking(dribble) as url:
        began = time.monotonic()
        (answer,) = tries(url)
        assert time.monotonic() - began < DEADLINE.total_seconds() + 2
    assert answer == Answer(Verdict.REFUSED, None, "It did not answer in time.")


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 200_000_000:
            sent += connection.send(b"x" * 10_000)

    with speaking(flood) as url:
        assert tries(url) == [Answer(Verdict.TAKEN, 200, "")]
    # What both sides' buffers hold, and no more.
    assert sent < 50_000_000


@pytest.mark.parametrize("body", [b"content-length: 999\r\n\r\nhalf", b"\r\n"])
def test_what_goes_wrong_after_the_status_changes_nothing(body: bytes) -> None:
    """An event that was taken must not be sent again because its answer broke off."""
    with speaking(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + body)) as url:
        assert tries(url) == [Answer(Verdict.TAKEN, 200, "")]

    def stall(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\nhalf")
        while connection.recv(65536):
            pass

    with speaking(stall) as url:
        assert tries(url) == [Answer(Verdict.TAKEN, 200, "")]


@pytest.mark.parametrize("said", [b"", b"hello?\r\n\r\n", b"HTTP/1.1 200"])
def test_what_is_no_http_is_refused_in_words(said: bytes) -> None:
    with speaking(lambda connection: connection.sendall(said)) as url:
        (answer,) = tries(url)
    said_in_words = "Its answer was broken off, or was no HTTP."
    assert answer == Answer(Verdict.REFUSED, None, said_in_words)


def test_a_connection_is_used_again(receiver: Receiver, url: str) -> None:
    tries(url, times=3)
    assert len(receiver.heard) == 3
    assert len({one.headers["test-client"] for one in receiver.heard}) == 1


# The secret


def test_the_sandboxs_secret_follows_from_its_key_and_signs(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    keyring = Keyring(secret_key(settings))
    secret = signing_secret(settings, keyring)
    assert secret == signing_secret(settings, keyring)
    assert secret.startswith("whsec_")
    assert secret_key(settings).decode() not in secret
    # What the settings would take: the form of Standard Webhooks.
    given = Settings(data_dir=tmp_path, webhook_secret=SecretStr(secret))
    assert signing_secret(given, keyring) == secret
    other = Settings(data_dir=tmp_path, webhook_secret=SecretStr(SECRET))
    assert signing_secret(other, keyring) == SECRET


def test_a_command_prints_the_secret_for_the_receiver(tmp_path: Path) -> None:
    printed = subprocess.check_output(
        [sys.executable, "-m", "core", "webhook-secret"],
        cwd=ROOT,
        env={"DATA_DIR": str(tmp_path), "PLIVO_MODE": "sandbox"},
        text=True,
    )
    settings = Settings(data_dir=tmp_path)
    assert printed.strip() == signing_secret(settings, Keyring(secret_key(settings)))
