"""Tokens, scopes and the limit of requests of the REST API."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import redis

from core.access.tokens import Scope
from tests.web.rest.test_verifications import problem
from tests.world import FrozenClock, MovableClock, World, world

ROUTES = [
    ("POST", "/verifications", Scope.VERIFY),
    ("GET", f"/verifications/{'a' * 24}", Scope.VERIFY),
    ("POST", f"/verifications/{'a' * 24}/checks", Scope.VERIFY),
    ("POST", f"/verifications/{'a' * 24}/resend", Scope.VERIFY),
    ("POST", f"/verifications/{'a' * 24}/cancel", Scope.VERIFY),
    ("GET", "/delivery/totals", Scope.READ),
    ("GET", "/delivery/over-time", Scope.READ),
    ("GET", "/delivery/channels", Scope.READ),
    ("GET", "/delivery/countries", Scope.READ),
    ("GET", "/delivery/errors", Scope.READ),
    ("GET", "/delivery/latency", Scope.READ),
    ("GET", "/delivery/alerts", Scope.READ),
    ("GET", "/delivery/verdict", Scope.READ),
    ("GET", "/alerts/history", Scope.READ),
    ("GET", "/alerts/snoozes", Scope.READ),
    ("POST", "/alerts/snooze", Scope.ADMIN),
    ("POST", "/alerts/snooze/end", Scope.ADMIN),
    ("POST", "/alerts/test", Scope.ADMIN),
    ("GET", "/attempts", Scope.READ),
    ("POST", "/attempts/search", Scope.READ),
    ("GET", f"/attempts/{'a' * 24}-1", Scope.READ),
]


def send_request(at: World, method: str, path: str, token: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return httpx.request(method, f"{at.address}/api/v1{path}", headers=headers)


def test_the_list_of_routes_here_is_complete(rest: httpx.Client) -> None:
    documented = {
        (method.upper(), path)
        for path, methods in rest.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    listed = {(method, path.split("/")[1]) for method, path, _ in ROUTES} | {("GET", "health")}
    assert {(method, path.split("/")[1]) for method, path in documented} == listed
    assert len(documented) == len(ROUTES) + 1


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_every_route_needs_a_token_with_its_scope(
    at: World, method: str, path: str, scope: Scope
) -> None:
    anonymous = send_request(at, method, path, None)
    assert problem(anonymous) == (401, "unauthenticated")
    assert anonymous.headers["www-authenticate"] == "Bearer"
    assert problem(send_request(at, method, path, "pv_wrong")) == (401, "unauthenticated")
    other = min({Scope.VERIFY, Scope.READ} - {scope})
    token = at.services.tokens.make("narrow", frozenset({other}))
    at.clock.advance(timedelta(seconds=3))
    refused = send_request(at, method, path, token)
    assert problem(refused) == (403, "insufficient_scope")
    assert f'scope="{scope}"' in refused.headers["www-authenticate"]


def test_a_revoked_token_is_not_valid(at: World) -> None:
    token = at.services.tokens.make("short", frozenset({Scope.READ}))
    at.clock.advance(timedelta(seconds=3))
    assert send_request(at, "GET", "/delivery/totals", token).status_code == 200
    at.services.tokens.revoke("short")
    at.clock.advance(timedelta(seconds=3))
    assert problem(send_request(at, "GET", "/delivery/totals", token)) == (401, "unauthenticated")


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_trailing_slash_is_not_redirected(
    at: World, method: str, path: str, scope: Scope
) -> None:
    answer = send_request(at, method, f"{path}/", at.services.tokens.sandbox_token)
    assert problem(answer) in {(404, "not_found"), (405, "method_not_allowed")}
    assert "location" not in answer.headers


def test_health_needs_no_token(at: World) -> None:
    answer = send_request(at, "GET", "/health", None)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_token_has_a_limited_number_of_requests_a_minute(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    clock = FrozenClock()
    clock.advance(60 - clock.now().second)
    with world(tmp_path, redis_url, clock, api_requests_per_minute=3) as at:
        token = at.services.tokens.sandbox_token
        answers = [send_request(at, "GET", "/delivery/totals", token) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == list("21000")
        assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
        assert answers[0].headers["ratelimit-policy"] == "3;w=60"
        assert problem(answers[3]) == (429, "too_many_requests")
        assert answers[3].headers["retry-after"] == answers[3].headers["ratelimit-reset"] == "60"
        other = at.services.tokens.make("other", frozenset({Scope.READ}))
        clock.advance(3)
        assert send_request(at, "GET", "/delivery/totals", other).status_code == 200
        clock.advance(57)
        assert send_request(at, "GET", "/delivery/totals", token).status_code == 200


def test_without_redis_every_route_says_so(tmp_path: Path) -> None:
    with world(tmp_path, None, MovableClock()) as at:
        token = at.services.tokens.sandbox_token
        # The socket is removed, so that connecting fails at once.
        at.services.connection.close()
        (tmp_path / "redis" / "redis.sock").unlink(missing_ok=True)
        for method, path, _ in ROUTES:
            answer = send_request(at, method, path, token)
            assert problem(answer) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "5"
        assert problem(send_request(at, "GET", "/health", None)) == (503, "store_unavailable")
