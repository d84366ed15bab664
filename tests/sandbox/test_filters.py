"""Filters of lists: documented filters are applied, all others are refused."""

import inspect
import itertools
from collections.abc import Callable

import plivo
import pytest
from plivo.resources.live_calls import LiveCalls

from .support import SENDER, Api, Product, number, wait_for

MESSAGES = [
    *("subaccount", "message_direction", "message_time", "message_state", "message_type"),
    *("error_code", "powerpack_id", "from_number", "to_number", "destination_country_iso2"),
    *("tendlc_registration_status", "tendlc_campaign_id", "conversation_id"),
    *("conversation_origin", "limit", "offset"),
]
CALLS = [
    *("subaccount", "call_direction", "from_number", "to_number", "parent_call_uuid"),
    *("bill_duration", "end_time", "hangup_cause_code", "hangup_source", "limit", "offset"),
]
OPERATORS = ("__gt", "__gte", "__lt", "__lte")


def listed(api: Api, kind: str, **query: object) -> list[str]:
    """The UUIDs of a list."""
    answer = api.get(f"/{kind}/", **query)
    assert answer.status_code == 200, (query, answer.text)
    return [record[f"{kind.lower()}_uuid"] for record in answer.json()["objects"]]


@pytest.mark.parametrize("kind", ["Message", "Call"])
@pytest.mark.parametrize(
    "query",
    [
        {"nonsense": "1"},
        {"to": "14155550123"},
        {"to_number__gt": "1"},
        {"cursor": "x"},
        {"Limit": "1"},
        {"from_number": ["1", "2"]},
        {"offset": "9" * 30},
        {"offset": "-1"},
        {"limit": "²"},
        {"limit": ""},
    ],
)
def test_an_unknown_filter_is_refused_by_name(
    api: Api, kind: str, query: dict[str, object]
) -> None:
    answer = api.get(f"/{kind}/", **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["error"]


#: Values that are possible and do not match.
OTHERS = {
    "message_state": "received",
    "message_direction": "inbound",
    "message_type": "mms",
    "call_direction": "inbound",
    "hangup_source": "Caller",
    "bill_duration": "999",
    "hangup_cause_code": "999",
}


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("Message", {"call_direction": "outbound"}),
        ("Message", {"message_state": "lost"}),
        ("Message", {"message_direction": "out"}),
        ("Message", {"message_type": "SMS"}),
        ("Call", {"call_direction": "out"}),
        ("Call", {"hangup_source": "caller"}),
        ("Call", {"status": "live", "call_direction": "out"}),
        ("Call", {"message_direction": "outbound"}),
        ("Call", {"bill_duration__gt": "much"}),
        ("Call", {"bill_duration": "9" * 30}),
        ("Call", {"hangup_cause_code": "²"}),
        ("Call", {"hangup_cause_code": "9" * 30}),
        ("Call", {"status": "lost"}),
        ("Call", {"status": "live", "hangup_source": "Caller"}),
    ],
)
def test_a_filter_of_another_list_or_kind_is_refused(
    api: Api, kind: str, query: dict[str, str]
) -> None:
    assert api.get(f"/{kind}/", **query).status_code == 400


@pytest.mark.parametrize("kind", ["Message", "Call"])
def test_an_answer_to_a_callback_address_is_not_simulated(api: Api, kind: str) -> None:
    answer = api.get(f"/{kind}/", callback_url="http://127.0.0.1/")
    assert answer.status_code == 501
    assert "callback_url" in answer.json()["error"]


def test_the_log_of_callbacks_refuses_other_filters(api: Api) -> None:
    path = "/v1/sandbox/callbacks"
    assert api.http.get(path, params={"reference": "x"}).status_code == 200
    assert api.http.get(path, params={"limit": "1"}).status_code == 400


def test_every_documented_filter_of_messages_is_honoured(api: Api) -> None:
    uuid = api.send(number("5555"))
    record = api.settled(uuid)
    for name in MESSAGES:
        if name in {"limit", "offset", "message_time"}:
            continue
        value = {"subaccount": None}.get(name, record.get(name))
        wrong = OTHERS.get(name, "other")
        assert uuid not in listed(api, "Message", **{name: wrong}), name
        if value is not None:
            assert uuid in listed(api, "Message", **{name: value}), name


def test_every_documented_filter_of_calls_is_honoured(api: Api) -> None:
    uuid = api.call(number("5555"), "http://127.0.0.1:9/nothing")
    assert api.phone(record_to(api, uuid)).do("answer").is_success
    record = api.hung_up(uuid)
    for name in CALLS:
        if name in {"limit", "offset", "end_time"}:
            continue
        value = record.get(name)
        wrong = OTHERS.get(name, "other")
        assert uuid not in listed(api, "Call", **{name: wrong}), name
        if value is not None:
            assert uuid in listed(api, "Call", **{name: value}), name


#: The SDK has them, but a direction has no order and Plivo's pages do not name them.
SENSELESS = {f"call_direction{operator}" for operator in OPERATORS}
VALUES = {"limit": 1, "offset": 0, "status": "live", **OTHERS}


@pytest.mark.parametrize(
    ("kind", "listing"),
    [
        ("Message", plivo.resources.Messages.list),
        ("Call", plivo.resources.Calls.list),
        ("Call?status=live", LiveCalls.list_ids),
    ],
)
def test_every_filter_of_the_sdk_is_accepted(
    api: Api, kind: str, listing: Callable[..., object]
) -> None:
    resource, _, query = kind.partition("?")
    asynchronous = {"callback_url", "callback_method"}
    for name in set(inspect.signature(listing).parameters) - {"self", "cursor"} - SENSELESS:
        value = VALUES.get(name, "2026-01-01 00:00" if "time" in name else "1")
        path = f"{api.account}/{resource}/?{query}"
        answer = api.http.get(path + f"&{name}={value}")
        assert answer.status_code == (501 if name in asynchronous else 200), (name, answer.text)


def record_to(api: Api, uuid: str) -> str:
    """The number of a live call."""
    to: str = wait_for(lambda: api.get(f"/Call/{uuid}/", status="live").json().get("to"))
    return to


def test_calls_are_filtered_by_bill_duration(api: Api, product: Product, path: str) -> None:
    product.documents[path] = "<Response><Wait length='30'/></Response>"
    talked = api.call(number("5555"), product.url(path))
    api.phone(record_to(api, talked)).answer()
    missed = api.call(number("5555"), product.url(path))
    api.phone(record_to(api, missed)).do("decline")
    seconds = api.hung_up(talked)["bill_duration"]
    assert seconds >= 30
    assert api.hung_up(missed)["bill_duration"] == 0
    for operator, bound in itertools.product(("", *OPERATORS), (0, seconds - 1, seconds, 1000)):
        calls = listed(api, "Call", **{f"bill_duration{operator}": bound})
        for uuid, length in ((talked, seconds), (missed, 0)):
            fits = {
                "": length == bound,
                "__gt": length > bound,
                "__gte": length >= bound,
                "__lt": length < bound,
                "__lte": length <= bound,
            }[operator]
            assert (uuid in calls) is fits, (operator, bound, length)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"end_time__gte": "2026-01-01 00:00"}, 200),
        ({"end_time__lt": "2026-01-01 00:00"}, 200),
        ({"end_time__gt": "2026-01-01 00:00", "end_time__lte": "2026-01-31 00:00"}, 200),
        ({"end_time__gt": "2026-01-01 00:00", "end_time__lte": "2026-02-01 00:00"}, 400),
    ],
)
def test_calls_are_listed_for_at_most_30_days(api: Api, query: dict[str, str], status: int) -> None:
    assert api.get("/Call/", **query).status_code == status


def test_live_calls_are_filtered_and_paged(api: Api) -> None:
    to = number("5555")
    uuid = api.call(to, "http://127.0.0.1:9/nothing")
    wait_for(lambda: api.phone(to).call)

    def live(**query: object) -> list[str]:
        answer = api.get("/Call/", status="live", to_number=to, **query)
        assert answer.status_code == 200, answer.text
        calls: list[str] = answer.json()["calls"]
        return calls

    assert live() == live(limit=20, offset=0, call_direction="outbound") == [uuid]
    assert live(from_number=SENDER) == [uuid]
    assert live(offset=1) == live(call_direction="inbound") == live(from_number="1") == []
    api.http.delete(f"{api.account}/Call/{uuid}/")
