"""The routes that set and remove the operator's cookie, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from core.access.password import COOKIE, Gate
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
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert access_of(at).gate(answer.cookies[COOKIE]) is Gate.SIGNED_IN


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
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.parametrize("path", ["/admin/sign-in", "/admin/sign-out"])
def test_a_form_of_another_site_is_refused(
    http: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    answer = http.post(path, data={"password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_routes_take_forms_only_and_short_ones(http: httpx.Client) -> None:
    assert http.get("/admin/sign-in").status_code == 405
    assert http.post("/admin/sign-in", data={"password": "x" * 9000}).status_code == 413


def test_a_form_that_hides_its_length_is_not_read(http: httpx.Client) -> None:
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
