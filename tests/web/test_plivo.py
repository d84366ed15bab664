"""Callbacks: accepted only with token and signature, acknowledged only once stored."""

import base64
import hashlib
import hmac

import httpx
import pytest

from core.model.attempt import EventKind, State
from core.model.way import Way
from core.plivo.masking import DOTS
from core.web.plivo import LONGEST_BODY
from tests.world import World, until

NONCE = "31627761595286130198"
ROUTES = ("message", "ring", "answer", "digits", "hangup")


def post(at: World, path: str, form: dict[str, str], token: str | None = None) -> httpx.Response:
    """A callback, signed (V3) with `token`, the account's own by default."""
    url = f"{at.address}{path}"
    fields = f"?{''.join(f'{k}{form[k]}' for k in sorted(form))}" if form else ""
    text = f"{url}{fields}.{NONCE}"
    key = (at.services.auth_token if token is None else token).encode()
    signature = base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()
    headers = {"X-Plivo-Signature-V3": signature, "X-Plivo-Signature-V3-Nonce": NONCE}
    return at.http.post(path, data=form, headers=headers)


@pytest.fixture
def attempt(at: World) -> str:
    """A message that stays `sent`: no later report comes."""
    verification = at.started(at.number("0700"))
    until(lambda: at.look(verification).attempts[0].state is State.SENT)
    return f"{verification}-1"


def path(at: World, attempt: str, route: str = "message") -> str:
    return f"/plivo/{route}/{at.services.keyring.callback_token(attempt)}"


def state(at: World, attempt: str) -> State:
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    return record.state


DELIVERED = {"MessageUUID": "u-1", "Status": "delivered", "From": "1", "To": "2"}


def test_a_signed_callback_moves_the_attempt(at: World, attempt: str) -> None:
    assert post(at, path(at, attempt), DELIVERED).status_code == 204
    assert state(at, attempt) is State.DELIVERED


def test_property_19_a_wrong_signature_is_refused_and_counted(at: World, attempt: str) -> None:
    assert post(at, path(at, attempt), DELIVERED, token="another account's").status_code == 403
    assert at.http.post(path(at, attempt), data=DELIVERED).status_code == 403
    assert state(at, attempt) is State.SENT
    assert at.services.ledger.counters()["forged"] == 2


def test_property_19_a_right_signature_does_not_help_without_our_token(
    at: World, attempt: str
) -> None:
    token = at.services.keyring.callback_token(attempt)
    for wrong in (token[:-1], "nonsense", attempt, token.replace("-1.", "-2.")):
        assert post(at, f"/plivo/message/{wrong}", DELIVERED).status_code == 403
    assert state(at, attempt) is State.SENT


def test_property_19_a_callback_cannot_verify_a_code(at: World, attempt: str) -> None:
    form = DELIVERED | {"Status": "verified"}
    assert post(at, path(at, attempt), form).status_code == 400
    record = at.services.ledger.attempt(attempt)
    assert record is not None
    assert EventKind.VERIFIED not in record.moments


def test_a_replayed_callback_changes_nothing(at: World, attempt: str) -> None:
    for _ in range(3):
        assert post(at, path(at, attempt), DELIVERED).status_code == 204
    failed = DELIVERED | {"Status": "failed", "ErrorCode": "40"}
    assert post(at, path(at, attempt), failed).status_code == 204
    assert state(at, attempt) is State.DELIVERED


@pytest.mark.parametrize("form", [{}, {"Status": "delivered"}, {"MessageUUID": "u", "Status": "?"}])
def test_a_malformed_callback_is_named_and_counted(
    at: World, attempt: str, form: dict[str, str]
) -> None:
    answer = post(at, path(at, attempt), form)
    assert answer.status_code == 400
    assert answer.text.startswith("Missing or unknown: ")
    assert at.services.ledger.counters()["malformed"] == 1


@pytest.mark.parametrize(
    "body", [b"Status=%FF", b"Status=%C3%28", b"Status=\xff", b"%ED%A0%BD=1", b"Status"]
)
@pytest.mark.parametrize("route", ROUTES)
def test_parameters_that_are_not_a_form_in_utf_8_are_refused_and_counted(
    at: World, attempt: str, route: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = at.http.post(path(at, attempt, route), content=body, headers=headers)
    assert (answer.status_code, "UTF-8" in answer.text) == (400, True)
    assert at.services.ledger.counters()["malformed"] == 1
    assert state(at, attempt) is State.SENT


@pytest.mark.parametrize("route", ROUTES)
def test_a_query_that_is_not_utf_8_is_refused(at: World, attempt: str, route: str) -> None:
    assert at.http.get(f"{path(at, attempt, route)}?Status=%FF").status_code == 400


def test_a_body_that_is_not_utf_8_needs_our_token_all_the_same(at: World, attempt: str) -> None:
    assert at.http.post("/plivo/message/nonsense", content=b"Status=%FF").status_code == 403
    assert at.services.ledger.counters()["forged"] == 1


def test_a_body_that_is_too_long_is_not_read(at: World, attempt: str) -> None:
    address = path(at, attempt)
    assert at.http.post(address, content=b"a=" + b"x" * LONGEST_BODY).status_code == 413
    chunks = (b"x" * 1024 for _ in range(2 * LONGEST_BODY // 1024))
    assert at.http.post(address, content=chunks).status_code == 413


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_only_get_and_post_are_served(at: World, attempt: str, route: str, method: str) -> None:
    answer = at.http.request(method, path(at, attempt, route))
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("route", ROUTES)
def test_get_is_checked_like_post(at: World, attempt: str, route: str) -> None:
    assert at.http.get(path(at, attempt, route)).status_code == 403


def test_nothing_is_acknowledged_that_is_not_stored(
    at: World, attempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis refuses the write, as when it is full."""
    at.services.client.config_set("maxmemory", "1")  # type: ignore[attr-defined]
    try:
        assert post(at, path(at, attempt), DELIVERED).status_code == 503
    finally:
        at.services.client.config_set("maxmemory", "0")  # type: ignore[attr-defined]
    assert post(at, path(at, attempt), DELIVERED).status_code == 204
    assert state(at, attempt) is State.DELIVERED


def test_property_20_the_code_is_spoken_only_after_the_key_and_while_it_is_valid(
    at: World,
) -> None:
    number = at.number()
    verification = at.started(number, Way.VOICE)
    attempt = f"{verification}-1"
    code = at.code(verification)
    spoken = ", ".join(code)
    reference = at.look(verification).attempts[0].reference
    form = {"CallUUID": reference, "From": "1", "To": "2"}
    other = form | {"CallUUID": "another call", "Digits": "1"}
    assert spoken not in post(at, path(at, attempt, "digits"), other).text
    prompt = post(at, path(at, attempt, "answer"), form)
    assert prompt.headers["content-type"].startswith("application/xml")
    assert spoken not in prompt.text
    assert spoken not in post(at, path(at, attempt, "digits"), form | {"Digits": "2"}).text
    read_out = post(at, path(at, attempt, "digits"), form | {"Digits": "1"})
    assert read_out.text.count(spoken) == 3
    ended = form | {"HangupCauseCode": "4000"}
    assert post(at, path(at, attempt, "hangup"), ended).status_code == 204
    again = post(at, path(at, attempt, "digits"), form | {"Digits": "1"})
    assert spoken not in again.text
    at.services.verifications.cancel(verification)
    for route in ("answer", "digits"):
        assert spoken not in post(at, path(at, attempt, route), form | {"Digits": "1"}).text


def test_a_callback_is_shown_without_token_number_and_code(at: World, attempt: str) -> None:
    form = DELIVERED | {"From": "14155550100", "To": "14155551234"}
    post(at, path(at, attempt), form)
    exchange = at.services.exchanges.of(attempt.partition("-")[0])[-1]
    assert exchange.url == f"/plivo/message/{DOTS}"
    assert exchange.sent["To"] == "141••••••34"
    assert exchange.status == 204
