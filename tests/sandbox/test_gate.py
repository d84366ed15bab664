"""Credentials, rate limits, and unknown paths."""

from pathlib import Path

import pytest

from core.sandbox.app import Sandbox

from .support import AUTH_ID, AUTH_TOKEN, SENDER, Api, number, sandbox_on

GUARDED = [
    ("GET", f"/v1/Account/{AUTH_ID}/"),
    ("GET", f"/v1/Account/{AUTH_ID}/Message/"),
    ("POST", f"/v1/Account/{AUTH_ID}/Message/"),
    ("GET", f"/v1/Account/{AUTH_ID}/Message/x/"),
    ("GET", f"/v1/Account/{AUTH_ID}/Call/"),
    ("POST", f"/v1/Account/{AUTH_ID}/Call/"),
    ("GET", f"/v1/Account/{AUTH_ID}/Call/x/"),
    ("DELETE", f"/v1/Account/{AUTH_ID}/Call/x/"),
    ("GET", f"/v1/Account/{AUTH_ID}/Pricing/"),
    ("GET", "/v1/phlo/x/"),
    ("POST", f"/v1/account/{AUTH_ID}/phlo/x/"),
    ("GET", "/v1/Number/14155550123"),
    ("GET", "/v1/sandbox/callbacks"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("auth", [None, (AUTH_ID, "wrong"), ("MA" + "X" * 18, AUTH_TOKEN)])
def test_every_api_route_needs_the_credentials(
    api: Api, method: str, path: str, auth: tuple[str, str] | None
) -> None:
    answer = api.http.request(method, path, auth=auth)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")
    assert len(answer.text.splitlines()) == 2


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Bearer x", "Basic w6nDqQ=="])
def test_a_broken_authorization_is_401(api: Api, header: str) -> None:
    answer = api.http.get(api.account + "/", headers={"Authorization": header}, auth=None)
    assert answer.status_code == 401


def test_another_account_cannot_be_read(api: Api) -> None:
    assert api.http.get(f"/v1/Account/MA{'X' * 18}/Message/").status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/v1/Account/x/Nothing/", f"/v1/Account/{AUTH_ID}/Messages/"]
)
def test_every_unknown_path_is_404_in_json(api: Api, path: str) -> None:
    for prefix in ("", "/sandbox"):
        answer = api.http.get(prefix + path)
        assert answer.status_code == 404
        assert set(answer.json()) == {"api_id", "error"}


def test_a_wrong_method_is_405_in_json(api: Api) -> None:
    answer = api.http.put(api.account + "/Message/")
    assert answer.status_code == 405
    assert set(answer.json()) == {"api_id", "error"}


def test_paths_are_served_with_and_without_the_prefix(api: Api) -> None:
    assert api.http.get("/sandbox" + api.account + "/").status_code == 200
    assert api.http.get(f"/sandbox/handset/{number('5555')}").status_code == 200


def test_more_than_20_lists_a_minute_are_too_many(tmp_path: Path) -> None:
    with sandbox_on(tmp_path, lists_per_minute=20) as api:
        statuses = [api.get("/Message/").status_code for _ in range(21)]
        assert statuses == [200] * 20 + [429]
        assert "too many requests" in api.get("/Call/").json()["error"]
        # The limit applies to lists only.
        api.settled(api.send(number("5555")))


def test_more_than_300_requests_in_5_seconds_are_too_many(tmp_path: Path) -> None:
    with sandbox_on(tmp_path, requests_per_5_seconds=30) as api:
        statuses = [api.get("/").status_code for _ in range(31)]
        assert statuses == [200] * 30 + [429]
        # The handset is not part of Plivo's API and has no limit.
        assert api.phone(number("5555")).look()["messages"] == []


def test_twenty_requests_are_within_plivos_limits(tmp_path: Path) -> None:
    with sandbox_on(tmp_path, requests_per_5_seconds=300, lists_per_minute=20) as api:
        assert 429 not in {api.get("/").status_code for _ in range(20)}


def test_every_answer_has_an_api_id_of_its_own(api: Api) -> None:
    ids = {api.get("/").json()["api_id"] for _ in range(3)}
    ids |= {api.post("/Message/", src=SENDER).json()["api_id"] for _ in range(3)}
    assert len(ids) == 6


@pytest.mark.parametrize("auth_id", ["", "MA1", "SA" + "X" * 18, "MA" + "x" * 18])
def test_an_invalid_auth_id_is_refused(tmp_path: Path, auth_id: str) -> None:
    with pytest.raises(ValueError, match="auth_id"):
        Sandbox(data=tmp_path, auth_id=auth_id, auth_token="x")
