"""Routes outside the REST API answer 503 with cause and remedy while Redis refuses commands."""

from collections.abc import Iterator

import httpx
import pytest

from tests.store.test_faults import Room, healthy, product, without
from tests.web.test_plivo import DELIVERED, ROUTES, path, post
from tests.world import until

CAUSE = "Redis does not allow this user what the product needs."
#: Rights that are taken from the product's user of Redis.
RIGHTS = {"no commands": "nocommands", "no keys": "resetkeys"}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with product(tmp_path_factory.mktemp("outage")) as started:
        yield started


@pytest.fixture(params=RIGHTS)
def refusing(room: Room, request: pytest.FixtureRequest) -> Iterator[tuple[Room, str]]:
    """A product with one attempt, whose Redis then refuses; and the id of the attempt."""
    until(lambda: healthy(room))
    verification = room.at.started(room.at.number("0700"))
    with without(room, RIGHTS[request.param]):
        yield room, f"{verification}-1"


def assert_outage(answer: httpx.Response, retry_after: str) -> None:
    assert answer.status_code == 503, answer.text
    assert CAUSE in answer.text
    assert "core/store/README.md" in answer.text
    assert answer.headers["retry-after"] == retry_after


def test_callbacks_are_not_acknowledged_and_plivo_repeats_them(
    refusing: tuple[Room, str],
) -> None:
    room, attempt = refusing
    form = DELIVERED | {"CallUUID": "u-1", "Digits": "1", "HangupCauseCode": "4000"}
    for route in ROUTES:
        address = path(room.at, attempt, route)
        assert_outage(post(room.at, address, form), "60")
        # Malformed, forged and unreadable callbacks cannot be counted either.
        assert_outage(post(room.at, address, {}), "60")
        assert_outage(room.at.http.post(address, data=form), "60")
        assert_outage(room.at.http.post(address, content=b"Status=%FF"), "60")


def test_the_seed_routes_say_why_they_cannot_serve(refusing: tuple[Room, str]) -> None:
    room, _ = refusing
    number = room.at.number()
    for address in (f"/verify/{number}", f"/verify_voice/{number}", f"/checkcode/{number}/123456"):
        answer = room.at.http.get(address)
        assert_outage(answer, "5")
        assert answer.json()["status"] == "failed"
    assert room.at.handset(number)["messages"] == []


@pytest.mark.parametrize("token", ["pv_wrong", None])
def test_metrics_say_why_they_cannot_be_read(refusing: tuple[Room, str], token: str | None) -> None:
    room, _ = refusing
    # The first needs Redis to be recognised, the other to be served.
    bearer = token or room.at.services.tokens.sandbox_token
    room.at.clock.advance(5)
    headers = {"Authorization": f"Bearer {bearer}"}
    assert_outage(room.at.http.get("/metrics", headers=headers), "5")
