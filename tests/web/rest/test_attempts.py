"""`/api/v1/attempts`: every attempt on one page or another, and all that was heard of one."""

import httpx
import pytest
import redis

from core.model.attempt import EventKind
from core.model.grant import OPERATOR
from core.model.way import Way
from tests.web.rest.test_verifications import problem, started
from tests.world import World, until


def test_pages_hold_every_attempt_once_newest_first(at: World, rest: httpx.Client) -> None:
    made = [started(rest, at.number())["attempts"][0]["id"] for _ in range(7)]
    found, params = [], {"limit": "3"}
    while True:
        page = rest.get("/attempts", params=params).json()
        assert len(page["attempts"]) <= 3
        found += [one["id"] for one in page["attempts"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert found == list(reversed(made))


def test_filters_leave_what_they_name(at: World, rest: httpx.Client) -> None:
    lost = started(rest, at.number("0030"))["attempts"][0]["id"]
    fine = started(rest, at.number())["attempts"][0]["id"]
    until(lambda: rest.get(f"/attempts/{lost}").json()["state"] == "undelivered")
    until(lambda: rest.get(f"/attempts/{fine}").json()["state"] == "delivered")
    for params, expected in (
        ({"state": "undelivered"}, [lost]),
        ({"error": "30"}, [lost]),
        ({"state": "delivered", "channel": "sms", "country": "US"}, [fine]),
        ({"channel": "voice"}, []),
    ):
        told = rest.get("/attempts", params=params).json()["attempts"]
        assert [one["id"] for one in told] == expected


def test_a_wrong_cursor_is_refused(rest: httpx.Client) -> None:
    answer = rest.get("/attempts", params={"cursor": "the second page"})
    assert problem(answer) == (422, "invalid_request")


def test_one_attempt_tells_all_that_was_heard_also_what_came_twice(
    at: World, rest: httpx.Client
) -> None:
    attempt = started(rest, at.number("0801"))["attempts"][0]["id"]
    path = f"/attempts/{attempt}"

    def repeated() -> bool:
        heard = rest.get(path).json()["heard"]
        return [one["kind"] for one in heard if one["outcome"] == "repeated"].count("delivered") > 0

    until(repeated)
    told = rest.get(path).json()
    assert told["heard"][0]["kind"] == EventKind.REQUESTED
    assert told["heard"][0]["source"] == "app"
    assert told["state"] == "delivered"


def test_attempts_are_found_by_number_and_by_every_id(at: World, rest: httpx.Client) -> None:
    number = at.number()
    made = started(rest, number)
    (attempt,) = made["attempts"]
    for sought in (
        {"number": number},
        {"id": made["id"]},
        {"id": attempt["id"]},
        {"id": attempt["reference"]},
    ):
        found = rest.post("/attempts/search", json=sought).json()["attempts"]
        assert [one["id"] for one in found] == [attempt["id"]]
    for unknown in ({"number": at.number()}, {"id": "nobody"}):
        assert rest.post("/attempts/search", json=unknown).json()["attempts"] == []


@pytest.mark.parametrize("body", [{}, {"number": "+14155550123", "id": "x"}, {"number": 5}])
def test_a_search_names_one_thing(rest: httpx.Client, body: dict[str, object]) -> None:
    assert problem(rest.post("/attempts/search", json=body)) == (422, "invalid_request")


def test_what_is_no_number_is_refused(rest: httpx.Client) -> None:
    answer = rest.post("/attempts/search", json={"number": "12345"})
    assert problem(answer) == (422, "number_refused")


def test_an_attempt_that_is_not_kept_is_not_found(rest: httpx.Client) -> None:
    assert problem(rest.get(f"/attempts/{'a' * 24}-1")) == (404, "not_found")


def test_a_record_that_cannot_be_read_is_counted_and_named_as_that(
    at: World, rest: httpx.Client, client: redis.Redis
) -> None:
    number = at.number()
    verification = at.started(number)
    attempt = at.look(verification).attempts[0]
    until(lambda: at.look(verification).attempts[0].state.is_final)
    client.hset(at.services.keys.attempt(attempt.id), "requested_ms", "soon")
    client.hset(at.services.keys.attempt(attempt.id), "channel", "pigeon")
    assert problem(rest.get(f"/attempts/{attempt.id}")) == (404, "record_unreadable")
    for body in ({"number": number}, {"id": verification}, {"id": attempt.id}):
        found = rest.post("/attempts/search", json=body).json()
        assert (found["attempts"], found["left_out"]) == ([], 1)


def test_the_country_uk_is_gb(at: World, rest: httpx.Client) -> None:
    made = started(rest, "+447400123456")["attempts"][0]["id"]
    for country in ("UK", "GB"):
        found = rest.get("/attempts", params={"country": country}).json()
        assert [one["id"] for one in found["attempts"]] == [made]


def test_a_search_reads_numbers_as_the_start_does(at: World, rest: httpx.Client) -> None:
    fixed = at.services.verifications.start(
        "+49 30 901820", Way.VOICE, grant=OPERATOR, idempotency_key="fixed line"
    )
    assert fixed.verification
    for sought in ({"number": "030 901820", "region": "DE"}, {"number": "0049 (0) 30 901820"}):
        found = rest.post("/attempts/search", json=sought).json()["attempts"]
        assert [one["verification"] for one in found] == [fixed.verification]
    answer = rest.post("/attempts/search", json={"number": "50056043", "region": "KW"})
    assert problem(answer) == (422, "number_ambiguous")
    assert [one["number"] for one in answer.json()["candidates"]] == ["+96550056043", "+50056043"]
