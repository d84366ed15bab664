"""The SDK in a pool: explicit time-outs, a client per thread, one request for one call."""

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.model.errors import AttemptRejected, AttemptUnknown, ProviderError
from core.model.exchange import Exchange
from core.plivo.client import PlivoClients
from core.plivo.sdk_call import SdkCall
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
    ReceivedRequest,
    Scripted,
    json_answer,
    scripted,
)
from tests.world import PATIENCE_SECONDS

THREADS = 6


@pytest.fixture
def plivo() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


def message_to(number: str) -> SdkCall:
    return SdkCall("messages.create", {**MESSAGE.arguments, "dst": number})


def test_the_request_is_the_one_that_the_sdk_documents(plivo: Scripted) -> None:
    plivo.clients().send(MESSAGE)
    (request,) = plivo.requests
    assert (request.method, request.path) == ("POST", f"/v1/Account/{AUTH_ID}/Message/")
    credentials = base64.b64encode(f"{AUTH_ID}:{AUTH_TOKEN}".encode()).decode()
    assert request.headers["Authorization"] == f"Basic {credentials}"
    assert request.headers["User-Agent"].startswith("plivo-python/")
    assert request.fields == {
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
    plivo.answer_with(*([FLOW] if call is RUN else []), Answer(held=held))
    # The SDK waits for five seconds of its own accord, and would have this answer.
    answering = threading.Timer(3, held.set)
    answering.start()
    try:
        with pytest.raises(AttemptUnknown):
            plivo.clients(read_seconds=0.2).send(call)
    finally:
        answering.cancel()
        held.set()


def test_a_clients_connection_is_used_again(plivo: Scripted) -> None:
    clients = plivo.clients()
    for call in (MESSAGE, RECORD, CALL):
        clients.send(call) if call is not RECORD else clients.read(call)
    assert len({request.port for request in plivo.requests}) == 1


@pytest.mark.race
def test_threads_at_the_same_moment_have_a_client_each(plivo: Scripted) -> None:
    """The server answers once all requests are there: no thread waits for another's client."""
    together = threading.Barrier(THREADS, timeout=PATIENCE_SECONDS)

    def answer(request: ReceivedRequest) -> Answer:
        together.wait()
        return json_answer(202, message_uuid=[f"{request.fields['dst']}"])

    plivo.answer = answer
    clients = plivo.clients()
    numbers = [f"+1415555{n:04}" for n in range(THREADS)]

    def send(number: str) -> tuple[list[str], list[Exchange]]:
        exchanges: list[Exchange] = []
        return clients.send(message_to(number), exchanges.append).message_uuid, exchanges

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(5):
            results = pool.map(send, numbers)
            for number, (uuids, exchanges) in zip(numbers, results, strict=True):
                # Neither the answer nor the record of another thread's request.
                assert uuids == [number]
                assert [exchange.sent["dst"][-2:] for exchange in exchanges] == [number[-2:]]
    rounds = [plivo.requests[n : n + THREADS] for n in range(0, len(plivo.requests), THREADS)]
    assert len(rounds) == 5
    for requests in rounds:
        assert len({request.port for request in requests}) == THREADS


def test_a_failure_does_not_spoil_the_client_for_the_next(plivo: Scripted) -> None:
    clients = plivo.clients()
    for bad in (json_answer(503), Answer(cut=0), Answer(202, b"<html>"), Answer(302, b"")):
        for call in (CALL, MESSAGE):
            plivo.answer_with(bad)
            with pytest.raises(ProviderError):
                clients.send(call)
            plivo.answer_with(ACCEPTED)
            assert clients.send(call).request_uuid == REFERENCE
    assert len(plivo.sent) == 16


def test_a_phlo_is_looked_up_once_and_run_each_time(plivo: Scripted) -> None:
    plivo.answer_with(FLOW, ACCEPTED)
    clients = plivo.clients()
    for _ in range(3):
        clients.send(RUN)
    assert [(request.method, request.path) for request in plivo.requests] == [
        ("GET", f"/v1/phlo/{PHLO_ID}/"),
        *[("POST", f"/v1/account/{AUTH_ID}/phlo/{PHLO_ID}/")] * 3,
    ]
    assert plivo.sent[0].fields == RUN.arguments


def test_each_request_is_recorded_with_the_call_that_made_it(plivo: Scripted) -> None:
    plivo.answer_with(FLOW, json_answer(202, message="hello", api_id=REFERENCE))
    exchanges: list[Exchange] = []
    plivo.clients().send(RUN, exchanges.append)
    lookup, run = exchanges
    assert (lookup.method, lookup.status, lookup.sent) == ("GET", 200, {})
    assert (run.method, run.status, run.direction) == ("POST", 202, "request")
    assert run.answer == {"message": "hello", "api_id": REFERENCE}
    assert lookup.call == run.call == RUN.words
    assert abs(run.at_ms / 1000 - time.time()) < 60
    assert 0 <= run.span_ms < 5000


def test_an_exchange_has_plivos_own_address(plivo: Scripted) -> None:
    exchanges: list[Exchange] = []
    clients = plivo.clients()
    clients.send(MESSAGE, exchanges.append)
    plivo.answer_with(json_answer(200, objects=[]))
    clients.read(SdkCall("messages.list", {"to_number": TO, "limit": 5}), exchanges.append)
    sent, listed = exchanges
    assert sent.url == "https://api.plivo.com/v1/Account/MA••••••/Message/"
    assert listed.url == sent.url
    assert listed.sent == {"to_number": "+141••••••23", "limit": "5"}


def test_a_recorder_gets_the_exchanges_of_its_own_call_only(plivo: Scripted) -> None:
    clients = plivo.clients()
    exchanges: list[Exchange] = []
    clients.send(MESSAGE, exchanges.append)
    clients.send(MESSAGE)
    assert len(exchanges) == 1


def test_the_address_is_read_at_each_request(plivo: Scripted) -> None:
    """A sandbox in the same process has no address before its server listens."""
    with scripted() as other:
        urls = [plivo.url, other.url]
        clients = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 5), base=lambda: urls[0])
        clients.send(MESSAGE)
        urls.pop(0)
        clients.send(MESSAGE)
        assert (len(plivo.requests), len(other.requests)) == (1, 1)


def test_a_host_that_the_sandbox_does_not_serve_is_not_reached(plivo: Scripted) -> None:
    feedback = SdkCall("call_feedback.create", {"call_uuid": REFERENCE, "rating": 5})
    with pytest.raises(AttemptRejected) as raised:
        plivo.clients().send(feedback)
    assert raised.value.cause == "Plivo's address is wrong."
    assert plivo.requests == []


def test_a_204_has_no_body(plivo: Scripted) -> None:
    plivo.answer_with(Answer(204, b""))
    assert plivo.clients().send(SdkCall("calls.delete", {"call_uuid": REFERENCE})) is None


def test_a_record_is_read_as_plivo_wrote_it(plivo: Scripted) -> None:
    plivo.answer_with(
        json_answer(200, message_uuid=REFERENCE, from_number=SENDER, units=2, error_code=None)
    )
    record = plivo.clients().read(RECORD)
    assert (record.message_uuid, record.units, record.error_code) == (REFERENCE, 2, None)


def test_warming_sends_no_request(plivo: Scripted) -> None:
    clients = plivo.clients()
    clients.warm()
    assert plivo.requests == []
    clients.send(MESSAGE)
    assert len(plivo.requests) == 1


def test_closed_clients_are_replaced(plivo: Scripted) -> None:
    clients = plivo.clients()
    clients.send(MESSAGE)
    clients.close()
    clients.send(MESSAGE)
    assert len({request.port for request in plivo.requests}) == 2
