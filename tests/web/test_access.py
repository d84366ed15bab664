"""The routes that set and remove the operator's cookie, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from core.access.password import COOKIE, DEVICE_COOKIE, MAX_TRIES, AccessState
from core.web.access import routes
from tests.access.test_password import PASSWORD, access_of
from tests.world import World, served


@pytest.fixture
def http(at: World) -> Iterator[httpx.Client]:
    live = replace(at.services, access=access_of(at))
    with (
        served(Starlette(routes=routes(lambda: live))) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


def test_the_right_password_sets_a_cookie_that_scripts_cannot_read(
    at: World, http: httpx.Client
) -> None:
    answer = http.post("/admin/sign-in", data={"password": PASSWORD, "next": "/attempts"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/attempts")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert access_of(at).gate(answer.cookies[COOKIE]) is AccessState.SIGNED_IN


def test_a_wrong_password_sets_none_and_goes_back_to_the_form(http: httpx.Client) -> None:
    answer = http.post("/admin/sign-in", data={"password": "wrong", "next": "/delivery"})
    assert answer.headers["location"] == "/delivery?sign-in=wrong"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil",
        "javascript:x",
        "/%2f%2fevil",
        "/a?b\\c",
        "/a?b\r\nSet-Cookie: x",
        "/a#b",
        "/a//evil",
        "/a/../b",
        "",
    ],
)
def test_no_form_leads_to_another_site(http: httpx.Client, page: str) -> None:
    answer = http.post("/admin/sign-in", data={"password": PASSWORD, "next": page})
    assert answer.headers["location"] == "/delivery"


@pytest.mark.parametrize(
    "page", ["/", "/attempts?attempt=abc-1", "/delivery?country=NG&from=2026-11-01T10%3A00&x=a+b"]
)
def test_signing_in_comes_back_to_the_address_with_its_query(http: httpx.Client, page: str) -> None:
    wrong = http.post("/admin/sign-in", data={"password": "wrong", "next": page})
    more = "&" if "?" in page else "?"
    assert wrong.headers["location"] == f"{page}{more}sign-in=wrong"
    right = http.post("/admin/sign-in", data={"password": PASSWORD, "next": page})
    assert right.headers["location"] == page


def test_signing_out_ends_the_session_and_everywhere_ends_all(
    at: World, http: httpx.Client
) -> None:
    def signed_in() -> str:
        return str(http.post("/admin/sign-in", data={"password": PASSWORD}).cookies[COOKIE])

    first, second, third = signed_in(), signed_in(), signed_in()
    http.cookies.clear()
    http.post("/admin/sign-out", headers={"Cookie": f"{COOKIE}={first}"})
    assert [access_of(at).gate(c) for c in (first, second)] == [
        AccessState.CLOSED,
        AccessState.SIGNED_IN,
    ]
    http.post("/admin/sign-out-everywhere", headers={"Cookie": f"{COOKIE}={first}"})
    assert access_of(at).gate(second) is AccessState.SIGNED_IN
    http.post("/admin/sign-out-everywhere", headers={"Cookie": f"{COOKIE}={second}"})
    assert {access_of(at).gate(c) for c in (first, second, third)} == {AccessState.CLOSED}


def test_a_browser_that_signed_in_may_try_after_others_used_up_the_tries(
    at: World, http: httpx.Client
) -> None:
    http.post("/admin/sign-in", data={"password": PASSWORD})
    device = http.cookies[DEVICE_COOKIE]
    http.cookies.clear()
    for _ in range(MAX_TRIES + 1):
        last = http.post("/admin/sign-in", data={"password": "wrong"})
    assert last.headers["location"].endswith("sign-in=wait")
    own = {"Cookie": f"{DEVICE_COOKIE}={device}"}
    again = http.post("/admin/sign-in", data={"password": PASSWORD}, headers=own)
    assert COOKIE in again.cookies


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.parametrize(
    "path", ["/admin/sign-in", "/admin/sign-out", "/admin/sign-out-everywhere"]
)
def test_a_form_of_another_site_is_refused(
    http: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    answer = http.post(path, data={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_routes_accept_only_short_forms(http: httpx.Client) -> None:
    assert http.get("/admin/sign-in").status_code == 405
    assert http.post("/admin/sign-in", data={"password": "x" * 9000}).status_code == 413


def test_a_form_without_a_length_is_not_read(http: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b"password="
        while sent < 4 << 20:
            sent += 65_536
            yield b"x" * 65_536

    with http.stream(
        "POST",
        "/admin/sign-in",
        content=endless(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ) as answer:
        assert answer.status_code == 411


def test_signing_out_removes_the_cookie(http: httpx.Client) -> None:
    answer = http.post("/admin/sign-out")
    assert answer.status_code == 303
    assert "max-age=0" in answer.headers["set-cookie"].lower()
