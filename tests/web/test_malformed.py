"""Malformed requests get an answer that names the mistake, never a 500 and never the page."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from core.panels.api import base_address
from core.plivo.callback_address import CallbackAddress
from core.sandbox.on_demand import OnDemandSandbox
from core.web.app import Web
from tests.web.test_plivo import ROUTES
from tests.web.test_plivo import path as callback_path
from tests.world import PATIENCE_SECONDS, World, served

MALFORMED = ["http://[", "http://[::1", "http://]", "http://a[b]c", "//[", "[", "null", ""]
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def rest(at: World) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}
    with httpx.Client(base_url=at.address, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.mark.parametrize("origin", MALFORMED)
@pytest.mark.parametrize("route", ["sign-in", "sign-out"])
def test_a_malformed_origin_is_another_site(at: World, route: str, origin: str) -> None:
    answer = at.http.post(f"/admin/{route}", data={"password": "x"}, headers={"Origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "a:port", "]"])
def test_a_malformed_host_breaks_no_route(at: World, rest: httpx.Client, host: str) -> None:
    headers = {"Host": host}
    attempt = f"{at.started(at.number())}-1"
    for name in ROUTES:
        path = callback_path(at, attempt, name)
        assert at.http.post(f"{path}?a=b", headers=headers).status_code == 403
    number = at.number()
    for route in ("verify", "verify_voice"):
        assert at.http.get(f"/{route}/{number}", headers=headers).status_code in {200, 400}
    for route in ("/api/v1/health", "/metrics", f"/sandbox/handset/{number}"):
        assert rest.get(route, headers=headers).status_code == 200
    started = rest.post("/api/v1/verifications", json={"number": at.number()}, headers=headers)
    assert started.headers["Location"].startswith("/api/v1/verifications/")
    assert at.http.post("/admin/sign-out", headers=headers).status_code == 303
    assert at.http.post("/admin/sign-in", data={}, headers=headers).status_code == 303


@pytest.mark.parametrize("seen", MALFORMED)
def test_the_api_page_shows_an_address_whatever_the_browser_calls_its_own(seen: str) -> None:
    assert base_address(seen, None).startswith("http://")


@pytest.mark.parametrize("inserted", ["%0A", "%0D%0A", "%0Ax", "x%0Ay", "%00", "%E2%80%A8"])
def test_a_newline_in_a_path_of_the_api_is_a_problem_document(
    at: World, rest: httpx.Client, inserted: str
) -> None:
    verification = at.started(at.number())
    for path in (
        f"/verifications/{verification}{inserted}",
        f"/verifications/{inserted}{verification}",
        f"/attempts/{verification}-1{inserted}",
        f"/nothing{inserted}",
        f"/{inserted}/nothing",
    ):
        answer = rest.get(f"/api/v1{path}")
        assert answer.status_code in {404, 422}, path
        assert answer.headers["content-type"] == "application/problem+json"
    for action in ("checks", "resend", "cancel"):
        answer = rest.post(f"/api/v1/verifications/{verification}{inserted}/{action}", json={})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    sandbox = at.http.get(f"/sandbox/v1/nothing{inserted}")
    assert (sandbox.status_code, sandbox.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_a_missing_or_wrong_content_type_is_named(
    rest: httpx.Client, headers: dict[str, str]
) -> None:
    for path in ("verifications", "attempts/search"):
        answer = rest.post(
            f"/api/v1/{path}", content=b'{"number": "+14155550123"}', headers=headers
        )
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {
                "where": "header.Content-Type",
                "message": "Send the body as Content-Type: application/json.",
            }
        ]


def test_a_missing_body_is_not_blamed_on_its_content_type(rest: httpx.Client) -> None:
    answer = rest.post("/api/v1/verifications")
    assert [error["where"] for error in answer.json()["errors"]] == ["body"]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"[" * 100_000, {413}),
        (b'{"a":' * 100_000, {413}),
        (b" " * 30_000_000, {413}),
        (b"[" * 15_000, {422}),
        (b'{"a":' * 3_000, {422}),
        (b'{"number": "\\ud83d"}', {422}),
        (b'{"\\ud83d": 1}', {422}),
        (b'{"number": "\xed\xa0\xbd"}', {422}),
        (b'{"number": "\xff"}', {422}),
        (b"\xff\xfe", {422}),
        (b'{"number": ' + b"1" * 5000 + b"}", {422}),
        (b'{"number": NaN}', {422}),
    ],
)
def test_a_body_that_is_no_request_is_a_problem_document(
    at: World, rest: httpx.Client, body: bytes, statuses: set[int]
) -> None:
    verification = at.started(at.number())
    for path in ("verifications", "attempts/search", f"verifications/{verification}/checks"):
        answer = rest.post(
            f"/api/v1/{path}", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in statuses, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_address_is_learned_from_a_websocket(at: World) -> None:
    learned = CallbackAddress(None, local_allowed=True)
    services = replace(at.services, address=learned)

    def no_sandbox(of: object) -> OnDemandSandbox:
        raise AssertionError

    app = Starlette(
        routes=[Route("/", lambda request: PlainTextResponse("page"))],
        middleware=[Middleware(Web(lambda: services, no_sandbox).middleware)],
    )
    with served(app) as own:
        assert httpx.get(f"{own}/_stcore/stream", headers=UPGRADE).status_code == 403
        assert learned.base == own
