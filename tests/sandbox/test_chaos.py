"""Chaos: what each effect does, how rules combine, what repeats, and pushing a status."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.sandbox.chaos.chaos import LONGEST_TAIL, Draw

from .support import AUTH_ID, SENDER, Api, Product, number, sandbox_on, wait_for

VODAFONE, T_MOBILE = "49152000{:05}", "49160100{:05}"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with sandbox_on(tmp_path_factory.mktemp("chaos"), silent_seconds=0.4) as api:
        yield api


@pytest.fixture(autouse=True)
def calm(api: Api) -> Iterator[None]:
    yield
    api.http.delete("/chaos").raise_for_status()


def put(api: Api, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = api.http.request("PUT", "/chaos", json={"seed": 7, "rules": rules, **more}, auth=None)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def phlo(api: Api, to: str, mode: str, otp: str = "4711") -> httpx.Response:
    body = {"from": SENDER, "to": to, "otp": otp, "mode": mode}
    return api.http.post(f"/v1/account/{AUTH_ID}/phlo/any/", json=body)


def newest(api: Api, to: str) -> dict[str, Any]:
    """The newest send to a number, once it is settled."""

    def settled() -> dict[str, Any] | None:
        sends = api.http.get("/sends").json()["sends"]
        send: dict[str, Any] = next(send for send in sends if send["number"] == to)
        return send if send["status"] not in {"queued", "sent", "ringing"} else None

    return wait_for(settled)


def test_it_is_off_at_first_and_what_is_put_is_what_is_read(api: Api) -> None:
    before = api.http.get("/chaos").json()
    assert (before["on"], before["rules"]) == (False, [])
    document = put(api, {"effect": "delay", "seconds": 1.5, "country": "de", "carrier": "vodafone"})
    assert document["rules"][0]["carrier"] == "Vodafone"
    assert document["rules"][0]["country"] == "DE"
    assert document["revision"] == before["revision"] + 1
    assert api.http.get("/chaos").json() == document
    assert put(api, **{k: v for k, v in document.items() if k != "rules"})["rules"] == []


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({}, "rules[0].effect"),
        ({"effect": "lost"}, "rules[0].effect"),
        ({"effect": "held", "probability": 1.1}, "rules[0].probability"),
        ({"effect": "held", "probability": True}, "rules[0].probability"),
        ({"effect": "held", "probability": 10**400}, "rules[0].probability"),
        ({"effect": "held", "channel": "mail"}, "rules[0].channel"),
        ({"effect": "held", "channel": "call"}, "rules[0].channel"),
        ({"effect": "hangup", "channel": "sms", "hangup_cause_code": 3010}, "rules[0].channel"),
        ({"effect": "hangup"}, "rules[0].hangup_cause_code"),
        ({"effect": "hangup", "hangup_cause_code": 1}, "rules[0].hangup_cause_code"),
        ({"effect": "http_status"}, "rules[0].status"),
        ({"effect": "http_status", "status": 200}, "rules[0].status"),
        ({"effect": "not_delivered", "error_code": 0}, "rules[0].error_code"),
        ({"effect": "not_delivered", "state": "lost"}, "rules[0].state"),
        ({"effect": "delay"}, "rules[0].seconds"),
        ({"effect": "delay", "seconds": 1e9}, "rules[0].seconds"),
        ({"effect": "held", "seconds": 1}, "rules[0].seconds"),
        ({"effect": "held", "via": "post"}, "rules[0].via"),
        ({"effect": "held", "country": "XX"}, "rules[0].country"),
        ({"effect": "held", "carrier": "Vodaphone"}, "did you mean Vodafone?"),
        ({"effect": "held", "carrier": "Jio", "country": "DE"}, "rules[0].carrier"),
        ({"effect": "held", "number": "1"}, "rules[0].number"),
        ("held", "rules[0]"),
    ],
)
def test_an_invalid_rule_names_its_field_and_changes_nothing(
    api: Api, rule: Any, field: str
) -> None:
    document = put(api, {"effect": "callbacks_lost"})
    answer = api.http.put("/chaos", json={"rules": [rule]})
    assert answer.status_code == 400
    assert field in answer.json()["error"]
    assert api.http.get("/chaos").json() == document


@pytest.mark.parametrize(
    ("body", "field"),
    [({"on": 1}, "on"), ({"seed": 0.5}, "seed"), ({"rules": {}}, "rules"), ({"x": 1}, "x"),
     ({"revision": "a"}, "revision")],
)  # fmt: skip
def test_an_invalid_document_names_its_field(api: Api, body: dict[str, Any], field: str) -> None:
    answer = api.http.put("/chaos", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(field)


def test_a_change_of_an_old_revision_is_refused(api: Api) -> None:
    mine = put(api, {"effect": "held"})
    theirs = put(api, {"effect": "no_receipt"}, revision=mine["revision"])
    answer = api.http.put("/chaos", json={"rules": [], "revision": mine["revision"]})
    assert answer.status_code == 409
    assert api.http.get("/chaos").json() == theirs


@pytest.mark.parametrize(
    ("rule", "status", "code", "arrives"),
    [
        ({"effect": "not_delivered"}, "undelivered", "20", False),
        ({"effect": "not_delivered", "error_code": 450}, "failed", "450", False),
        ({"effect": "not_delivered", "error_code": 30, "state": "failed"}, "failed", "30", False),
        ({"effect": "false_delivered"}, "delivered", "000", False),
        ({"effect": "false_undelivered", "error_code": 50}, "undelivered", "50", True),
        ({"effect": "receipt_late", "seconds": 3}, "delivered", "000", True),
        ({"effect": "delay", "seconds": 3}, "delivered", "000", True),
        ({"effect": "callbacks_lost"}, "delivered", "000", True),
    ],
)
def test_a_message_ends_as_its_rule_says_by_the_api_and_by_a_phlo(
    api: Api, rule: dict[str, Any], status: str, code: str, arrives: bool
) -> None:
    put(api, rule)
    to, by_phlo = number("5555"), number("5555")
    api.send(to)
    phlo(api, by_phlo, "sms")
    for each in (to, by_phlo):
        send = newest(api, each)
        assert (send["status"], send["error_code"]) == (status, code)
        assert send["by_chaos"]
        assert len(api.phone(each).texts) == arrives


@pytest.mark.parametrize(
    ("effect", "states"),
    [
        ("callbacks_doubled", ["queued", "queued", "sent", "sent", "delivered", "delivered"]),
        ("callbacks_out_of_order", ["delivered", "queued", "sent"]),
        ("callbacks_lost", []),
    ],
)
def test_callbacks_follow_their_rule(
    api: Api, product: Product, path: str, effect: str, states: list[str]
) -> None:
    put(api, {"effect": effect})
    api.all_callbacks(api.send(number("5555"), url=product.url(path)))
    assert product.values(path, "Status") == states


def test_a_held_message_and_one_without_a_receipt_stay_until_a_status_is_pushed(api: Api) -> None:
    put(api, {"effect": "held", "country": "US"}, {"effect": "no_receipt", "country": "DE"})
    held, silent = number("5555"), VODAFONE.format(90001)
    uuids = {to: api.send(to) for to in (held, silent)}
    wait_for(lambda: api.phone(silent).texts)
    assert api.phone(held).texts == []
    for uuid in uuids.values():
        assert api.message(uuid)["message_state"] == "sent"
        assert api.http.post(f"/messages/{uuid}/status", json={"status": "delivered"}).is_success
        assert api.message(uuid)["message_state"] == "delivered"
    assert len(api.phone(held).texts) == len(api.phone(silent).texts) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_send_is_answered_with_an_http_status_every_way(api: Api, status: int) -> None:
    put(api, {"effect": "http_status", "status": status})
    to = number("5555")
    answers = [
        api.post("/Message/", src=SENDER, dst=to, text="hello"),
        api.post("/Call/", **{"from": SENDER, "to": to, "answer_url": "http://127.0.0.1:9/"}),
        phlo(api, to, "sms"),
        phlo(api, to, "call"),
    ]
    assert [answer.status_code for answer in answers] == [status] * 4
    assert not [send for send in api.http.get("/sends").json()["sends"] if send["number"] == to]


def test_silence_delays_the_answer_and_the_send_goes_on(api: Api) -> None:
    put(api, {"effect": "silence"})
    to = number("5555")
    with pytest.raises(httpx.ReadTimeout):
        api.http.post(
            f"{api.account}/Message/", json={"src": SENDER, "dst": to, "text": "a"}, timeout=0.1
        )
    assert newest(api, to)["status"] == "delivered"


@pytest.mark.parametrize(
    ("code", "answers"), [(3010, False), (3000, False), (9100, True), (5000, False)]
)
def test_a_call_ends_with_the_cause_of_its_rule_by_the_api_and_by_a_phlo(
    api: Api, code: int, answers: bool
) -> None:
    put(api, {"effect": "hangup", "hangup_cause_code": code})
    to, by_phlo = number("5555"), number("5555")
    api.call(to, "http://127.0.0.1:9/", machine_detection="hangup")
    phlo(api, by_phlo, "call")
    for each in (to, by_phlo):
        send = newest(api, each)
        if answers:
            send = wait_for(lambda each=each: ended(api, each))  # type: ignore[misc]
        assert (send["status"], send["hangup_cause_code"]) == ("ended", code)


def ended(api: Api, to: str) -> dict[str, Any] | None:
    send = newest(api, to)
    return send if send["status"] == "ended" else None


def test_a_call_does_not_hear_keys(api: Api) -> None:
    put(api, {"effect": "keys_lost", "via": "phlo"})
    to = number("5555")
    phlo(api, to, "call")
    phone = api.phone(to)
    phone.answer()
    wait_for(phone.waits)
    assert phone.do("press/1").status_code == 200
    assert phone.transcript("ignored-key") == ["1"]
    assert phone.transcript("key") == []


def test_a_rule_acts_only_on_its_channel_way_country_and_carrier(api: Api) -> None:
    vodafone, t_mobile = VODAFONE.format(90002), T_MOBILE.format(90002)
    rule: dict[str, Any] = {"effect": "http_status", "status": 500}
    fits: list[tuple[dict[str, Any], str, bool]] = [
        ({"channel": "sms"}, vodafone, True),
        ({"channel": "call"}, vodafone, False),
        ({"via": "api"}, vodafone, True),
        ({"via": "phlo"}, vodafone, False),
        ({"country": "DE"}, vodafone, True),
        ({"country": "FR"}, vodafone, False),
        ({"carrier": "Vodafone"}, vodafone, True),
        ({"carrier": "Vodafone"}, t_mobile, False),
        ({"country": "DE", "carrier": "T-Mobile"}, t_mobile, True),
        ({"probability": 0}, vodafone, False),
    ]
    for where, to, acts in fits:
        put(api, rule | where)
        status = api.post("/Message/", src=SENDER, dst=to, text="hello").status_code
        assert status == (500 if acts else 202), where


def test_the_first_rule_of_an_aspect_decides_others_combine_and_the_ending_comes_first(
    api: Api, product: Product, path: str
) -> None:
    put(
        api,
        {"effect": "not_delivered", "error_code": 50},
        {"effect": "not_delivered", "error_code": 80},
        {"effect": "callbacks_doubled"},
    )
    uuid = api.send(number("5555"), url=product.url(path))
    api.all_callbacks(uuid)
    assert product.values(path, "Status")[-2:] == ["undelivered"] * 2
    assert api.message(uuid)["error_code"] == "50"
    # 0030 decides the outcome, and nothing else.
    spam = api.send(number("0030"), url=product.url(f"{path}-spam"))
    api.all_callbacks(spam)
    assert api.message(spam)["error_code"] == "30"
    assert product.values(f"{path}-spam", "Status")[-2:] == ["undelivered"] * 2
    # 0804 decides the callbacks, and nothing else.
    lost = api.send(number("0804"), url=product.url(f"{path}-lost"))
    assert api.settled(lost)["error_code"] == "50"
    assert [each["state"] for each in api.callbacks(lost)] == ["lost"] * 3


def test_a_send_keeps_its_effects_when_chaos_changes_or_the_sandbox_restarts(
    started: Callable[[], tuple[Api, Callable[[], None]]],
) -> None:
    api, stop = started()
    put(api, {"effect": "held", "channel": "sms"}, {"effect": "keys_lost"})
    uuid = api.send(number("5555"))
    document = api.http.get("/chaos").json()
    stop()
    api, _ = started()
    assert api.http.get("/chaos").json() == document
    effects = [{"effect": "held", "code": None, "seconds": None}]
    assert api.http.get(f"/sends/{uuid}").json()["effects"] == effects
    off = api.http.delete("/chaos").json()
    assert (off["on"], off["rules"], off["revision"]) == (False, [], document["revision"] + 1)
    assert api.http.get(f"/sends/{uuid}").json()["effects"] == effects


def test_a_stored_document_that_is_not_valid_any_more_is_off(
    started: Callable[[], tuple[Api, Callable[[], None]]], tmp_path: Path
) -> None:
    api, stop = started()
    put(api, {"effect": "held", "country": "DE", "carrier": "Vodafone"})
    stop()
    with closing(sqlite3.connect(tmp_path / "sandbox.sqlite3")) as state, state:
        state.execute("UPDATE chaos SET document = replace(document, 'Vodafone', 'Mannesmann')")
    api, _ = started()
    assert api.http.get("/chaos").json()["on"] is False
    assert api.settled(api.send(VODAFONE.format(90005)))["message_state"] == "delivered"


RULES = (
    {"effect": "not_delivered", "probability": 0.3, "carrier": "Vodafone"},
    {"effect": "delay", "seconds": 1, "spread_seconds": 2, "tail_seconds": 3, "probability": 0.5},
    {"effect": "callbacks_doubled", "probability": 0.2},
)


def events(data: Path, numbers: list[str], workers: int, **more: Any) -> list[tuple[Any, ...]]:
    """State, error and effects of two messages to each number, in order of the numbers."""
    with sandbox_on(data, speed=1000.0) as api:
        put(api, *RULES, **more)
        with ThreadPoolExecutor(workers) as pool:
            uuids = list(pool.map(lambda to: [api.send(to), api.send(to)], numbers))
        sends = {
            uuid: api.http.get(f"/sends/{uuid}").json()["effects"]
            for pair in uuids
            for uuid in pair
        }
        return [
            (record["message_state"], record["error_code"], json.dumps(sends[uuid]))
            for pair in uuids
            for uuid in pair
            for record in [api.settled(uuid)]
        ]


def test_the_same_seed_chaos_and_sends_give_the_same_events_also_in_parallel(
    tmp_path: Path,
) -> None:
    numbers = [VODAFONE.format(n) for n in range(20, 40)]
    first = events(tmp_path / "a", numbers, 1)
    assert events(tmp_path / "b", numbers[::-1], 8) == list(pairs_reversed(first))
    assert len(set(first)) >= 4
    assert events(tmp_path / "c", numbers, 1, seed=8) != first


def pairs_reversed(rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for at in range(len(rows) - 2, -1, -2):
        yield from rows[at : at + 2]


def test_every_put_starts_the_sequence_anew(api: Api) -> None:
    to = VODAFONE.format(90003)
    rule = {"effect": "http_status", "status": 500, "probability": 0.5}

    def answers() -> list[int]:
        put(api, rule)
        return [
            api.post("/Message/", src=SENDER, dst=to, text="hello").status_code for _ in range(12)
        ]

    first = answers()
    assert set(first) == {202, 500}
    assert answers() == first


def test_a_refused_request_is_no_send(api: Api) -> None:
    to = VODAFONE.format(90004)
    put(api, {"effect": "http_status", "status": 500, "probability": 0.5})
    clean = [api.post("/Message/", src=SENDER, dst=to, text="hello").status_code for _ in range(8)]
    put(api, {"effect": "http_status", "status": 500, "probability": 0.5})
    mixed = []
    for _ in range(8):
        assert api.post("/Message/", src=SENDER, dst=to, text="x" * 5000).status_code == 400
        assert phlo(api, to, "sms", otp="4" * 5000).status_code == 400
        mixed.append(api.post("/Message/", src=SENDER, dst=to, text="hello").status_code)
    assert mixed == clean


def test_draws_are_even_and_independent() -> None:
    draws = [Draw(f"7|0|sms|{to}|1").number("hit") for to in range(4000)]
    assert abs(sum(draw < 0.3 for draw in draws) / 4000 - 0.3) < 0.03
    assert abs(sum(draws) / 4000 - 0.5) < 0.03
    assert Draw("a").number("hit") != Draw("a").number("tail")
    assert LONGEST_TAIL >= 5


def test_two_threads_that_put_with_one_revision_do_not_both_succeed(api: Api) -> None:
    document = put(api, {"effect": "held"})
    statuses: list[int] = []

    def change(effect: str) -> None:
        body = {"rules": [{"effect": effect}], "revision": document["revision"]}
        statuses.append(httpx.put(f"{api.base}/chaos", json=body).status_code)

    threads = [threading.Thread(target=change, args=(e,)) for e in ("no_receipt", "held")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]


@pytest.mark.parametrize(
    ("statuses", "refused"),
    [
        (["sent", "delivered", "undelivered", "delivered"], ["sent", "failed", "delivered"]),
        (["failed"], ["delivered", "sent", "undelivered", "failed"]),
        (["undelivered"], ["failed", "queued"]),
    ],
)
def test_a_status_is_pushed_onto_a_message_and_what_cannot_follow_is_refused(
    api: Api, product: Product, path: str, statuses: list[str], refused: list[str]
) -> None:
    put(api, {"effect": "delay", "seconds": 3600})
    to = number("0040" if statuses[0] != "sent" else "5555")  # 0040 is not sent by itself
    uuid = api.send(to, url=product.url(path))
    for status in statuses:
        answer = api.http.post(f"/messages/{uuid}/status", json={"status": status})
        if status == "sent" and answer.status_code == 409:
            continue  # it was sent by itself meanwhile
        assert answer.json()["status"] == status
        assert api.message(uuid)["message_state"] == status
    for status in refused:
        answer = api.http.post(f"/messages/{uuid}/status", json={"status": status})
        assert answer.status_code == 409
        assert f"this message is {statuses[-1]}" in answer.json()["error"]
    assert len(api.phone(to).texts) == ("delivered" in statuses)
    api.finished_callbacks(uuid)
    assert product.values(path, "Status")[-1] == statuses[-1]


def test_a_status_is_pushed_onto_a_call(api: Api, product: Product, path: str) -> None:
    put(api, {"effect": "delay", "seconds": 3600})
    product.documents[path] = "<Response><Wait length='3600'/></Response>"
    to = number("5555")
    uuid = api.call(to, product.url(path), hangup_url=product.url(f"{path}-end"))

    def push(status: str, **more: Any) -> httpx.Response:
        return api.http.post(f"/calls/{uuid}/status", json={"status": status, **more})

    assert push("in-progress").status_code == 409
    assert push("ringing").json()["next"] == ["in-progress", "ended"]
    assert api.phone(to).call["status"] == "ringing"
    assert push("in-progress").json()["status"] == "in-progress"
    assert push("ringing").status_code == 409
    assert push("ended", hangup_cause_code=1).status_code == 400
    assert push("ended", hangup_cause_code=5000).json()["hangup_cause_code"] == 5000
    assert push("ended").status_code == 409
    assert api.hung_up(uuid)["hangup_cause_code"] == 5000
    wait_for(lambda: product.values(f"{path}-end", "HangupCauseCode") == ["5000"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("messages", {"status": "delivered"}, 404),
        ("calls", {"status": "ended"}, 404),
        ("messages", {"status": "lost"}, 404),
    ],
)
def test_an_unknown_message_or_call_is_not_found(
    api: Api, path: str, body: dict[str, str], status: int
) -> None:
    assert api.http.post(f"/{path}/none/status", json=body).status_code == status


def test_a_push_with_a_wrong_value_is_refused_with_its_name(api: Api) -> None:
    put(api, {"effect": "held"})
    uuid = api.send(number("5555"))
    for body, field in (
        ({"status": "lost"}, "status"),
        ({}, "status"),
        ({"status": "undelivered", "error_code": "spam"}, "error_code"),
        ({"status": "undelivered", "error_code": 10**6}, "error_code"),
        ({"status": "undelivered", "error_code": f"000000020{'9' * 300}"}, "error_code"),
        ({"status": "delivered", "error_code": 30}, "error_code"),
        ({"status": "undelivered", "errorcode": 30}, "errorcode"),
    ):
        answer = api.http.post(f"/messages/{uuid}/status", json=body)
        assert answer.status_code == 400
        assert field in answer.json()["error"]
    assert api.message(uuid)["message_state"] in {"queued", "sent"}
