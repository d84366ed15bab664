"""The inbox over HTTP: what arrived on all handsets, newest first."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from core.sandbox.inbox import SLICE, Inbox, InboxChannel, InboxEntry
from core.sandbox.storage import Storage
from tests.world import PATIENCE_SECONDS

from .support import SENDER, Api, Product, number, sandbox_on, wait_for
from .test_handset import watched

FIELDS = {
    "reference", "channel", "number", "number_display", "from", "from_display", "text", "code",
    "transcript", "state", "error_code", "hangup_cause_code", "hangup_cause_name", "requested_at",
    "arrived_at", "answered_at", "ended_at",
}  # fmt: skip
SPEECH = "<Response><Speak>Your code is</Speak><Speak>4, 7, 1, 1.</Speak></Response>"


def inbox(api: Api, **query: Any) -> dict[str, Any]:
    answer = api.http.get("/inbox", params=query, auth=None)
    assert answer.headers["cache-control"] == "no-store"
    page: dict[str, Any] = answer.raise_for_status().json()
    return page


def uuids(api: Api, **query: Any) -> list[str]:
    return [entry["reference"] for entry in inbox(api, **query)["entries"]]


def arrived(api: Api, to: str, text: str) -> str:
    uuid = api.send(to, text=text)
    api.settled(uuid)
    return uuid


def test_messages_and_calls_of_all_numbers_are_listed_newest_first(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = SPEECH
    first, second = number("5555"), number("5555")
    message = arrived(api, first, "Your code is 471029")
    phone = api.phone(second)
    call = api.call(second, product.url(path))
    wait_for(lambda: phone.call)
    assert uuids(api)[:2] == [call, message]
    phone.answer()
    api.hung_up(call)
    spoken, sent = inbox(api)["entries"][:2]
    assert set(spoken) == set(sent) == FIELDS
    assert (spoken["channel"], spoken["number"], spoken["from"]) == ("call", second, SENDER)
    assert (spoken["text"], spoken["code"]) == ("Your code is\n4, 7, 1, 1.", "4711")
    assert [line["text"] for line in spoken["transcript"]] == spoken["text"].split("\n")
    assert (spoken["state"], spoken["hangup_cause_code"]) == ("ended", 4010)
    assert (sent["channel"], sent["number"], sent["code"]) == ("sms", first, "471029")
    assert (sent["text"], sent["transcript"], sent["state"]) == (
        "Your code is 471029", None, "delivered",
    )  # fmt: skip
    assert sent["from_display"] == "+1 415-555-0100"
    assert sent["requested_at"] < sent["arrived_at"] < spoken["arrived_at"] < spoken["ended_at"]
    assert api.http.get(f"/inbox/{call}", auth=None).json() == spoken
    assert api.http.get("/inbox/unknown", auth=None).status_code == 404


def test_only_what_reaches_a_handset_is_listed(api: Api) -> None:
    refused = arrived(api, number("0030"), "spam")
    without_receipt = api.send(number("0700"))
    wait_for(lambda: without_receipt in uuids(api))
    assert refused not in uuids(api)
    assert api.http.get(f"/inbox/{without_receipt}").json()["state"] == "sent"


def test_a_search_finds_numbers_texts_and_codes(api: Api, product: Product, path: str) -> None:
    product.documents[path] = SPEECH.replace("4, 7, 1, 1", "9, 3, 7, 1, 5, 8")
    to = number("5555")
    message = arrived(api, to, "GRÜẞE: 100% of Öl_1, code 604-218")
    api.http.put(f"/handset/{to}/auto-answer", json={"on": True})
    call = api.call(to, product.url(path))
    api.hung_up(call)
    for search in (to, f"+{to}", f"+1 ({to[1:4]}) {to[4:7]}-{to[7:]}", f"+{to[:5]} {to[5:]}"):
        assert uuids(api, search=search) == [call, message]
    for search in ("grüße öl", "ÖL_1", "604218", "604 218", "100% of", f"{to} öl"):
        assert uuids(api, search=search) == [message]
    for search in ("937158", "9, 3, 7, 1"):
        assert uuids(api, search=search) == [call]
    assert uuids(api, search="Ö%1") == uuids(api, search="no such text") == []


def test_pages_continue_where_the_one_before_ended(api: Api) -> None:
    to = number("5555")
    sent = [arrived(api, to, f"page {n}") for n in range(5)]
    pages: list[list[str]] = []
    before = None
    while True:
        page = inbox(api, search=to, limit=2, **({"before": before} if before else {}))
        pages.append([entry["reference"] for entry in page["entries"]])
        before = page["next_before"]
        if before is None:
            break
    assert pages == [[sent[4], sent[3]], [sent[2], sent[1]], [sent[0]]]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "before=-1",
        "before=1.5",
        f"search={'x' * 201}",
        "serach=x",
    ],
)
def test_a_wrong_parameter_is_refused_by_name(api: Api, query: str) -> None:
    answer = api.http.get(f"/inbox?{query}", auth=None)
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]


def test_an_emptied_handset_is_not_in_the_inbox_and_what_comes_later_is(api: Api) -> None:
    kept, emptied = number("5555"), number("5555")
    other = arrived(api, kept, "one")
    arrived(api, emptied, "two")
    api.http.delete(f"/handset/{emptied}").raise_for_status()
    assert uuids(api, search=emptied) == []
    assert uuids(api, search=kept) == [other]
    later = arrived(api, emptied, "three")
    assert uuids(api, search=emptied) == [later]


def test_emptying_all_handsets_and_deleting_the_logs_empty_the_inbox(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as api:
        for address in ("/handset", "/log"):
            uuid = arrived(api, number("5555"), "one")
            assert uuids(api) == [uuid]
            api.http.delete(address).raise_for_status()
            assert uuids(api) == []


def test_every_change_of_any_handset_is_an_event(api: Api) -> None:
    to = number("5555")
    with httpx.stream("GET", f"{api.base}/inbox/events", timeout=PATIENCE_SECONDS) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": open"
        arrived(api, to, "one")
        assert next(line for line in lines if line.startswith("data")) == "data: changed"
    with watched(api, number("5555")) as others:
        arrived(api, to, "two")
        assert others == [": open"]


def test_a_message_that_is_saved_after_its_handset_was_emptied_stays_out(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.open(0)
    box = Inbox(storage)
    entry = InboxEntry("reference", InboxChannel.SMS, "14155550123", SENDER, 100.0, "one")
    storage.run("INSERT INTO handsets (number, cleared_at) VALUES ('14155550123', 100)")
    box.add(entry)
    assert list(box.slices("", None, 10)) == []
    storage.close()


def test_a_long_search_is_done_in_slices_and_finds_all(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.open(0)
    box = Inbox(storage)
    assert list(box.slices("", None, 10)) == []
    ids = [1, 2, SLICE, SLICE + 1, 3 * SLICE, 3 * SLICE + 1]
    for each in ids:
        storage.run("INSERT INTO inbox VALUES (:id, :id, 'sms', '1', NULL, 'acme')", id=each)

    def found(before: int | None, limit: int) -> list[int]:
        return [row["id"] for part in box.slices("ACME", before, limit) for row in part]

    assert found(None, 10) == ids[::-1]
    assert found(None, 3) == ids[:2:-1]
    assert found(3 * SLICE, 10) == ids[3::-1]
    assert found(1, 10) == []
    assert len(list(box.slices("nothing", None, 10))) == 4
    storage.close()


def test_the_inbox_survives_a_restart_and_loses_what_is_a_week_old(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as api:
        uuid = arrived(api, number("5555"), "one")
    with sandbox_on(tmp_path) as api:
        assert uuids(api) == [uuid]
    storage = Storage(tmp_path)
    storage.open(2**40)
    assert storage.rows("SELECT * FROM inbox") == []
    storage.close()
