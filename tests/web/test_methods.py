"""Every route beside the pages answers 405 to a method that it does not serve."""

import pytest

from tests.world import World

ROUTES = [
    ("/plivo/message/token", "GET, POST"),
    ("/plivo/hangup/token", "GET, POST"),
    ("/verify/+14155550123", "GET"),
    ("/verify_voice/+14155550123", "GET"),
    ("/checkcode/+14155550123/123456", "GET"),
    ("/metrics", "GET, HEAD"),
    ("/admin/sign-in", "POST"),
    ("/admin/sign-out", "POST"),
    ("/admin/sign-out-everywhere", "POST"),
    ("/invite/token", "GET, HEAD"),
    ("/sandbox/state", "DELETE"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]


@pytest.mark.parametrize(("path", "allowed"), ROUTES)
def test_a_method_that_is_not_served_gets_405_and_the_allowed_ones(
    at: World, path: str, allowed: str
) -> None:
    for method in METHODS:
        if method in allowed.split(", "):
            continue
        answer = at.http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), method
        assert answer.headers["cache-control"] == "no-store"
