"""The seed's own routes: the documented JSON and statuses, the guard when live, silent logs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from core.access.tokens import Scope, Tokens
from core.ledger.explorer import AttemptFilter
from core.model.way import Way
from core.settings.settings import SANDBOX_PHLO_ID
from core.web.access_log import redacted
from core.web.seed import routes
from tests.world import PATIENCE_SECONDS, World, served, until

SUCCESS = {"status": "success", "message": "verification initiated"}
MATCH = {"status": "success", "message": "codes match, number verified"}
MISMATCH = {"status": "rejected", "message": "codes do not match, number not verified"}
UNKNOWN = {"status": "failed", "message": "number not found"}


def newest(at: World, number: str) -> str:
    index = at.services.keyring.number_index(number)
    return at.services.ledger.newest_of_numbers([index])[index].rpartition("-")[0]


@contextmanager
def serving(at: World, **changed: object) -> Iterator[httpx.Client]:
    """The routes alone, with other settings."""
    settings = at.services.settings.model_copy(update=changed)
    tokens = Tokens(
        at.services.client, at.services.keys, at.services.keyring, at.clock, in_sandbox=False
    )
    services = replace(at.services, settings=settings, tokens=tokens)
    app = Starlette(routes=routes(lambda: services))
    with served(app) as address, httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as http:
        yield http


def live(**more: object) -> dict[str, object]:
    return {
        "plivo_auth_id": "MATESTTESTTESTTESTTE",
        "plivo_mode": "live",
        **more,
    }


def test_a_message_is_sent_and_its_code_checked(at: World) -> None:
    number = at.number()
    sent = at.http.get(f"/verify/{number}")
    assert (sent.status_code, sent.json()) == (200, SUCCESS)
    code = at.code(newest(at, number))
    assert code in at.message(number)
    wrong = at.http.get(f"/checkcode/{number}/{at.wrong_code(newest(at, number))}")
    assert (wrong.status_code, wrong.json()) == (404, MISMATCH)
    right = at.http.get(f"/checkcode/{number}/{code}")
    assert (right.status_code, right.json()) == (200, MATCH)
    again = at.http.get(f"/checkcode/{number}/{code}")
    assert (again.status_code, again.json()) == (404, MISMATCH)


def test_a_number_may_come_without_its_plus(at: World) -> None:
    number = at.number()
    assert at.http.get(f"/verify/{number[1:]}").json() == SUCCESS
    right = at.http.get(f"/checkcode/{number[1:]}/{at.code(newest(at, number))}")
    assert right.json() == MATCH


def test_a_call_is_placed(at: World) -> None:
    number = at.number()
    assert at.http.get(f"/verify_voice/{number}").json() == SUCCESS
    at.call(number, "ringing")
    assert at.look(newest(at, number)).verification.way is Way.VOICE


@pytest.mark.parametrize(
    ("path", "way"), [("verify", Way.PHLO_SMS), ("verify_voice", Way.PHLO_CALL)]
)
def test_a_configured_phlo_is_run_for_both(at: World, path: str, way: Way) -> None:
    number = at.number()
    with serving(at, phlo_id=SANDBOX_PHLO_ID) as http:
        assert http.get(f"/{path}/{number}").json() == SUCCESS
    verification = at.look(newest(at, number)).verification
    assert verification.way is way


@pytest.mark.parametrize("number", ["+1", "nonsense", "+18005550123", "%F0%9F%93%9E", "+"])
def test_text_that_is_not_a_number_is_not_sent_to_and_not_found(at: World, number: str) -> None:
    sent = at.http.get(f"/verify/{number}")
    assert (sent.status_code, sent.text) == (400, "Error encountered")
    checked = at.http.get(f"/checkcode/{number}/123456")
    assert (checked.status_code, checked.json()) == (500, UNKNOWN)


def test_a_send_that_a_budget_refuses_says_when_to_come_back(at: World) -> None:
    number = at.number()
    for _ in range(at.services.settings.sends_per_10_minutes):
        assert at.http.get(f"/verify/{number}").status_code == 200
    # 599.4 seconds are left of the budget's ten minutes.
    at.clock.advance(0.6)
    refused = at.http.get(f"/verify/{number}")
    assert (refused.status_code, refused.text) == (400, "Error encountered")
    seconds = int(refused.headers["retry-after"])
    assert 0 < seconds <= 600
    at.clock.advance(seconds)
    assert at.http.get(f"/verify/{number}").status_code == 200


def test_a_number_without_a_verification_is_not_found(at: World) -> None:
    answer = at.http.get(f"/checkcode/{at.number()}/123456")
    assert (answer.status_code, answer.json()) == (500, UNKNOWN)


def test_an_expired_code_is_not_found_as_in_the_seed(at: World) -> None:
    number = at.number()
    at.http.get(f"/verify/{number}")
    code = at.code(newest(at, number))
    at.clock.advance(at.services.settings.lifetime_seconds + 1)
    assert at.http.get(f"/checkcode/{number}/{code}").json() == UNKNOWN


@pytest.mark.parametrize("code", ["12", "abcdef", "1234567", "%00"])
def test_text_that_is_not_a_code_is_rejected_and_not_counted(at: World, code: str) -> None:
    number = at.number()
    at.http.get(f"/verify/{number}")
    answer = at.http.get(f"/checkcode/{number}/{code}")
    assert (answer.status_code, answer.json()) == (404, MISMATCH)
    left = at.look(newest(at, number)).verification.checks_left
    assert left == at.services.settings.checks_per_verification


@pytest.mark.parametrize("zero", ["٠", "۰", "०", "０"])
def test_a_code_in_other_digits_with_separators_is_the_same_code(at: World, zero: str) -> None:
    number = at.number()
    at.http.get(f"/verify/{number}")
    code = "".join(chr(ord(zero) + int(digit)) for digit in at.code(newest(at, number)))
    answer = at.http.get(f"/checkcode/{number}/\u2066{code[:3]} {code[3:]}\u2069")
    assert (answer.status_code, answer.json()) == (200, MATCH)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
def test_no_other_method_sends(at: World, method: str) -> None:
    number = at.number()
    assert at.http.request(method, f"/verify/{number}").status_code == 405
    assert at.handset(number)["messages"] == []


def test_live_the_routes_are_off_by_default(at: World) -> None:
    number = at.number()
    with serving(at, **live()) as http:
        answer = http.get(f"/verify/{number}")
    assert (answer.status_code, "SEED_API" in answer.text) == (404, True)
    assert at.handset(number)["messages"] == []


def test_live_the_routes_need_a_token_with_the_scope_verify(at: World) -> None:
    number = at.number()
    tokens = at.services.tokens
    verify = tokens.make("verify", frozenset({Scope.VERIFY}))
    read = tokens.make("read", frozenset({Scope.READ}))
    assert tokens.sandbox_token is not None
    with serving(at, **live(seed_api=True)) as http:

        def status(token: str | None) -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return http.get(f"/checkcode/{number}/123456", headers=headers).status_code

        assert status(None) == 401
        assert status("pv_wrong") == 401
        assert status(tokens.sandbox_token) == 401
        assert status(read) == 403
        assert status(verify) == 500


def test_browsers_keep_no_answer(at: World) -> None:
    for path in (f"/verify/{at.number()}", f"/checkcode/{at.number()}/1", "/verify/x"):
        assert at.http.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/checkcode/+14155550123/123456", "/checkcode/…/…"),
        ("/verify/14155550123?code=123456", "/verify/…"),
        ("/plivo/message/abc-1.SIGNATURE", "/plivo/message/…"),
        ("/live/abcdefghijklmnopqrstuvwx", "/live/…"),
        ("/api/v1/verifications", "/api/v1/verifications"),
        ("/", "/"),
        ("/delivery?find=123456", "/delivery"),
    ],
)
def test_the_access_log_names_routes_only(path: str, line: str) -> None:
    assert redacted(path) == line


def test_a_line_of_the_access_log_holds_neither_number_nor_code(
    at: World, caplog: pytest.LogCaptureFixture
) -> None:
    line = '%s - "%s %s HTTP/%s" %d'
    logger = logging.getLogger("uvicorn.access")
    with caplog.at_level(logging.INFO, logger.name):
        logger.info(line, "127.0.0.1:1", "GET", "/checkcode/+14155550123/123456", "1.1", 404)
    assert "/checkcode/…/…" in caplog.text
    assert "123456" not in caplog.text
    assert "4155550123" not in caplog.text


def test_a_websocket_to_such_an_address_is_logged_without_it(
    at: World, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("uvicorn.error")
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    # The server's own log goes no further up.
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO, logger.name):
            answer = at.http.get("/checkcode/+14155550123/123456?code=123456", headers=upgrade)
            assert answer.status_code == 403
            until(lambda: "WebSocket" in caplog.text)
    finally:
        logger.removeHandler(caplog.handler)
    assert '"WebSocket /checkcode/…/…"' in caplog.text
    assert "123456" not in caplog.text
    assert "4155550123" not in caplog.text


@pytest.mark.parametrize("number", ["01701234567", "+43664123456Max", "49 170 1234567"])
def test_a_number_that_would_have_to_be_guessed_is_not_sent_to(at: World, number: str) -> None:
    attempts = len(at.services.explorer.page(AttemptFilter("", "", "", ""), None, 200).attempts)
    answer = at.http.get(f"/verify/{number}")
    assert (answer.status_code, answer.text) == (400, "Error encountered")
    assert (
        len(at.services.explorer.page(AttemptFilter("", "", "", ""), None, 200).attempts)
        == attempts
    )


@pytest.mark.parametrize("number", ["4930901820", "+4930901820", "004930901820", "+49(0)30901820"])
def test_every_form_of_a_full_number_is_checked_as_it_was_sent_to(at: World, number: str) -> None:
    assert at.http.get(f"/verify_voice/{number}").json() == SUCCESS
    code = at.code(newest(at, "+4930901820"))
    assert at.http.get(f"/checkcode/+4930901820/{code}").json() == MATCH
