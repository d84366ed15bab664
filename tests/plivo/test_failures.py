"""Whatever Plivo or the network does has a name, a cause and a remedy, and gives nothing away."""

import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.model.errors import AttemptRejected, AttemptUnknown, ProviderError, ProviderRead
from core.model.exchange import Exchange
from core.plivo.client import PlivoClients
from core.plivo.sdk_call import SdkCall
from core.plivo.wire import QUOTED, RECORDED
from tests.plivo.scripted import (
    ACCEPTED,
    AUTH_ID,
    AUTH_TOKEN,
    CALL,
    CODE,
    FLOW,
    MESSAGE,
    RECORD,
    RUN,
    TO,
    TOKEN,
    Answer,
    Scripted,
    json_answer,
    scripted,
)

SENDS = {"sms": MESSAGE, "voice": CALL, "phlo": RUN}
STATUSES = range(400, 600)
DOCUMENTED = (400, 401, 402, 403, 404, 405, 409, 422, 429, 500, 502, 503, 504)
# What Plivo might repeat of a request, and more: it must not come out again.
GOSSIP = f"{CODE} for {TO} at https://example.com/plivo/message/{TOKEN} ({', '.join(CODE)})"

# Signed by itself, for this test alone: no authority vouches for it, and its key guards nothing.
NOBODYS_CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL69MlcowPOdmOr0f
PAZABvUOOp9CdwXnx+ZSuqbbfIyhRANCAARvfdpp17GrCehcczAG8dkyOxspgoN1
aMd79gesh+eudNOXaVPWt9XWAzUvcQ2WDygcCikBiGdwNaAyOIkpDiFW
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBkTCCATagAwIBAgIUZcn3EJ+hZLhOFm5qpxf3YGmyOacwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMzIxMjAzNVoYDzIxMjYxMDMw
MjEyMDM1WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARvfdpp17GrCehcczAG8dkyOxspgoN1aMd79gesh+eudNOXaVPWt9XW
AzUvcQ2WDygcCikBiGdwNaAyOIkpDiFWo2QwYjAdBgNVHQ4EFgQUrCchEZ0V9XRS
ElQzvV464HpVwpIwHwYDVR0jBBgwFoAUrCchEZ0V9XRSElQzvV464HpVwpIwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYC
IQDhVM5YJqxrZfBDNClPBmqkWXJXMG2G6FiMcbNKRTF9CgIhAL5cbmAszsGHp5T5
jtmx9Rct6Usj7oGvpVMyCEgV8WNy
-----END CERTIFICATE-----
"""

every_send = pytest.mark.parametrize("call", SENDS.values(), ids=SENDS)


@pytest.fixture(scope="module")
def _script() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


@pytest.fixture
def plivo(_script: Scripted) -> Scripted:
    _script.requests.clear()
    return _script


def answer_sends(plivo: Scripted, answer: Answer) -> None:
    """Give this answer to every send; the lookup of a PHLO succeeds."""
    plivo.answer = lambda request: FLOW if request.path.startswith("/v1/phlo/") else answer


def failure(clients: PlivoClients, call: SdkCall) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        clients.send(call)
    return raised.value


def has_sentences(error: ProviderError) -> bool:
    """Whether cause and remedy are whole sentences."""
    return all(text[:1].isupper() and text.endswith(".") for text in (error.cause, error.remedy))


@every_send
def test_every_status_has_a_name_a_cause_and_a_remedy(plivo: Scripted, call: SdkCall) -> None:
    clients = plivo.clients()
    for status in STATUSES:
        answer_sends(plivo, json_answer(status, error="something is wrong"))
        error = failure(clients, call)
        uncertain = status == 429 or status >= 500
        assert type(error) is (AttemptUnknown if uncertain else AttemptRejected), status
        assert error.status == status
        assert f"(HTTP {status})" in error.cause
        assert has_sentences(error), (error.cause, error.remedy)


def test_every_status_has_a_name_when_a_record_is_read(plivo: Scripted) -> None:
    clients = plivo.clients()
    for status in STATUSES:
        answer_sends(plivo, json_answer(status, error="something is wrong"))
        with pytest.raises(ProviderRead) as raised:
            clients.read(RECORD)
        assert raised.value.status == status
        assert has_sentences(raised.value)
        # Nothing is on its way, so the remedy is not to wait.
        assert "arrive" not in raised.value.remedy


def test_each_documented_status_has_words_of_its_own(plivo: Scripted) -> None:
    clients = plivo.clients()
    causes = set()
    for status in DOCUMENTED:
        answer_sends(plivo, Answer(status, b""))
        causes.add(failure(clients, MESSAGE).cause.partition(" (HTTP")[0])
    assert len(causes) == len(DOCUMENTED)


@pytest.mark.parametrize("status", [400, 402, 403, 404, 422])
def test_plivos_own_reason_is_part_of_the_cause(plivo: Scripted, status: int) -> None:
    answer_sends(plivo, json_answer(status, api_id="x", error="Insufficient Credit."))
    assert failure(plivo.clients(), MESSAGE).cause.endswith(
        f"(HTTP {status}): Insufficient Credit."
    )


def test_a_long_reason_is_quoted_in_part(plivo: Scripted) -> None:
    answer_sends(plivo, json_answer(400, error="no " * 1000))
    assert QUOTED < len(failure(plivo.clients(), MESSAGE).cause) < QUOTED + 100


def test_a_401_in_plain_text_names_the_settings_to_check(plivo: Scripted) -> None:
    answer_sends(
        plivo, Answer(401, b"Could not verify your access level for that URL.\nYou have to login")
    )
    error = failure(plivo.clients(), MESSAGE)
    assert error.remedy == "Check PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN."


@every_send
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_send_that_fails_on_the_way_is_never_repeated(
    plivo: Scripted, call: SdkCall, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SDK by itself would dial three times after a 5xx, and print about it."""
    answer_sends(plivo, json_answer(status, error="busy"))
    failure(plivo.clients(), call)
    assert len(plivo.sent) == 1
    assert capsys.readouterr() == ("", "")


@every_send
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_code_in_hand(
    plivo: Scripted, call: SdkCall, status: int
) -> None:
    answer_sends(plivo, Answer(status, ACCEPTED.body, {"Location": f"{plivo.url}/elsewhere/"}))
    assert type(failure(plivo.clients(), call)) is AttemptUnknown
    assert len(plivo.sent) == 1
    assert not [request for request in plivo.requests if request.path == "/elsewhere/"]


@every_send
@pytest.mark.parametrize("status", [200, 202, 203, 207])
@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"null", b"[1]", b'"queued"', b"\xff\xfe"])
def test_an_answer_that_cannot_be_read_leaves_the_send_uncertain(
    plivo: Scripted, call: SdkCall, status: int, body: bytes
) -> None:
    answer_sends(plivo, Answer(status, body))
    error = failure(plivo.clients(), call)
    assert type(error) is AttemptUnknown
    assert error.cause == "Plivo's answer could not be read."
    assert len(plivo.sent) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"null", b"[1]"])
@pytest.mark.parametrize(
    "call",
    [RECORD, SdkCall("messages.list", {}), SdkCall("calls.list", {})],
    ids=["one", "messages", "calls"],
)
def test_an_answer_that_cannot_be_read_is_no_record(
    plivo: Scripted, call: SdkCall, body: bytes
) -> None:
    answer_sends(plivo, Answer(200, body))
    with pytest.raises(ProviderRead) as raised:
        plivo.clients().read(call)
    assert raised.value.cause == "Plivo's answer could not be read."
    assert has_sentences(raised.value)


@pytest.mark.parametrize("body", [{}, {"objects": None}, {"objects": [1]}, {"objects": {}}])
@pytest.mark.parametrize("path", ["messages.list", "calls.list"])
def test_a_list_without_its_objects_is_no_list(
    plivo: Scripted, path: str, body: dict[str, object]
) -> None:
    answer_sends(plivo, Answer(200, json.dumps(body).encode()))
    with pytest.raises(ProviderRead) as raised:
        plivo.clients().read(SdkCall(path, {}))
    assert raised.value.cause == "Plivo's answer could not be read."


@pytest.mark.parametrize("path", ["messages.list", "calls.list"])
@pytest.mark.parametrize("status", DOCUMENTED)
def test_a_list_with_an_error_is_a_named_error(plivo: Scripted, path: str, status: int) -> None:
    answer_sends(plivo, json_answer(status, error="too many requests"))
    with pytest.raises(ProviderRead):
        plivo.clients().read(SdkCall(path, {"limit": 5}))
    # A live read of calls is sent again by the SDK after a 5xx; not here.
    assert len(plivo.requests) == 1


@every_send
@pytest.mark.parametrize("cut", [-1, 0, 10])
def test_a_connection_that_breaks_after_the_request_leaves_the_send_uncertain(
    plivo: Scripted, call: SdkCall, cut: int
) -> None:
    answer_sends(plivo, Answer(202, ACCEPTED.body, cut=cut))
    exchanges: list[Exchange] = []
    with pytest.raises(AttemptUnknown) as raised:
        plivo.clients().send(call, exchanges.append)
    assert raised.value.cause == "The connection to Plivo broke."
    assert raised.value.status is None
    assert len(plivo.sent) == 1
    assert (exchanges[-1].method, exchanges[-1].status, exchanges[-1].answer) == (
        "POST",
        None,
        None,
    )


@every_send
def test_no_answer_in_time_leaves_the_send_uncertain(plivo: Scripted, call: SdkCall) -> None:
    held = threading.Event()
    answer_sends(plivo, Answer(held=held))
    try:
        error = failure(plivo.clients(read_seconds=0.2), call)
    finally:
        held.set()
    assert (type(error), error.cause) == (AttemptUnknown, "Plivo did not answer in time.")
    assert len(plivo.sent) == 1


@every_send
def test_a_refused_connection_means_that_nothing_was_sent(call: SdkCall) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # Bound and not listening: it refuses.
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        clients = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 1), base=lambda: url)
        error = failure(clients, call)
    assert (type(error), error.cause) == (AttemptRejected, "There is no connection to Plivo.")


def test_a_name_that_is_not_known_means_that_nothing_was_sent() -> None:
    clients = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 1), base=lambda: "http://plivo.invalid")
    assert type(failure(clients, MESSAGE)) is AttemptRejected


def test_a_connection_that_is_not_accepted_in_time_means_that_nothing_was_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            url = f"http://127.0.0.1:{full.getsockname()[1]}"
            clients = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(0.2, 0.2), base=lambda: url)
            error = failure(clients, MESSAGE)
        finally:
            for one in waiting:
                one.close()
    assert (type(error), error.cause) == (AttemptRejected, "Plivo could not be reached in time.")


def test_a_certificate_that_is_not_trusted_means_that_nothing_was_sent(tmp_path: Path) -> None:
    (tmp_path / "nobody.pem").write_text(NOBODYS_CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "nobody.pem")
    with scripted(context) as imposter:
        error = failure(imposter.clients(), MESSAGE)
    assert (type(error), error.cause) == (
        AttemptRejected,
        "The connection to Plivo is not trusted.",
    )
    assert imposter.requests == []


def test_any_other_break_of_tls_leaves_the_send_uncertain(plivo: Scripted) -> None:
    """It may come after the request. Here the server has no TLS."""
    url = plivo.url.replace("http:", "https:")
    clients = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 1), base=lambda: url)
    assert type(failure(clients, MESSAGE)) is AttemptUnknown


@pytest.mark.parametrize("base", ["", "None", "http://", "nonsense://127.0.0.1"])
def test_a_malformed_address_means_that_nothing_was_sent(base: str) -> None:
    clients = PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=(1, 1), base=lambda: base)
    error = failure(clients, MESSAGE)
    assert (type(error), error.cause) == (AttemptRejected, "Plivo's address is wrong.")


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_phlo_that_cannot_be_found_was_not_run(plivo: Scripted, status: int) -> None:
    plivo.answer_with(json_answer(status, error="no"))
    assert type(failure(plivo.clients(), RUN)) is AttemptRejected
    assert plivo.sent == []


@pytest.mark.parametrize("body", [b"<html>", b"null", b"{}"])
def test_an_unreadable_phlo_does_not_stand_in_the_way_of_the_next_run(
    plivo: Scripted, body: bytes
) -> None:
    """A client keeps the PHLOs it has found; what it could not read it must not keep."""
    clients = plivo.clients()
    plivo.answer_with(Answer(200, body), ACCEPTED)
    if body != b"{}":
        assert type(failure(clients, RUN)) is AttemptRejected
        plivo.answer_with(FLOW, ACCEPTED)
    clients.send(RUN)
    assert [request.path.rpartition("/phlo/")[2] for request in plivo.sent] == [f"{RUN.phlo}/"]


def test_an_argument_refused_by_the_sdk_was_not_sent(plivo: Scripted) -> None:
    same = SdkCall("messages.create", {**MESSAGE.arguments, "dst": MESSAGE.arguments["src"]})
    error = failure(plivo.clients(), same)
    assert type(error) is AttemptRejected
    assert "same as source" in error.cause
    assert has_sentences(error)
    assert plivo.requests == []


def test_a_bug_of_this_code_is_not_reported_as_an_error_of_plivo(plivo: Scripted) -> None:
    with pytest.raises(AttributeError):
        plivo.clients().send(SdkCall("messages.telegraph", {}))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it came from, as a traceback or an error tracker shows it."""
    while error is not None:
        yield error
        hidden = error.__suppress_context__
        error = error.__cause__ or (None if hidden else error.__context__)


ENDINGS: dict[str, Answer] = {
    **{str(status): json_answer(status, error=GOSSIP) for status in DOCUMENTED},
    "plain text": Answer(400, GOSSIP.encode()),
    # Where the text is shortened, a code must not be cut in two.
    "long": json_answer(400, error=f"{'x' * (QUOTED - len(CODE))} {CODE}"),
    "at the edge of what is shown": Answer(400, f"{'x' * (RECORDED - len(CODE))} {CODE}".encode()),
    "unreadable": Answer(202, GOSSIP.encode()),
    "numbers": json_answer(400, error="", to=int(TO)),
    "cut": Answer(202, GOSSIP.encode(), cut=40),
}


@every_send
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_property_09_a_failure_reveals_no_secret(
    plivo: Scripted,
    call: SdkCall,
    ending: Answer,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    answer_sends(plivo, ending)
    exchanges: list[Exchange] = []
    with pytest.raises(ProviderError) as raised:
        plivo.clients().send(call, exchanges.append)
    texts = [
        text
        for error in chain(raised.value)
        for text in (str(error), repr(error), repr(error.args), repr(getattr(error, "text", "")))
    ]
    # Without times and process ids: they may hold any digits by chance.
    texts += [repr(replace(exchange, at_ms=0)) for exchange in exchanges]
    texts += [
        f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records
    ]
    texts += capsys.readouterr()
    assert exchanges
    for text in texts:
        for secret in (CODE, CODE[:-1], ", ".join(CODE), TO[1:], TOKEN, AUTH_TOKEN):
            assert secret not in text


def test_property_09_an_argument_refused_by_the_sdk_reveals_no_token(plivo: Scripted) -> None:
    """The SDK repeats an argument that it refuses."""
    bad = SdkCall("messages.create", {**MESSAGE.arguments, "url": f"no address {TOKEN}"})
    error = failure(plivo.clients(), bad)
    for cause in chain(error):
        assert TOKEN not in repr(cause)
