"""The handset over HTTP."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from tests.world import PATIENCE_SECONDS

from .support import SENDER, Api, Product, number, wait_for

DOCUMENT = """<Response><GetDigits numDigits="1" timeout="600" action="{action}">
<Speak>Press a key.</Speak></GetDigits></Response>"""


@contextmanager
def watched(api: Api, number: str) -> Iterator[list[str]]:
    """The lines of the event stream, as they come."""
    lines: list[str] = []
    with httpx.stream(
        "GET", f"{api.base}/handset/{number}/events", timeout=PATIENCE_SECONDS
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"

        def read() -> None:
            try:
                lines.extend(iter_lines(answer, lines))
            except httpx.HTTPError:
                lines.append("broken")

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        wait_for(lambda: lines)
        yield lines


def iter_lines(answer: httpx.Response, lines: list[str]) -> list[str]:
    for line in answer.iter_lines():
        if line:
            lines.append(line)
    return ["end"]


def test_an_unused_handset_is_empty(api: Api) -> None:
    to = number("5555")
    answer = api.http.get(f"/handset/{to}", auth=None)
    assert answer.json() == {
        "number": to,
        "messages": [],
        "calls": [],
        "auto_answer": {"on": False, "press": "1"},
    }
    assert answer.headers["cache-control"] == "no-store"


def test_the_number_of_a_handset_can_have_a_plus(api: Api) -> None:
    to = number("5555")
    assert api.http.get(f"/handset/+{to}", auth=None).json()["number"] == to


@pytest.mark.parametrize("wrong", ["hello", "123456789012345"])
def test_an_invalid_number_has_no_handset(api: Api, wrong: str) -> None:
    answer = api.http.get(f"/handset/{wrong}")
    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "no-store"


def test_messages_are_shown_with_their_fields_newest_first(api: Api) -> None:
    to = number("5555")
    uuids = []
    for text in ("one", "two"):
        uuids.append(api.send(to, text=text))
        api.settled(uuids[-1])
    newest, oldest = api.phone(to).look()["messages"]
    assert (newest["text"], oldest["text"]) == ("two", "one")
    assert set(newest) == {"message_uuid", "from", "from_display", "text", "received_at"}
    assert (newest["message_uuid"], newest["from"]) == (uuids[1], SENDER)
    assert newest["from_display"] == "+1 415-555-0100"
    assert newest["received_at"].endswith("Z")
    received = datetime.fromisoformat(newest["received_at"])
    assert abs((datetime.now(UTC) - received).total_seconds()) < 10


def test_a_call_is_shown_from_ringing_to_its_end(api: Api, product: Product, path: str) -> None:
    product.documents[path] = DOCUMENT.format(action="")
    to = number("5555")
    uuid = api.call(to, product.url(path))
    phone = api.phone(to)
    wait_for(lambda: phone.call)
    assert phone.call == {
        "call_uuid": uuid,
        "from": SENDER,
        "from_display": "+1 415-555-0100",
        "status": "ringing",
        "started_at": phone.call["started_at"],
        "answered_at": None,
        "ended_at": None,
        "hangup_cause_code": None,
        "hangup_cause_name": None,
        "waits_for_key": False,
        "transcript": [],
    }
    phone.answer()
    wait_for(phone.waits)
    assert phone.call["status"] == "in-progress"
    (spoken,) = phone.call["transcript"]
    assert (spoken["kind"], spoken["text"]) == ("spoken", "Press a key.")
    phone.do("press/8")
    wait_for(phone.ended)
    call = phone.call
    assert (call["hangup_cause_code"], call["hangup_cause_name"]) == (
        4010,
        "End Of XML Instructions",
    )
    assert [part["text"] for part in call["transcript"]] == ["Press a key.", "8"]
    assert call["started_at"] < call["answered_at"] < call["ended_at"]


@pytest.mark.parametrize("action", ["answer", "decline", "press/1", "hangup"])
def test_no_action_is_possible_on_an_ended_call(api: Api, product: Product, action: str) -> None:
    to = number("5555")
    api.call(to, product.url("never"))
    phone = api.phone(to)
    phone.do("decline")
    answer = phone.do(action)
    assert answer.status_code == 409
    assert "error" in answer.json()


def test_a_ringing_call_accepts_no_key(api: Api, product: Product) -> None:
    to = number("5555")
    api.call(to, product.url("never"))
    assert api.phone(to).do("press/1").status_code == 409
    assert api.phone(to).do("hangup").status_code == 409
    api.phone(to).do("decline")


def test_a_call_is_answered_once(api: Api, product: Product, path: str) -> None:
    product.documents[path] = "<Response><Wait length='600'/></Response>"
    to = number("5555")
    api.call(to, product.url(path))
    phone = api.phone(to)
    assert phone.do("answer").status_code == 200
    assert phone.do("answer").status_code == 409
    phone.do("hangup")


def test_a_call_belongs_to_its_own_handset(api: Api, product: Product) -> None:
    to = number("5555")
    uuid = api.call(to, product.url("never"))
    other = api.http.post(f"/handset/{number('5555')}/calls/{uuid}/answer")
    assert other.status_code == 404
    api.phone(to).do("decline")


def test_an_invalid_key_cannot_be_pressed(api: Api, product: Product, path: str) -> None:
    product.documents[path] = "<Response><Wait length='600'/></Response>"
    to = number("5555")
    api.call(to, product.url(path))
    phone = api.phone(to)
    phone.answer()
    assert phone.do("press/A").status_code == 400
    assert phone.do("press/11").status_code == 400
    phone.do("hangup")


def test_auto_answer_answers_calls_and_presses_its_key(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = DOCUMENT.format(action=product.url(path + "/keys"))
    product.documents[path + "/keys"] = "<Response/>"
    to = number("5555")
    api.phone(to).auto_answer(on=True, press="5")
    assert api.phone(to).look()["auto_answer"] == {"on": True, "press": "5"}
    assert api.hung_up(api.call(to, product.url(path)))["hangup_cause_code"] == 4010
    assert product.values(path + "/keys", "Digits") == ["5"]


def test_auto_answer_also_answers_a_call_that_already_rings(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = "<Response><Speak>Hello.</Speak></Response>"
    to = number("5555")
    uuid = api.call(to, product.url(path))
    phone = api.phone(to)
    wait_for(lambda: phone.call)
    phone.auto_answer(on=True)
    assert api.hung_up(uuid)["hangup_cause_code"] == 4010


def test_auto_answer_without_a_key_presses_none(api: Api, product: Product, path: str) -> None:
    product.documents[path] = DOCUMENT.format(action=product.url("never")).replace("600", "9")
    to = number("5555")
    api.phone(to).auto_answer(on=True, press="")
    api.hung_up(api.call(to, product.url(path)))
    assert api.phone(to).transcript("key") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"on": 1},
        {"on": True, "press": "12"},
        {"on": True, "press": 1},
        {"on": True, "key": "2"},
    ],
)
def test_an_invalid_auto_answer_is_refused(api: Api, body: dict[str, object]) -> None:
    answer = api.http.put(f"/handset/{number('5555')}/auto-answer", json=body)
    assert answer.status_code == 400


def test_a_cleared_handset_is_empty_and_continues_to_receive(api: Api) -> None:
    to = number("5555")
    first = api.send(to, text="before")
    api.settled(first)
    assert api.http.delete(f"/handset/{to}").json()["messages"] == []
    api.settled(api.send(to, text="after"))
    assert api.phone(to).texts == ["after"]
    assert api.get(f"/Message/{first}/").status_code == 200


def test_no_more_than_fifty_messages_are_shown(api: Api) -> None:
    to = number("5555")
    sent = api.post("/Message/", src=SENDER, dst="<".join([to] * 51), text="hello").json()
    for uuid in sent["message_uuid"]:
        api.settled(uuid)
    assert len(api.phone(to).texts) == 50


def test_a_change_of_a_handset_notifies_only_its_watchers(api: Api) -> None:
    to, other = number("5555"), number("5555")
    with watched(api, f"+{to}") as lines, watched(api, other) as others:
        api.settled(api.send(to))
        wait_for(lambda: "data: changed" in lines)
        assert others == [": open"]


@pytest.mark.parametrize("change", ["clear", "auto-answer", "ring", "decline"])
def test_every_change_of_a_handset_notifies_its_watchers(
    api: Api, product: Product, change: str
) -> None:
    to = number("5555")
    phone = api.phone(to)
    if change == "decline":
        api.call(to, product.url("never"))
        wait_for(lambda: phone.call)
    with watched(api, to) as lines:
        match change:
            case "clear":
                api.http.delete(f"/handset/{to}")
            case "auto-answer":
                phone.auto_answer(on=False)
            case "ring":
                api.call(to, product.url("never"))
            case _:
                phone.do("decline")
        wait_for(lambda: "data: changed" in lines)


def test_a_stream_ends_when_the_sandbox_stops(
    started: Callable[[], tuple[Api, Callable[[], None]]],
) -> None:
    api, stop = started()
    with watched(api, number("5555")) as lines:
        stop()
        wait_for(lambda: lines[-1] == "end")


def test_keys_before_the_answer_document_and_after_the_end_are_no_error(api: Api) -> None:
    # A product that accepts the connection and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = number("5555")
        uuid = api.call(to, f"http://127.0.0.1:{silent.getsockname()[1]}/answer")
        phone = api.phone(to)
        phone.answer()
        for key in ("1", "%23", "1"):
            assert phone.do(f"press/{key}").status_code == 200
        assert phone.transcript("ignored-key") == ["1", "#", "1"]
        for key in ("12", "A", "%D9%A1", "%2F"):
            assert phone.do(f"press/{key}").status_code in {400, 404}
        assert phone.do("hangup").status_code == 200
        api.hung_up(uuid)
        assert phone.do("press/1").status_code == 409
