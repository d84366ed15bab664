"""`/api/v1/attempts`: pages, filters, search, and the events of one attempt."""

import httpx
import pytest
import redis

from core.model.attempt import EventKind
from core.model.grant import OPERATOR
from core.model.way import Way
from tests.web.rest.test_verifications import problem, started
from tests.world import World, until


def test_pages_hold_every_attempt_once_newest_first(at: World, rest: httpx.Client) -> None:
    attempts = [started(rest, at.number())["attempts"][0]["id"] for _ in range(7)]
    listed, params = [], {"limit": "3"}
    while True:
        page = rest.get("/attempts", params=params).json()
        assert len(page["attempts"]) <= 3
        listed += [attempt["id"] for attempt in page["attempts"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert listed == list(reversed(attempts))


def test_filters_keep_only_the_attempts_that_match(at: World, rest: httpx.Client) -> None:
    undelivered = started(rest, at.number("0030"))["attempts"][0]["id"]
    delivered = started(rest, at.number())["attempts"][0]["id"]
    until(lambda: rest.get(f"/attempts/{undelivered}").json()["state"] == "undelivered")
    until(lambda: rest.get(f"/attempts/{delivered}").json()["state"] == "delivered")
    for params, expected in (
        ({"state": "undelivered"}, [undelivered]),
        ({"error": "30"}, [undelivered]),
        ({"state": "delivered", "channel": "sms", "country": "US"}, [delivered]),
        ({"channel": "voice"}, []),
    ):
        attempts = rest.get("/attempts", params=params).json()["attempts"]
        assert [attempt["id"] for attempt in attempts] == expected


def test_a_wrong_cursor_is_refused(rest: httpx.Client) -> None:
    answer = rest.get("/attempts", params={"cursor": "the second page"})
    assert problem(answer) == (422, "invalid_request")


def test_one_attempt_lists_its_events_including_repeated_ones(
    at: World, rest: httpx.Client
) -> None:
    attempt = started(rest, at.number("0801"))["attempts"][0]["id"]
    path = f"/attempts/{attempt}"

    def repeated() -> bool:
        events = rest.get(path).json()["heard"]
        return any(e["kind"] == "delivered" and e["outcome"] == "repeated" for e in events)

    until(repeated)
    attempt_body = rest.get(path).json()
    assert attempt_body["heard"][0]["kind"] == EventKind.REQUESTED
    assert attempt_body["heard"][0]["source"] == "app"
    assert attempt_body["state"] == "delivered"


def test_attempts_are_found_by_number_and_by_every_id(at: World, rest: httpx.Client) -> None:
    number = at.number()
    verification = started(rest, number)
    (attempt,) = verification["attempts"]
    for query in (
        {"number": number},
        {"id": verification["id"]},
        {"id": attempt["id"]},
        {"id": attempt["reference"]},
    ):
        matches = rest.post("/attempts/search", json=query).json()["attempts"]
        assert [match["id"] for match in matches] == [attempt["id"]]
    for unknown in ({"number": at.number()}, {"id": "unknown"}):
        assert rest.post("/attempts/search", json=unknown).json()["attempts"] == []


@pytest.mark.parametrize("body", [{}, {"number": "+14155550123", "id": "x"}, {"number": 5}])
def test_a_search_takes_either_a_number_or_an_id(
    rest: httpx.Client, body: dict[str, object]
) -> None:
    assert problem(rest.post("/attempts/search", json=body)) == (422, "invalid_request")


def test_text_that_is_not_a_number_is_refused(rest: httpx.Client) -> None:
    answer = rest.post("/attempts/search", json={"number": "12345"})
    assert problem(answer) == (422, "number_refused")


def test_an_attempt_that_is_not_kept_is_not_found(rest: httpx.Client) -> None:
    assert problem(rest.get(f"/attempts/{'a' * 24}-1")) == (404, "not_found")


def test_an_unreadable_record_is_counted_and_has_a_code_of_its_own(
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
        page = rest.post("/attempts/search", json=body).json()
        assert (page["attempts"], page["left_out"]) == ([], 1)


def test_the_country_uk_is_gb(at: World, rest: httpx.Client) -> None:
    attempt = started(rest, "+447400123456")["attempts"][0]["id"]
    for country in ("UK", "GB"):
        page = rest.get("/attempts", params={"country": country}).json()
        assert [listed["id"] for listed in page["attempts"]] == [attempt]


def test_a_search_parses_numbers_as_the_start_does(at: World, rest: httpx.Client) -> None:
    fixed = at.services.verifications.start(
        "+49 30 901820", Way.VOICE, grant=OPERATOR, idempotency_key="fixed line"
    )
    assert fixed.verification
    for query in ({"number": "030 901820", "region": "DE"}, {"number": "0049 (0) 30 901820"}):
        matches = rest.post("/attempts/search", json=query).json()["attempts"]
        assert [match["verification"] for match in matches] == [fixed.verification]
    answer = rest.post("/attempts/search", json={"number": "50056043", "region": "KW"})
    assert problem(answer) == (422, "number_ambiguous")
    assert [c["number"] for c in answer.json()["candidates"]] == ["+96550056043", "+50056043"]


def test_sample_traffic_is_marked_and_other_attempts_are_not(at: World, rest: httpx.Client) -> None:
    verification = started(rest, at.number())["id"]
    at.services.sample.load(days=3, per_day=20)
    marks = {each["id"]: each["is_sample"] for each in rest.get("/attempts").json()["attempts"]}
    assert {attempt for attempt, is_sample in marks.items() if not is_sample} == {
        f"{verification}-1"
    }
    assert len(marks) > 20
