"""A Plivo that accepts connections and never answers delays only sends."""

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis

from core.model.verification import SendOutcome
from core.model.way import Way
from core.verification.send_slots import SENDS_AT_ONCE
from tests.plivo.scripted import ACCEPTED, AUTH_ID, AUTH_TOKEN, Answer, Scripted, scripted
from tests.web.test_live import hear, window
from tests.web.test_plivo import path, post
from tests.world import MovableClock, World, until, world

#: Longer than a test takes: a request stays unanswered until the test ends it.
PATIENCE_SECONDS = 60.0


@dataclass
class Silent:
    """A product whose Plivo is silent, and the sends that wait for it."""

    at: World
    plivo: Scripted
    sends: list[Future[httpx.Response]]
    verification: str
    headers: dict[str, str]

    def assert_sends_wait(self) -> None:
        assert not any(send.done() for send in self.sends)

    def start(self, number: str) -> httpx.Response:
        return self.at.http.post(
            "/api/v1/verifications", json={"number": number}, headers=self.headers
        )


@pytest.fixture
def silent(tmp_path: Path, redis_url: str, client: redis.Redis) -> Iterator[Silent]:
    """All send slots are taken, by sends over REST."""
    speaks = threading.Event()
    with (
        scripted() as plivo,
        world(
            tmp_path,
            redis_url,
            MovableClock(),
            plivo_mode="sandbox",
            plivo_auth_id=AUTH_ID,
            plivo_auth_token=AUTH_TOKEN,
            sandbox_url=plivo.url,
            plivo_read_seconds=PATIENCE_SECONDS,
        ) as at,
        httpx.Client(
            base_url=at.address,
            timeout=PATIENCE_SECONDS,
            limits=httpx.Limits(max_connections=SENDS_AT_ONCE),
        ) as http,
        ThreadPoolExecutor(SENDS_AT_ONCE) as threads,
    ):
        headers = {"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}
        product = Silent(at, plivo, [], at.started(at.number()), headers)
        plivo.requests.clear()
        plivo.answer_with(Answer(held=speaks, body=ACCEPTED.body))
        try:
            product.sends += [
                threads.submit(
                    http.post,
                    "/api/v1/verifications",
                    json={"number": at.number()},
                    headers=headers,
                )
                for _ in range(SENDS_AT_ONCE)
            ]
            until(lambda: len(plivo.sent) == SENDS_AT_ONCE)
            yield product
        finally:
            speaks.set()


def test_nothing_else_waits_behind_a_send(silent: Silent) -> None:
    at, verification = silent.at, silent.verification
    number = at.look(verification).verification.to.e164
    callback = {"MessageUUID": "u-1", "Status": "delivered", "From": "1", "To": "2"}
    assert post(at, path(at, f"{verification}-1"), callback).status_code == 204
    rest = f"/api/v1/verifications/{verification}"
    answers = [
        at.http.get("/api/v1/health"),
        at.http.get(rest, headers=silent.headers),
        at.http.get("/api/v1/attempts", headers=silent.headers),
        at.http.get("/api/v1/delivery/totals", headers=silent.headers),
        at.http.get("/metrics", headers=silent.headers),
        at.http.post(f"{rest}/checks", json={"code": "x"}, headers=silent.headers),
        at.http.get(f"/checkcode/{number}/{at.wrong_code(verification)}"),
        at.http.post(
            f"{rest}/checks", json={"code": at.code(verification)}, headers=silent.headers
        ),
    ]
    silent.assert_sends_wait()
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 422, 404, 200]
    assert answers[-1].json()["outcome"] == "approved"
    with window(at, f"/live/{verification}") as socket:
        assert hear(socket) == "changed"
    silent.assert_sends_wait()


def test_a_send_without_a_free_slot_is_refused_and_writes_nothing_until_a_slot_is_free(
    silent: Silent, client: redis.Redis
) -> None:
    at, number = silent.at, silent.at.number()

    def keys() -> set[str]:
        # Not those that the thread of the alerts writes once a minute.
        return {key for key in client.scan_iter(count=10_000) if ":alert_" not in key}

    before = keys()
    refused = silent.start(number)
    resent = at.http.post(
        f"/api/v1/verifications/{silent.verification}/resend",
        json={"seen": 1, "call": True},
        headers=silent.headers,
    )
    for answer in (refused, resent):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.json()["code"] == "sends_busy"
    for route in ("verify", "verify_voice"):
        seed = at.http.get(f"/{route}/{number}")
        assert (seed.status_code, seed.headers["Retry-After"]) == (503, "5")
        assert seed.json()["status"] == "failed"
    # A page asks the service itself.
    result = at.start(number, Way.SMS)
    assert result.outcome is SendOutcome.BUSY
    assert result.cause
    assert result.remedy == "Try again in 5 seconds."
    assert keys() == before
    assert len(silent.plivo.sent) == SENDS_AT_ONCE
    silent.assert_sends_wait()
    held = silent.plivo.answer(silent.plivo.sent[0]).held
    assert held is not None
    silent.plivo.answer_with(ACCEPTED)
    held.set()
    wait(silent.sends, PATIENCE_SECONDS, FIRST_COMPLETED)
    assert until(lambda: silent.start(number).status_code == 201)
    assert {send.result().status_code for send in silent.sends} == {201}
