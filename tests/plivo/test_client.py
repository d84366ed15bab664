"""The SDK in a pool: explicit time-outs, a client per thread, one request for one call."""

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.model.errors import AttemptRejected, AttemptUnknown, ProviderError
from core.model.exchange import Exchange
from core.plivo.client import PlivoClients, SdkCall
from core.settings.settings import Settings
from tests.plivo.scripted import (
    ACCEPTED,
    AUTH_ID,
    AUTH_TOKEN,
    CALL,
    FLOW,
    MESSAGE,
    PHLO_ID,
    RECORD,
    REFERENCE,
    RUN,
    SENDER,
    TO,
    Answer,
    Asked,
    Scripted,
    says,
    scripted,
)

THREADS = 6


@pytest.fixture
def plivo() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


def message_to(number: str) -> SdkCall:
    return SdkCall("messages.create", {**MESSAGE.arguments, "dst": number})


def test_the_request_is_the_one_that_the_sdk_documents(plivo: Scripted) -> None:
    plivo.clients().send(MESSAGE)
    (asked,) = plivo.asked
    assert (asked.method, asked.path) == ("POST", f"/v1/Account/{AUTH_ID}/Message/")
    credentials = base64.b64encode(f"{AUTH_ID}:{AUTH_TOKEN}".encode()).decode()
    assert asked.headers["Authorization"] == f"Basic {credentials}"
    assert asked.headers["User-Agent"].startswith("plivo-python/")
    assert asked.fields == {
        **MESSAGE.arguments,
        "type": "sms",
        "method": "POST",
        "trackable": False,
    }


def test_the_time_outs_are_those_of_the_settings() -> None:
    settings = Settings(plivo_connect_seconds=2, plivo_read_seconds=7)
    assert settings.plivo_timeout == (2, 7)
    assert Settings().plivo_timeout == (3.05, 10)


@pytest.mark.parametrize("call", [MESSAGE, CALL, RUN], ids=["sms", "voice", "phlo"])
def test_the_time_out_for_an_answer_is_ours_and_not_the_sdks(
    plivo: Scripted, call: SdkCall
) -> None:
    held = threading.Event()
    plivo.plays(*([FLOW] if call is RUN else []), Answer(held=held))
    began = time.monotonic()
    try:
        with pytest.raises(AttemptUnknown):
            plivo.clients(read_seconds=0.2).send(call)
    finally:
        held.set()
    # The SDK waits for five seconds of its own accord.
    assert 0.2 <= time.monotonic() - began < 4


def test_a_clients_connection_is_used_again(plivo: Scripted) -> None:
    clients = plivo.clients()
    for call in (MESSAGE, RECORD, CALL):
        clients.send(call) if call is not RECORD else clients.read(call)
    assert len({asked.port for asked in plivo.asked}) == 1


@pytest.mark.race
def test_threads_at_the_same_moment_have_a_client_each(plivo: Scripted) -> None:
    """The server answers nobody before all have asked: no thread waits for another's client."""
    together = threading.Barrier(THREADS, timeout=10)

    def answer(asked: Asked) -> Answer:
        together.wait()
        return says(202, message_uuid=[f"{asked.fields['dst']}"])

    plivo.answer = answer
    clients = plivo.clients()
    numbers = [f"+1415555{n:04}" for n in range(THREADS)]

    def send(number: str) -> tuple[list[str], list[Exchange]]:
        shown: list[Exchange] = []
        return clients.send(message_to(number), shown.append).message_uuid, shown

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(5):
            told = pool.map(send, numbers)
            for number, (uuids, shown) in zip(numbers, told, strict=True):
                # Neither the answer nor the record of another thread's request.
                assert uuids == [number]
                assert [one.sent["dst"][-2:] for one in shown] == [number[-2:]]
    rounds = [plivo.asked[n : n + THREADS] for n in range(0, len(plivo.asked), THREADS)]
    assert len(rounds) == 5
    for one in rounds:
        assert len({asked.port for asked in one}) == THREADS


def test_a_failure_does_not_spoil_the_client_for_the_next(plivo: Scripted) -> None:
    clients = plivo.clients()
    for bad in (says(503), Answer(cut=0), Answer(202, b"<html>"), Answer(302, b"")):
        for call in (CALL, MESSAGE):
            plivo.plays(bad)
            with pytest.raises(ProviderError):
                clients.send(call)
            plivo.plays(ACCEPTED)
            assert clients.send(call).request_uuid == REFERENCE
    assert len(plivo.sent) == 16


def test_a_phlo_is_looked_up_once_and_run_each_time(plivo: Scripted) -> None:
    plivo.plays(FLOW, ACCEPTED)
    clients = plivo.clients()
    for _ in range(3):
        clients.send(RUN)
    assert [(asked.method, asked.path) for asked in plivo.asked] == [
        ("GET", f"/v1/phlo/{PHLO_ID}/"),
        *[("POST", f"/v1/account/{AUTH_ID}/phlo/{PHLO_ID}/")] * 3,
    ]
    assert plivo.sent[0].fields == RUN.arguments


def test_each_request_is_recorded_with_the_call_that_made_it(plivo: Scripted) -> None:
    plivo.plays(FLOW, says(202, message="hello", api_id=REFERENCE))
    shown: list[Exchange] = []
    plivo.clients().send(RUN, shown.append)
    found, ran = shown
    assert (found.method, found.status, found.sent) == ("GET", 200, {})
    assert (ran.method, ran.status, ran.direction) == ("POST", 202, "request")
    assert ran.answer == {"message": "hello", "api_id": REFERENCE}
    assert found.call == ran.call == RUN.words
    assert abs(ran.at_ms / 1000 - time.time()) < 60
    assert 0 <= ran.span_ms < 5000


def test_what_is_shown_is_plivos_own_address(plivo: Scripted) -> None:
    shown: list[Exchange] = []
    clients = plivo.clients()
    clients.send(MESSAGE, shown.append)
    plivo.plays(says(200, objects=[]))
    clients.read(SdkCall("messages.list", {"to_number": TO, "limit": 5}), shown.append)
    sent, listed = shown
    assert sent.url == "https://api.plivo.com/v1/Account/MA••••••/Message/"
    assert listed.url == sent.url
    assert listed.sent == {"to_number": "+141••••••23", "limit": "5"}


def test_a_recorder_hears_of_its_own_call_only(plivo: Scripted) -> None:
    clients = plivo.clients()
    shown: list[Exchange] = []
    clients.send(MESSAGE, shown.append)
    clients.send(MESSAGE)
    assert len(shown) == 1


def test_the_address_is_asked_for_at_each_request(plivo: Scripted) -> None:
    """A sandbox in the same process has none before its server listens."""
    with scripted() as other:
        urls = [plivo.url, other.url]
        clients = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 5), base=lambda: urls[0])
        clients.send(MESSAGE)
        urls.pop(0)
        clients.send(MESSAGE)
        assert (len(plivo.asked), len(other.asked)) == (1, 1)


def test_a_host_that_the_sandbox_does_not_play_is_not_reached(plivo: Scripted) -> None:
    feedback = SdkCall("call_feedback.create", {"call_uuid": REFERENCE, "rating": 5})
    with pytest.raises(AttemptRejected) as raised:
        plivo.clients().send(feedback)
    assert raised.value.cause == "Plivo's address is wrong."
    assert plivo.asked == []


def test_nothing_is_answered_where_the_status_says_so(plivo: Scripted) -> None:
    plivo.plays(Answer(204, b""))
    assert plivo.clients().send(SdkCall("calls.delete", {"call_uuid": REFERENCE})) is None


def test_a_record_is_read_as_plivo_wrote_it(plivo: Scripted) -> None:
    plivo.plays(says(200, message_uuid=REFERENCE, from_number=SENDER, units=2, error_code=None))
    record = plivo.clients().read(RECORD)
    assert (record.message_uuid, record.units, record.error_code) == (REFERENCE, 2, None)


def test_warming_asks_plivo_nothing(plivo: Scripted) -> None:
    clients = plivo.clients()
    clients.warm()
    assert plivo.asked == []
    clients.send(MESSAGE)
    assert len(plivo.asked) == 1


def test_closed_clients_are_replaced(plivo: Scripted) -> None:
    clients = plivo.clients()
    clients.send(MESSAGE)
    clients.close()
    clients.send(MESSAGE)
    assert len({asked.port for asked in plivo.asked}) == 2
