"""A try over real HTTP: the request, and the verdict of each answer of a receiver."""

import asyncio
import itertools
import json
import socket
import subprocess
import sys
import threading
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
from core.webhooks.answer import Answer, Verdict
from core.webhooks.event import WebhookEvent, WebhookKind
from core.webhooks.sender import WebhookSender, http_client, signing_secret
from tests.webhooks.conftest import SECRET, move_the_receivers_clock
from tests.webhooks.receiver import PATH, Receiver, receiving
from tests.world import FrozenClock, MovableClock

ROOT = Path(__file__).parents[2]
EVENT = WebhookEvent(
    id="v_requested",
    kind=WebhookKind.REQUESTED,
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
        async with http_client() as http:
            return [await sender.send(http, EVENT) for _ in range(times)]

    return asyncio.run(send())


@pytest.fixture(scope="module")
def _receiving() -> Iterator[tuple[Receiver, str]]:
    with receiving(SECRET) as receiver_and_url:
        yield receiver_and_url


@pytest.fixture
def receiver(_receiving: tuple[Receiver, str]) -> Receiver:
    receiver = _receiving[0]
    receiver.requests.clear()
    receiver.other_paths.clear()
    receiver.answers[:] = [(200, {})]
    return receiver


@pytest.fixture
def url(_receiving: tuple[Receiver, str]) -> str:
    return _receiving[1]


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that treats each connection with `speak`; gives its WEBHOOK_URL."""
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
                        # The sender has closed the connection, as it should.
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}{PATH}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_accepts_the_event(receiver: Receiver, url: str, status: int) -> None:
    receiver.answers[:] = [(status, {})]
    assert tries(url) == [Answer(Verdict.ACCEPTED, status, "")]
    (request,) = receiver.requests
    assert request.body == EVENT.body
    assert request.event == json.loads(EVENT.body)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
def test_any_other_answer_refuses_it_for_now(receiver: Receiver, url: str, status: int) -> None:
    receiver.answers[:] = [(status, {})]
    (answer,) = tries(url)
    cause = f"It answered with HTTP {status}."
    assert answer == Answer(Verdict.REFUSED, status, cause)


def test_410_is_gone(receiver: Receiver, url: str) -> None:
    receiver.answers[:] = [(410, {})]
    (answer,) = tries(url)
    assert (answer.verdict, answer.status) == (Verdict.GONE, 410)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, url: str, status: int) -> None:
    receiver.answers[:] = [(status, {"location": "/elsewhere"})]
    (answer,) = tries(url)
    assert (answer.verdict, answer.status) == (Verdict.REFUSED, status)
    assert "redirect" in answer.cause
    assert receiver.other_paths == []
    assert len(receiver.requests) == 1


NOW = FrozenClock()


@pytest.mark.parametrize(
    ("header", "expected"),
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
    # A name with a time in it would differ between the processes of a run.
    ids=itertools.count(),
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    receiver: Receiver,
    url: str,
    header: str,
    expected: timedelta | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The clock stands still since the import, which may be more than five minutes ago.
    move_the_receivers_clock(NOW, monkeypatch)
    receiver.answers[:] = [(429, {"retry-after": header})]
    (answer,) = tries(url, clock=NOW)
    assert answer.retry_after == expected


def test_each_try_has_the_same_body_and_id_and_a_time_of_its_own(
    receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FrozenClock()
    move_the_receivers_clock(clock, monkeypatch)
    tries(url, clock=clock)
    clock.advance(timedelta(hours=6))
    tries(url, clock=clock)
    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == EVENT.id
    later = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert later == 6 * 3600
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert Webhook(SECRET).verify(second.body, second.headers) == second.event


def test_a_port_without_a_server_has_a_cause_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (answer,) = tries(f"http://127.0.0.1:{port}{PATH}")
    assert answer == Answer(Verdict.REFUSED, None, "It cannot be reached.")


def test_a_receiver_that_sends_its_headers_slowly_exceeds_the_deadline() -> None:
    def send_slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"x")
            threading.Event().wait(0.02)

    with speaking(send_slowly) as url:
        (answer,) = tries(url)
    assert answer == Answer(Verdict.REFUSED, None, "It did not answer in time.")


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 200_000_000:
            sent += connection.send(b"x" * 10_000)

    with speaking(flood) as url:
        assert tries(url) == [Answer(Verdict.ACCEPTED, 200, "")]
    # No more than the buffers of both sides hold.
    assert sent < 50_000_000


@pytest.mark.parametrize("body", [b"content-length: 999\r\n\r\nhalf", b"\r\n"])
def test_a_failure_after_the_status_changes_nothing(body: bytes) -> None:
    """An accepted event must not be sent again because its answer broke off."""
    with speaking(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + body)) as url:
        assert tries(url) == [Answer(Verdict.ACCEPTED, 200, "")]

    def stall(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\nhalf")
        while connection.recv(65536):
            pass

    with speaking(stall) as url:
        assert tries(url) == [Answer(Verdict.ACCEPTED, 200, "")]


@pytest.mark.parametrize("data", [b"", b"hello?\r\n\r\n", b"HTTP/1.1 200"])
def test_an_answer_that_is_not_http_is_refused_in_words(data: bytes) -> None:
    with speaking(lambda connection: connection.sendall(data)) as url:
        (answer,) = tries(url)
    cause = "Its answer broke off, or was not HTTP."
    assert answer == Answer(Verdict.REFUSED, None, cause)


def test_a_connection_is_used_again(receiver: Receiver, url: str) -> None:
    tries(url, times=3)
    assert len(receiver.requests) == 3
    assert len({event.headers["test-client"] for event in receiver.requests}) == 1


# The secret


def test_the_sandboxs_secret_follows_from_its_key_and_signs(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    keyring = Keyring(secret_key(settings))
    secret = signing_secret(settings, keyring)
    assert secret == signing_secret(settings, keyring)
    assert secret.startswith("whsec_")
    assert secret_key(settings).decode() not in secret
    # The settings accept it: it has the form of Standard Webhooks.
    configured = Settings(data_dir=tmp_path, webhook_secret=SecretStr(secret))
    assert signing_secret(configured, keyring) == secret
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
