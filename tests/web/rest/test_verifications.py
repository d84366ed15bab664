"""`/api/v1/verifications`: the rules of a verification over HTTP, and no secret in an answer."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import httpx
import pytest

from core.access.tokens import Scope
from tests.verification.test_send import sent_to
from tests.world import World, until


def started(rest: httpx.Client, number: str, **more: Any) -> dict[str, Any]:
    answer = rest.post("/verifications", json={"number": number, **more})
    assert answer.status_code == 201, answer.text
    verification: dict[str, Any] = answer.json()["verification"]
    return verification


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem, which must have its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["cause"]
    assert body["remedy"]
    return answer.status_code, body["code"]


def test_a_verification_from_its_start_to_the_right_code(at: World, rest: httpx.Client) -> None:
    number = at.number()
    answer = rest.post("/verifications", json={"number": number, "channel": "sms"})
    assert answer.status_code == 201
    body = answer.json()
    verification = body["verification"]["id"]
    assert body["send"] == {"outcome": "sent", "cause": "", "remedy": ""}
    assert answer.headers["location"] == f"/api/v1/verifications/{verification}"
    assert body["verification"]["to_masked"].endswith("55")
    code = at.code(verification)
    assert code in at.message(number)
    path = f"/verifications/{verification}"
    until(lambda: rest.get(path).json()["attempts"][0]["state"] == "delivered")

    wrong = rest.post(f"{path}/checks", json={"code": at.wrong_code(verification)})
    assert (wrong.status_code, wrong.json()) == (200, {"outcome": "wrong_code", "checks_left": 4})
    right = rest.post(f"{path}/checks", json={"code": code})
    assert right.json() == {"outcome": "approved", "checks_left": 3}
    again = rest.post(f"{path}/checks", json={"code": code})
    assert again.json()["outcome"] == "used"

    read = rest.get(path).json()
    assert (read["status"], read["checks_left"]) == ("verified", 3)
    labels = [step["label"] for step in read["timeline"]]
    assert labels[0] == "Requested"
    assert labels[-1] == "Verified"
    assert all(step["gap_ms"] is None or step["gap_ms"] >= 0 for step in read["timeline"])


def test_a_repeated_key_sends_once_and_gets_the_same_verification(
    at: World, rest: httpx.Client
) -> None:
    number = at.number()
    headers = {"Idempotency-Key": "order-17"}
    first = rest.post("/verifications", json={"number": number}, headers=headers)
    again = rest.post("/verifications", json={"number": number}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["verification"]["id"] == first.json()["verification"]["id"]
    assert again.json()["send"]["outcome"] == "duplicate"
    assert sent_to(at, number) == 1
    other = rest.post("/verifications", json={"number": at.number()}, headers=headers)
    assert problem(other) == (409, "key_reused")


def test_a_key_belongs_to_its_token(at: World, rest: httpx.Client) -> None:
    token = at.services.tokens.make("other", frozenset({Scope.VERIFY}))
    numbers = [at.number(), at.number()]
    answers = [
        httpx.post(
            f"{at.address}/api/v1/verifications",
            json={"number": number},
            headers={"Authorization": f"Bearer {bearer}", "Idempotency-Key": "mine"},
        )
        for number, bearer in zip(numbers, (token, at.services.tokens.sandbox_token), strict=True)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.race
def test_many_clients_with_few_keys_send_once_for_each_key(at: World, rest: httpx.Client) -> None:
    numbers = [at.number() for _ in range(24)]
    requests = [n for n in range(len(numbers)) for _ in range(20)]
    Random(7).shuffle(requests)  # noqa: S311

    def create(n: int) -> tuple[int, str]:
        answer = rest.post(
            "/verifications", json={"number": numbers[n]}, headers={"Idempotency-Key": f"key-{n}"}
        )
        assert answer.status_code == 201, answer.text
        return n, answer.json()["verification"]["id"]

    with ThreadPoolExecutor(32) as pool:
        created = set(pool.map(create, requests))
    assert len(created) == len(numbers)
    assert [sent_to(at, number) for number in numbers] == [1] * len(numbers)


def test_a_resend_waits_for_the_cooldown_and_sends_the_same_code(
    at: World, rest: httpx.Client
) -> None:
    number = at.number()
    verification = started(rest, number)
    path = f"/verifications/{verification['id']}/resend"
    soon = rest.post(path, json={"seen": 1})
    assert problem(soon) == (429, "too_soon")
    assert 1 <= int(soon.headers["retry-after"]) <= 30
    assert soon.json()["retry_after_seconds"] == int(soon.headers["retry-after"])
    at.clock.advance(31)
    sent = rest.post(path, json={"seen": 1})
    assert sent.json()["send"]["outcome"] == "sent"
    assert len(sent.json()["verification"]["attempts"]) == 2
    twice = rest.post(path, json={"seen": 1})
    assert twice.json()["send"]["outcome"] == "duplicate"
    assert sent_to(at, number) == 2
    until(lambda: len(at.handset(number)["messages"]) == 2)
    assert len({message["text"] for message in at.handset(number)["messages"]}) == 1


def test_a_call_replaces_a_message_that_was_not_delivered(at: World, rest: httpx.Client) -> None:
    number = at.number("0030")
    verification = started(rest, number)
    path = f"/verifications/{verification['id']}"
    until(lambda: rest.get(path).json()["attempts"][0]["state"] == "undelivered")
    read = rest.get(path).json()
    assert read["attempts"][0]["error_code"] == "30"
    assert read["call_offer"] is not None
    called = rest.post(f"{path}/resend", json={"seen": 1, "call": True})
    assert called.json()["verification"]["attempts"][1]["channel"] == "voice"
    at.call(number, "ringing")


def test_a_refused_send_is_a_verification_that_says_why(at: World, rest: httpx.Client) -> None:
    answer = rest.post("/verifications", json={"number": at.number("0402")})
    assert answer.status_code == 201
    body = answer.json()
    assert body["send"]["outcome"] == "rejected"
    assert body["send"]["cause"]
    assert body["send"]["remedy"]
    assert body["verification"]["attempts"][0]["state"] == "rejected"


def test_a_canceled_verification_accepts_no_code(at: World, rest: httpx.Client) -> None:
    verification = started(rest, at.number())
    code = at.code(verification["id"])
    path = f"/verifications/{verification['id']}"
    assert rest.post(f"{path}/cancel").json()["status"] == "canceled"
    assert rest.post(f"{path}/checks", json={"code": code}).json()["outcome"] == "canceled"
    assert rest.post(f"{path}/cancel").json()["status"] == "canceled"
    assert problem(rest.post(f"{path}/resend", json={"seen": 1})) == (409, "verification_closed")


def test_a_verification_that_has_ended_is_not_canceled(at: World, rest: httpx.Client) -> None:
    verification = started(rest, at.number())
    path = f"/verifications/{verification['id']}"
    rest.post(f"{path}/checks", json={"code": at.code(verification["id"])})
    assert problem(rest.post(f"{path}/cancel")) == (409, "verification_closed")


def test_a_send_over_the_budget_of_a_number_says_how_long_to_wait(
    at: World, rest: httpx.Client
) -> None:
    number = at.number()
    for _ in range(5):
        started(rest, number)
    over = rest.post("/verifications", json={"number": number})
    assert problem(over) == (429, "over_budget")
    assert 590 <= int(over.headers["retry-after"]) <= 600


def test_a_check_of_a_locked_number_says_how_long_to_wait(at: World, rest: httpx.Client) -> None:
    number = at.number()
    for _ in range(2):
        verification = started(rest, number)
        for _ in range(5):
            wrong = {"code": at.wrong_code(verification["id"])}
            rest.post(f"/verifications/{verification['id']}/checks", json=wrong)
    # The first check of another verification is accepted, the next is refused.
    verification = started(rest, number)
    wrong = {"code": at.wrong_code(verification["id"])}
    path = f"/verifications/{verification['id']}/checks"
    assert rest.post(path, json=wrong).json()["outcome"] == "wrong_code"
    assert problem(rest.post(path, json=wrong)) == (429, "number_locked")
    assert problem(rest.post(path, json={"code": at.code(verification["id"])})) == (
        429,
        "number_locked",
    )


def test_the_address_of_a_person_has_a_budget_of_its_own(at: World, rest: httpx.Client) -> None:
    for _ in range(20):
        started(rest, at.number(), client_address="203.0.113.9")
    over = {"number": at.number(), "client_address": "203.0.113.9"}
    assert problem(rest.post("/verifications", json=over)) == (429, "over_budget")
    started(rest, at.number(), client_address="203.0.113.10")
    started(rest, at.number())


Ask = Callable[[httpx.Client], httpx.Response]
GONE = "a" * 24
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda c: c.post("/verifications", json={}), (422, "invalid_request")),
        (lambda c: c.post("/verifications", json={"number": "12"}), (422, "invalid_request")),
        (lambda c: c.post("/verifications", json={"number": "+12345"}), (422, "number_refused")),
        (
            lambda c: c.post("/verifications", json={"number": "+14155550123", "code": "1"}),
            (422, "invalid_request"),
        ),
        (lambda c: c.post("/verifications", content=b"{"), (422, "invalid_request")),
        (
            lambda c: c.post("/verifications", json={"number": "+1" + "5" * 20_000}),
            (413, "too_large"),
        ),
        (
            # Its length is not announced.
            lambda c: c.post("/verifications", content=iter([b" " * 9000] * 2), headers=JSON),
            (413, "too_large"),
        ),
        (lambda c: c.get(f"/verifications/{GONE}"), (404, "not_found")),
        (lambda c: c.get("/verifications/unknown"), (422, "invalid_request")),
        (lambda c: c.post(f"/verifications/{GONE}/checks", json={"code": "1"}), (404, "not_found")),
        (lambda c: c.post(f"/verifications/{GONE}/resend", json={"seen": 1}), (404, "not_found")),
        (lambda c: c.post(f"/verifications/{GONE}/cancel"), (404, "not_found")),
        (lambda c: c.delete("/verifications"), (405, "method_not_allowed")),
        (lambda c: c.get("/nothing"), (404, "not_found")),
    ],
)
def test_each_mistake_has_a_stable_code(
    rest: httpx.Client, ask: Ask, expected: tuple[int, str]
) -> None:
    assert problem(ask(rest)) == expected


def test_a_code_in_the_digits_of_another_script_is_the_same_code(
    at: World, rest: httpx.Client
) -> None:
    verification = started(rest, at.number())
    code = "".join(chr(ord("٠") + int(digit)) for digit in at.code(verification["id"]))
    entered = {"code": f"\u2066{code[:3]}\u2011{code[3:]}\u2069\ufe0f"}
    answer = rest.post(f"/verifications/{verification['id']}/checks", json=entered)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "approved")


def test_text_that_is_not_a_code_is_not_counted(at: World, rest: httpx.Client) -> None:
    verification = started(rest, at.number())
    path = f"/verifications/{verification['id']}"
    assert problem(rest.post(f"{path}/checks", json={"code": "abc"})) == (422, "malformed_code")
    assert rest.get(path).json()["checks_left"] == 5


def test_an_error_repeats_no_value_of_the_request(rest: httpx.Client) -> None:
    sent = {"number": ["+14155550123"], "code": "918273", "locale": "not a locale"}
    answer = rest.post("/verifications", json=sent)
    assert problem(answer) == (422, "invalid_request")
    for secret in ("4155550123", "918273", "not a locale"):
        assert secret not in answer.text


def test_known_and_unknown_numbers_get_the_same_answer(at: World, rest: httpx.Client) -> None:
    known_number = at.number()
    started(rest, known_number)

    def shape(number: str) -> object:
        answer = rest.post("/verifications", json={"number": number})
        body = answer.json()
        keys, status = sorted(body["verification"]), body["verification"]["status"]
        return answer.status_code, body["send"], keys, status, len(body["verification"]["attempts"])

    assert shape(known_number) == shape(at.number())


def test_no_answer_holds_a_code_or_a_full_number(at: World, rest: httpx.Client) -> None:
    number = at.number()
    verification = started(rest, number)
    path = f"/verifications/{verification['id']}"
    attempt = verification["attempts"][0]["id"]
    until(lambda: rest.get(path).json()["attempts"][0]["state"] == "delivered")
    answers = [
        json.dumps(verification),
        rest.get(path).text,
        rest.post(f"{path}/checks", json={"code": at.wrong_code(verification["id"])}).text,
        rest.get("/attempts").text,
        rest.get(f"/attempts/{attempt}").text,
        rest.post("/attempts/search", json={"number": number}).text,
    ]
    for answer in answers:
        assert at.code(verification["id"]) not in answer
        assert number[2:] not in answer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/verifications", '{"number": "+14155550123", "client_address": "+4915112345678"}'),
        ("/verifications", '{"number": "+14155550123", "+4915112345678": 1}'),
        ("/verifications", '{"number": "+14155550123", "region": "+4915112345678"}'),
        ("/verifications", '{"number": "+14155550123", "channel": "+4915112345678"}'),
        ("/verifications", '{"number": "+4915112345678'),
        ("/verifications", '{"number": ["+4915112345678"]}'),
        (f"/verifications/{'a' * 24}/checks", '{"code": {"+4915112345678": 1}}'),
        (f"/verifications/{'a' * 24}/resend", '{"seen": "+4915112345678x", "call": "491511"}'),
        ("/verifications/+4915112345678/cancel", "{}"),
        ("/attempts/search", '{"+4915112345678": "+4915112345678"}'),
    ],
)
def test_a_problem_repeats_no_field_or_value_of_the_request(
    rest: httpx.Client, path: str, body: str
) -> None:
    answer = rest.post(path, content=body, headers={"Content-Type": "application/json"})
    assert problem(answer) == (422, "invalid_request")
    assert "491511" not in answer.text


def test_an_ambiguous_number_is_a_problem_with_every_candidate_and_nothing_is_sent(
    at: World, rest: httpx.Client
) -> None:
    answer = rest.post("/verifications", json={"number": "50056043", "region": "KW"})
    assert problem(answer) == (422, "number_ambiguous")
    candidates = answer.json()["candidates"]
    assert [(c["number"], c["international"], c["country"]) for c in candidates] == [
        ("+96550056043", "+965 500 56043", "KW"),
        ("+50056043", "+500 56043", "FK"),
    ]
    assert rest.get("/attempts").json()["attempts"] == []
    for candidate in candidates:
        assert sent_to(at, candidate["number"]) == 0
    number = candidates[1]["number"]
    verification = started(rest, number, region="KW")
    assert at.look(verification["id"]).verification.to.e164 == number
    assert sent_to(at, number) == 1


@pytest.mark.parametrize(
    ("number", "region", "channel", "e164"),
    [
        ("491701234567", "DE", "voice", "+491701234567"),
        ("+49 (0)170 1234567", None, "sms", "+491701234567"),
        ("07700 900123", "UK", "sms", "+447700900123"),
        ("+1 555 555 0100", None, "sms", "+15555550100"),
    ],
)
def test_a_number_is_read_as_on_the_page(
    at: World, rest: httpx.Client, number: str, region: str | None, channel: str, e164: str
) -> None:
    verification = started(rest, number, region=region, channel=channel)
    assert at.look(verification["id"]).verification.to.e164 == e164


def test_letters_among_the_digits_are_refused(rest: httpx.Client) -> None:
    for number in ("+43 664 123456 Max", "+40721eeasd0"):
        answer = rest.post("/verifications", json={"number": number})
        assert problem(answer) == (422, "number_refused")
        assert "letters" in answer.json()["cause"]
