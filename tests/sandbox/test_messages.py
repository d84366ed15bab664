"""Messages over HTTP: requests, states, log records."""

import re
from datetime import UTC, datetime

import pytest

from core.sandbox.facts.message_errors import MESSAGE_ERRORS

from .support import SENDER, SPEED, Api, Product, number, wait_for


def test_a_message_is_accepted_with_an_api_id_and_one_uuid(api: Api) -> None:
    answer = api.post("/Message/", src=SENDER, dst=number("5555"), text="hello")
    assert answer.status_code == 202
    assert set(answer.json()) == {"api_id", "message", "message_uuid"}
    assert answer.json()["message"] == "message(s) queued"
    assert len(answer.json()["message_uuid"]) == 1


def test_each_of_several_destinations_gets_a_message(api: Api) -> None:
    numbers = [number("5555"), number("5555")]
    uuids = api.post("/Message/", src=SENDER, dst="<".join(numbers), text="hello").json()
    assert [api.message(uuid)["to_number"] for uuid in uuids["message_uuid"]] == numbers


def test_a_message_arrives_on_the_handset_with_its_text(api: Api) -> None:
    to = number("5555")
    api.settled(api.send(to, text="Your code is 4711"))
    assert api.phone(to).texts == ["Your code is 4711"]


def test_a_message_that_is_not_logged_still_reaches_the_phone(api: Api) -> None:
    to = number("5555")
    api.settled(api.send(to, text="Your code is 4711", log="false"))
    assert api.phone(to).texts == ["Your code is 4711"]


def test_the_text_is_in_no_record_and_in_no_callback(api: Api, product: Product, path: str) -> None:
    to = number("5555")
    uuid = api.send(to, text="SECRET-4711", url=product.url(path))
    api.all_callbacks(uuid)
    records = api.get(f"/Message/{uuid}/").text + api.get("/Message/", to_number=to).text
    assert "SECRET-4711" not in records + repr(product.at(path)) + repr(api.callbacks(uuid))


def test_separators_in_a_number_do_not_matter(api: Api) -> None:
    to = number("5555")
    uuid = api.send(f"+{to[0]} ({to[1:4]}) {to[4:7]}-{to[7:]}")
    assert api.message(uuid)["to_number"] == to


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"src": None}, "src"),
        ({"dst": None}, "dst"),
        ({"text": ""}, "text"),
        ({"dst": "123456789012345"}, "14 digits"),
        ({"dst": "hello"}, "destination"),
        ({"dst": "0x41"}, "destination"),
        ({"dst": f"+{SENDER}"}, "identical to src"),
        ({"src": "LONGERTHAN11"}, "src"),
        ({"url": "ftp://example.com"}, "url"),
        ({"method": "PATCH"}, "method"),
        ({"log": "maybe"}, "log"),
        ({"message_expiry": 4}, "message_expiry"),
        ({"message_expiry": 10801}, "message_expiry"),
        ({"message_expiry": "soon"}, "message_expiry"),
        ({"type": "fax"}, "type"),
        ({"text": "é" * 1601}, "longer"),
        ({"text": "漢" * 738}, "longer"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    api: Api, wrong: dict[str, object], names: str
) -> None:
    body = {"src": SENDER, "dst": number("5555"), "text": "hello", **wrong}
    answer = api.post("/Message/", **body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"api_id", "error"}
    assert names in answer.json()["error"]


def test_a_body_that_is_not_a_json_object_is_refused(api: Api) -> None:
    for body in (b"dst=1", b"[1]", b"\xff"):
        answer = api.http.post(api.account + "/Message/", content=body)
        assert answer.status_code == 400
        assert "JSON" in answer.json()["error"]


@pytest.mark.parametrize(
    ("text", "units"),
    [("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("漢" * 70, 1), ("漢" * 71, 2)],
)
def test_units_follow_the_alphabet_of_the_text(api: Api, text: str, units: int) -> None:
    assert api.message(api.send(number("5555"), text=text))["units"] == units


def test_the_record_of_a_delivered_message_has_plivos_fields(api: Api) -> None:
    to = number("5555")
    record = api.settled(api.send(to))
    assert record["message_state"] == "delivered"
    assert record["error_code"] == "000"
    assert (record["from_number"], record["to_number"]) == (SENDER, to)
    assert (record["total_rate"], record["total_amount"]) == ("0.00770", "0.00770")
    assert record["destination_country_iso2"] == "US"
    assert record["resource_uri"].endswith(f"/Message/{record['message_uuid']}/")
    times = [record[f"message_{name}time"] for name in ("", "sent_", "updated_")]
    assert all(re.fullmatch(r"[\d-]{10} [\d:]{8}(\.\d{0,5}[1-9])?\+05:30", t) for t in times)
    moments = [datetime.fromisoformat(time) for time in times]
    assert moments == sorted(moments)
    assert abs((datetime.now(UTC) - moments[0]).total_seconds()) < 10


def test_an_unknown_message_is_404(api: Api) -> None:
    answer = api.get("/Message/00000000-0000-0000-0000-000000000000/")
    assert answer.status_code == 404
    assert "error" in answer.json()


@pytest.mark.parametrize("code", sorted(MESSAGE_ERRORS))
def test_a_number_ending_in_0_and_an_error_code_gets_that_error(api: Api, code: int) -> None:
    to = number(f"0{code:03}")
    record = api.settled(api.send(to))
    assert record["error_code"] == str(code)
    assert record["message_state"] == MESSAGE_ERRORS[code].state
    assert api.phone(to).texts == []
    charged = record["message_state"] == "undelivered"
    assert (record["total_amount"] != "0.00000") is charged


def test_an_expiring_message_fails_at_its_expiry(api: Api) -> None:
    uuid = api.send(number("0420"), message_expiry=20)
    assert api.message(uuid)["message_state"] == "queued"
    record = api.settled(uuid)
    queued, failed = (
        datetime.fromisoformat(record[name]) for name in ("message_time", "message_updated_time")
    )
    assert (failed - queued).total_seconds() >= 20 / SPEED
    assert record["message_sent_time"] is None


def test_a_late_message_is_late_by_the_seconds_in_its_number(api: Api) -> None:
    to = number("0730")
    record = api.settled(api.send(to))
    sent, delivered = (
        datetime.fromisoformat(record[name])
        for name in ("message_sent_time", "message_updated_time")
    )
    assert record["message_state"] == "delivered"
    # On a busy machine, the moment of sending is recorded a little late.
    assert (delivered - sent).total_seconds() >= 30 / SPEED - 0.05


def test_without_a_receipt_a_message_arrives_and_stays_sent(
    api: Api, product: Product, path: str
) -> None:
    to = number("0700")
    uuid = api.send(to, url=product.url(path))
    wait_for(lambda: api.phone(to).texts)
    assert api.message(uuid)["message_state"] == "sent"
    api.finished_callbacks(uuid)
    assert product.values(path, "Status") == ["queued", "sent"]


def test_messages_are_listed_newest_first_and_pages_join_without_gaps(api: Api) -> None:
    to = number("5555")
    uuids = [api.send(to) for _ in range(23)]
    first = api.get("/Message/", to_number=to).json()
    assert (first["meta"]["limit"], first["meta"]["offset"]) == (20, 0)
    assert first["meta"]["previous"] is None
    second = api.http.get(first["meta"]["next"]).json()
    assert second["meta"]["next"] is None
    assert "offset=0" in second["meta"]["previous"]
    listed = [record["message_uuid"] for record in first["objects"] + second["objects"]]
    assert listed == uuids[::-1]


@pytest.mark.parametrize(
    "wrong", [{"limit": 21}, {"limit": 0}, {"limit": "x"}, {"offset": -1}, {"message_time": "x"}]
)
def test_a_wrong_page_is_refused(api: Api, wrong: dict[str, object]) -> None:
    assert api.get("/Message/", **wrong).status_code == 400


def test_each_filter_of_messages_is_applied(api: Api) -> None:
    good, bad = number("5555"), number("0030")
    uuids = {to: api.send(to) for to in (good, bad)}
    for uuid in uuids.values():
        api.settled(uuid)

    def listed(**query: str) -> set[str]:
        objects = api.get("/Message/", **query).json()["objects"]
        return {record["message_uuid"] for record in objects} & set(uuids.values())

    assert listed() == set(uuids.values())
    assert listed(message_state="undelivered") == {uuids[bad]}
    assert listed(error_code="30") == {uuids[bad]}
    assert listed(to_number=f"+{good}") == {uuids[good]}
    assert listed(from_number="19999999999") == set()
    assert listed(message_direction="inbound") == set()


def test_time_filters_are_read_as_utc(api: Api) -> None:
    to = number("5555")
    uuid = api.send(to)
    at = datetime.fromisoformat(api.message(uuid)["message_time"]).astimezone(UTC)
    text = f"{at:%Y-%m-%d %H:%M:%S.%f}"

    def is_listed(**query: str) -> bool:
        return bool(api.get("/Message/", to_number=to, **query).json()["objects"])

    assert is_listed(message_time__gte=text)
    assert is_listed(message_time__lte=text)
    assert is_listed(message_time=text)
    assert not is_listed(message_time__gt=text)
    assert not is_listed(message_time__lt=text)


def test_a_masked_log_hides_the_middle_of_the_number(api: Api) -> None:
    to = number("5555")
    masked = api.message(api.send(to, log="content_only"))["to_number"]
    assert masked == f"{to[:3]}XXXXX{to[-3:]}"
    assert api.message(api.send(to, log="false"))["to_number"] == to
