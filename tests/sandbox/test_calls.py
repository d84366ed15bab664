"""Calls over HTTP: request, ring, answer, end, callbacks, lists."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from core.sandbox.facts.hangups import HANGUP_CAUSES, Phase

from .documents import SPEAK, listening
from .support import SENDER, SPEED, Api, Product, number, sandbox_on, wait_for
from .test_callbacks import is_genuine


def test_a_call_is_accepted_with_one_request_uuid(api: Api, product: Product) -> None:
    answer = api.post(
        "/Call/", **{"from": SENDER, "to": number("3010")}, answer_url=product.url("")
    )
    assert answer.status_code == 201
    assert set(answer.json()) == {"api_id", "message", "request_uuid"}
    assert answer.json()["message"] == "call fired"


def test_each_of_several_destinations_is_called(api: Api, product: Product) -> None:
    numbers = [number("3010"), number("3010")]
    body = {"from": SENDER, "to": "<".join(numbers), "answer_url": product.url("")}
    uuids = api.post("/Call/", **body).json()["request_uuid"]
    assert [api.hung_up(uuid)["to_number"] for uuid in uuids] == numbers


def test_ring_and_hangup_send_genuine_callbacks(api: Api, product: Product, path: str) -> None:
    product.documents[path] = SPEAK
    to, events_url = number("5555"), product.url(path + "/events")
    uuid = api.call(to, product.url(path), ring_url=events_url, hangup_url=events_url)
    api.phone(to).answer()
    api.hung_up(uuid)
    api.finished_callbacks(uuid)
    ring, hangup = product.at(path + "/events")
    assert is_genuine(ring)
    assert is_genuine(hangup)
    assert (ring.params["CallStatus"], ring.params["Event"]) == ("ringing", "Ring")
    params = hangup.params
    assert (params["CallStatus"], params["Event"]) == ("completed", "Hangup")
    assert (params["HangupCauseCode"], params["HangupCauseName"]) == (
        "4010",
        "End Of XML Instructions",
    )
    assert int(params["Duration"]) == int(params["BillDuration"]) >= 1
    assert params["TotalCost"] == "0.01000"
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", params[f"{name}Time"])
        for name in ("Start", "Answer", "End")
    )
    assert (ring.params["Sequence"], params["Sequence"]) == ("1", "2")


@pytest.mark.parametrize(
    "code", [code for code, cause in HANGUP_CAUSES.items() if cause.phase is Phase.AT_ONCE]
)
def test_an_unreachable_number_ends_at_once_without_ringing(
    api: Api, product: Product, code: int
) -> None:
    to = number(str(code))
    record = api.hung_up(api.call(to, product.url("never")))
    assert record["hangup_cause_code"] == code
    assert record["hangup_cause_name"] == HANGUP_CAUSES[code].name
    assert record["answer_time"] is None
    assert record["bill_duration"] == 0
    assert api.phone(to).call == {}


@pytest.mark.parametrize(("code", "least"), [(3000, 5), (6010, 5), (3020, 1)])
def test_an_unanswered_or_declined_number_rings_and_ends(
    api: Api, product: Product, code: int, least: float
) -> None:
    to = number(str(code))
    assert api.hung_up(api.call(to, product.url("never")))["hangup_cause_code"] == code
    call = api.phone(to).call
    rang, ended = (datetime.fromisoformat(call[name]) for name in ("started_at", "ended_at"))
    assert (ended - rang).total_seconds() * SPEED >= least


@pytest.mark.parametrize("code", [4000, 6020, 7011, 8011, 9110])
def test_an_ending_after_the_answer_comes_after_the_answer(
    api: Api, product: Product, path: str, code: int
) -> None:
    to = number(str(code))
    uuid = api.call(to, product.url(path))
    api.phone(to).answer()
    record = api.hung_up(uuid)
    assert record["hangup_cause_code"] == code
    assert record["answer_time"] is not None
    assert product.at(path) == []


def test_machine_detection_hangup_ends_the_call_of_a_machine(
    api: Api, product: Product, path: str
) -> None:
    uuid = api.call(number("9100"), product.url(path), machine_detection="hangup")
    record = api.hung_up(uuid)
    assert (record["hangup_cause_code"], record["hangup_cause_name"]) == (9100, "Machine Detected")
    assert product.at(path) == []


@pytest.mark.parametrize("detection", [{}, {"machine_detection": "true"}])
def test_a_machine_is_spoken_to_and_presses_no_key(
    api: Api, product: Product, path: str, detection: dict[str, str]
) -> None:
    product.documents[path] = listening(product.url(path + "/keys"), timeout=50)
    to = number("9100")
    phone = api.phone(to)
    phone.auto_answer(on=True)
    uuid = api.call(to, product.url(path), **detection)
    wait_for(lambda: phone.call and phone.transcript())
    assert phone.call["waits_for_key"] is False
    assert phone.do("press/1").status_code == 409
    assert api.hung_up(uuid)["hangup_cause_code"] == 4010
    assert phone.transcript() == ["Press a key.", "You pressed nothing."]
    assert phone.transcript("key") == []
    assert product.at(path + "/keys") == []


def test_a_person_cannot_answer_the_call_of_a_machine(
    api: Api, tmp_path: Path, product: Product
) -> None:
    with sandbox_on(tmp_path, speed=1) as slow:
        to = number("9100")
        slow.call(to, product.url("never"))
        assert slow.phone(to).do("answer").status_code == 409


def test_a_declined_call_is_rejected(api: Api, product: Product) -> None:
    to = number("5555")
    uuid = api.call(to, product.url("never"))
    assert api.phone(to).do("decline").json()["calls"][0]["status"] == "ended"
    record = api.hung_up(uuid)
    assert (record["hangup_cause_code"], record["hangup_source"]) == (3020, "Call recipient")


def test_an_unanswered_call_ends_at_its_ring_timeout(api: Api, product: Product) -> None:
    uuid = api.call(number("5555"), product.url("never"), ring_timeout=10)
    assert api.hung_up(uuid)["hangup_cause_name"] == "Ring Timeout Reached"


def test_an_answered_call_outlasts_its_ring_timeout(api: Api, product: Product, path: str) -> None:
    product.documents[path] = "<Response><Wait length='60'/></Response>"
    to = number("5555")
    uuid = api.call(to, product.url(path), ring_timeout=40)
    api.phone(to).answer()
    assert api.hung_up(uuid)["hangup_cause_code"] == 4010


def test_a_call_ends_once(api: Api, product: Product, path: str) -> None:
    to, other = number("5555"), number("5555")
    uuid = api.call(to, product.url("never"), ring_timeout=30, hangup_url=product.url(path))
    api.phone(to).do("decline")
    # When this call has reached its ring timeout, that of the declined call is past too.
    api.hung_up(api.call(other, product.url("never"), ring_timeout=40))
    assert api.hung_up(uuid)["hangup_cause_code"] == 3020
    api.finished_callbacks(uuid)
    assert product.values(path, "HangupCauseCode") == ["3020"]


def test_a_call_ends_at_its_time_limit_even_in_the_middle_of_a_speech_without_end(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = '<Response><Speak loop="0">On and on.</Speak></Response>'
    to = number("5555")
    uuid = api.call(to, product.url(path), time_limit=20)
    phone = api.phone(to)
    phone.answer()
    record = api.hung_up(uuid)
    assert record["hangup_cause_name"] == "Scheduled Hangup"
    assert set(phone.transcript()) == {"On and on."}
    assert len(phone.transcript()) > 3
    assert record["bill_duration"] >= 20
    assert record["billed_duration"] % 60 == 0


def test_the_person_can_hang_up(api: Api, product: Product, path: str) -> None:
    product.documents[path] = "<Response><Wait length='3600'/></Response>"
    to = number("5555")
    uuid = api.call(to, product.url(path))
    phone = api.phone(to)
    phone.answer()
    assert phone.do("hangup").status_code == 200
    record = api.hung_up(uuid)
    assert (record["hangup_cause_code"], record["hangup_source"]) == (4000, "Call recipient")
    assert phone.do("hangup").status_code == 409


@pytest.mark.parametrize(("answered", "code"), [(False, 1000), (True, 4000)])
def test_an_api_request_ends_a_live_call(
    api: Api, product: Product, path: str, answered: bool, code: int
) -> None:
    product.documents[path] = "<Response><Wait length='3600'/></Response>"
    to = number("5555")
    uuid = api.call(to, product.url(path))
    wait_for(lambda: api.phone(to).call)
    if answered:
        api.phone(to).answer()
    assert api.http.delete(f"{api.account}/Call/{uuid}/").status_code == 204
    record = api.hung_up(uuid)
    assert (record["hangup_cause_code"], record["hangup_source"]) == (code, "API Request")
    assert api.http.delete(f"{api.account}/Call/{uuid}/").status_code == 404


def test_a_call_is_live_until_it_is_in_the_log(api: Api, product: Product) -> None:
    to = number("5555")
    uuid = api.call(to, product.url("never"))
    wait_for(lambda: api.phone(to).call)
    live = api.get(f"/Call/{uuid}/", status="live").json()
    assert (live["call_status"], live["from"], live["to"]) == ("ringing", SENDER, to)
    assert uuid in api.get("/Call/", status="live").json()["calls"]
    assert api.get(f"/Call/{uuid}/").status_code == 404
    api.phone(to).do("decline")
    assert api.get(f"/Call/{uuid}/", status="live").status_code == 404
    assert uuid not in api.get("/Call/", status="live").json()["calls"]
    assert api.get(f"/Call/{uuid}/").status_code == 200


@pytest.mark.parametrize(
    ("suffix", "statuses"),
    [
        ("0801", ["ringing", "ringing", "busy", "busy"]),
        ("0802", ["busy", "ringing"]),
        ("0803", ["ringing", "failed", "busy"]),
        ("0804", []),
    ],
)
def test_callbacks_of_a_call_follow_the_ending_of_the_number(
    api: Api, product: Product, path: str, suffix: str, statuses: list[str]
) -> None:
    to, url = number(suffix), product.url(path)
    uuid = api.call(to, product.url("never"), ring_url=url, hangup_url=url)
    api.phone(to).do("decline")
    api.hung_up(uuid)
    api.finished_callbacks(uuid)
    assert product.values(path, "CallStatus") == statuses


@pytest.mark.parametrize("suffix", ["0030", "0700", "0705"])
def test_endings_of_messages_do_not_affect_calls(api: Api, product: Product, suffix: str) -> None:
    to = number(suffix)
    uuid = api.call(to, product.url("never"))
    assert api.phone(to).do("decline").status_code == 200
    assert api.hung_up(uuid)["hangup_cause_code"] == 3020


def test_endings_of_calls_do_not_affect_messages(api: Api) -> None:
    assert api.settled(api.send(number("3010")))["message_state"] == "delivered"


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"from": None}, "from"),
        ({"to": None}, "to"),
        ({"answer_url": None}, "answer_url"),
        ({"answer_url": "phlo:code"}, "answer_url"),
        ({"hangup_url": "x"}, "hangup_url"),
        ({"answer_method": "PUT"}, "answer_method"),
        ({"to": SENDER}, "identical"),
        ({"machine_detection": "maybe"}, "machine_detection"),
        ({"ring_timeout": "x"}, "ring_timeout"),
        ({"ring_timeout": 0}, "ring_timeout"),
        ({"time_limit": 86_401}, "time_limit"),
    ],
)
def test_a_wrong_parameter_of_a_call_is_refused_by_name(
    api: Api, product: Product, wrong: dict[str, object], names: str
) -> None:
    body = {"from": SENDER, "to": number("5555"), "answer_url": product.url("x"), **wrong}
    answer = api.post("/Call/", **body)
    assert answer.status_code == 400
    assert names in answer.json()["error"]


def test_ended_calls_are_listed_newest_first_and_filtered(api: Api, product: Product) -> None:
    to = number("3010")
    uuids = []
    for _ in range(3):
        uuids.append(api.call(to, product.url("never")))
        api.hung_up(uuids[-1])
    listed = api.get("/Call/", to_number=to).json()
    assert [record["call_uuid"] for record in listed["objects"]] == uuids[::-1]
    assert listed["meta"]["total_count"] == 3
    page = api.get("/Call/", to_number=to, limit=1, offset=1).json()
    assert [record["call_uuid"] for record in page["objects"]] == [uuids[1]]
    assert api.http.get(page["meta"]["next"]).json()["objects"][0]["call_uuid"] == uuids[0]
    assert api.get("/Call/", to_number=to, hangup_cause_code=4000).json()["objects"] == []
    assert len(api.get("/Call/", to_number=to, hangup_source="Carrier").json()["objects"]) == 3


def test_a_span_above_thirty_days_is_refused(api: Api) -> None:
    answer = api.get("/Call/", end_time__gte="2024-01-01 00:00", end_time__lte="2024-03-01 00:00")
    assert answer.status_code == 400
