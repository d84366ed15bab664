"""The sandbox's PHLO: get it, run it as a message or a call."""

import ast
from typing import Any

import pytest

from .support import AUTH_ID, SENDER, Api, number, wait_for

PHLO = "11111111-2222-3333-4444-555555555555"


def run(api: Api, phlo_id: str = PHLO, **payload: Any) -> dict[str, object]:
    answer = api.http.post(f"/v1/account/{AUTH_ID}/phlo/{phlo_id}/", json=payload)
    body: dict[str, object] = answer.json()
    return {"status": answer.status_code, **body}


def inner(answer: dict[str, object]) -> dict[str, object]:
    """The answer of the node, which the message contains as a Python repr."""
    message = str(answer["message"])
    node_answer: dict[str, object] = ast.literal_eval(message[message.index("{") :])
    return node_answer


def test_every_phlo_id_exists_except_those_ending_in_404(api: Api) -> None:
    phlo = api.http.get(f"/v1/phlo/{PHLO}/")
    assert phlo.status_code == 200
    assert {"api_id", "phlo_id", "name", "created_on"} == set(phlo.json())
    assert api.http.get("/v1/phlo/abc404/").status_code == 404
    assert run(api, "abc404")["status"] == 404


def test_mode_sms_sends_the_code_and_names_the_message(api: Api) -> None:
    to = number("5555")
    payload: dict[str, Any] = {"from": SENDER, "to": to, "otp": "4711", "mode": "sms", "else": 1}
    answer = run(api, **payload)
    assert answer["status"] == 201
    assert answer["phlo_run_id"]
    uuids = inner(answer)["message_uuid"]
    assert isinstance(uuids, list)
    assert api.settled(uuids[0])["to_number"] == to
    assert api.phone(to).texts == ["Your verification code is 4711."]
    assert api.callbacks(uuids[0]) == []


def test_the_code_is_not_in_the_answer(api: Api) -> None:
    answer = run(api, **{"from": SENDER, "to": number("5555"), "otp": "984711", "mode": "sms"})
    assert "984711" not in str(answer)


def test_mode_call_speaks_the_digits_only_after_a_key(api: Api) -> None:
    to = number("5555")
    answer = run(api, **{"from": SENDER, "to": to, "otp": "4711", "mode": "call"})
    assert answer["status"] == 201
    phone = api.phone(to)
    phone.answer()
    wait_for(phone.waits)
    assert not any("4" in text for text in phone.transcript())
    phone.do("press/1")
    record = api.hung_up(str(inner(answer)["request_uuid"]))
    assert record["hangup_cause_code"] == 4010
    assert phone.transcript()[-3:] == ["Your verification code is 4, 7, 1, 1."] * 3


def test_without_a_key_the_digits_are_not_spoken(api: Api) -> None:
    to = number("5555")
    answer = run(api, **{"from": SENDER, "to": to, "otp": "4711", "mode": "call"})
    phone = api.phone(to)
    phone.answer()
    api.hung_up(str(inner(answer)["request_uuid"]))
    assert len(phone.transcript()) == 3
    assert not any("4" in text for text in phone.transcript())


def test_nothing_is_spoken_to_a_machine(api: Api) -> None:
    to = number("9100")
    answer = run(api, **{"from": SENDER, "to": to, "otp": "4711", "mode": "call"})
    assert api.hung_up(str(inner(answer)["request_uuid"]))["hangup_cause_code"] == 9100
    assert api.phone(to).transcript() == []


@pytest.mark.parametrize("missing", ["from", "to", "otp", "mode"])
def test_a_run_with_a_missing_value_is_refused(api: Api, missing: str) -> None:
    payload: dict[str, Any] = {"from": SENDER, "to": number("5555"), "otp": "4711", "mode": "sms"}
    del payload[missing]
    answer = run(api, **payload)
    assert answer["status"] == 400
    assert missing in str(answer["error"])


def test_a_mode_that_does_not_exist_is_refused(api: Api) -> None:
    answer = run(api, **{"from": SENDER, "to": number("5555"), "otp": "4711", "mode": "fax"})
    assert answer["status"] == 400
