"""Odd values from Plivo: each costs nothing but itself, whatever it is and wherever it stands."""

import json
import math
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.ledger.exchanges import Exchanges
from core.model.attempt import AttemptEvent, EventKind
from core.model.code import Code
from core.model.errors import ProviderError, ProviderRead
from core.model.exchange import Exchange
from core.model.way import Way
from core.plivo import values
from core.plivo.callback_address import CallbackUrls
from core.plivo.callbacks import CallCallback, HangupCallback, MessageCallback, MessageState
from core.plivo.phlo import Phlo
from core.plivo.records import LogRow, call_events, live_call_event, message_events
from core.plivo.request import AttemptRequest
from core.plivo.sdk_call import SdkCall
from core.plivo.sms import Sms
from core.plivo.voice import Voice
from core.settings.settings import Settings
from core.store.keys import Keys
from tests.plivo.scripted import RECORD, REFERENCE, TO_NUMBER, Answer, Scripted, scripted
from tests.plivo.test_callbacks import DELIVERED, HANGUP, QUEUED
from tests.plivo.test_records import CALL, LIVE, MESSAGE
from tests.properties import examples

ATTEMPT = "abcdefghijklmnopqrstuvwx-1"
NOW = datetime(2024, 8, 21, 13, 0, tzinfo=UTC)

ODD: list[Any] = [
    True,
    False,
    -1,
    1.5,
    10**400,
    math.nan,
    math.inf,
    "nan",
    "-0.5",
    "1e9",
    "9" * 50,
    "９",
    "a\0b",
    "\ud83d",
    "x" * 100_000,
    "9999-12-31 23:59:59",
    "9999-12-31 23:59:59-12:00",
    "0001-01-01 00:00:00+12:00",
    "not a time",
    [],
    ["1"],
    {},
    {"a": [1]},
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**301)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.datetimes().map(str)
    | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FORM = st.text(max_size=30) | st.sampled_from(
    [odd for odd in ODD if isinstance(odd, str) and odd.isascii()]
)


def changes(names: Any, value: Any) -> Any:
    """Some fields with odd values, others missing."""
    return st.tuples(
        st.dictionaries(st.sampled_from(sorted(names)), value, max_size=6),
        st.sets(st.sampled_from(sorted(names)), max_size=3),
    )


def changed(whole: dict[str, Any], change: tuple[dict[str, Any], set[str]]) -> dict[str, Any]:
    odd, missing = change
    return {name: value for name, value in (whole | odd).items() if name not in missing}


def is_storable(event: AttemptEvent) -> bool:
    """Whether the ledger and every reader of it can take this."""
    fields = event.fields
    assert all(value.encode() and value.isprintable() for value in fields.values())
    assert 0 <= int(fields.get("units", "0")) <= 1_000_000
    assert 0 <= int(fields.get("cost_micros", "0")) < 10**15
    for name in ("error_code", "hangup_cause", "mcc", "mnc"):
        assert fields.get(name, "0").isascii()
        assert fields.get(name, "0").isdigit()
    assert event.at.tzinfo is not None
    assert event.at <= NOW + values.AHEAD
    assert event.at.year >= 2000
    for left_out in event.unreadable:
        assert left_out.shown.isprintable()
        assert len(left_out.shown) <= 60
    return True


@given(changes(DELIVERED, FORM))
def test_any_message_callback_is_an_event_or_refused(change: Any) -> None:
    form = changed(DELIVERED, change)
    try:
        callback = MessageCallback.model_validate(form)
    except ValidationError:
        # Only without these two facts it is no news.
        states = {state.value for state in MessageState}
        assert not form.get("MessageUUID", "").strip() or form.get("Status") not in states
    else:
        assert is_storable(callback.event(ATTEMPT, NOW))


@given(changes(HANGUP, FORM))
def test_any_call_callback_is_an_event_or_refused(change: Any) -> None:
    form = changed(HANGUP, change)
    try:
        ended = HangupCallback.model_validate(form)
        other = CallCallback.model_validate(form)
    except ValidationError:
        assert not form.get("CallUUID", "").strip()
    else:
        assert is_storable(ended.end(ATTEMPT, NOW))
        assert is_storable(other.event(ATTEMPT, EventKind.RINGING, NOW))


@given(changes(MESSAGE, JSON))
def test_any_message_record_is_an_event_or_a_named_error(change: Any) -> None:
    record = SimpleNamespace(**changed(MESSAGE, change))
    LogRow.model_validate(record)
    try:
        events = message_events(ATTEMPT, record, NOW)
    except ProviderRead:
        return
    assert all(is_storable(event) for event in events)


@given(changes(CALL, JSON), changes(LIVE, JSON))
def test_any_call_record_is_an_event_or_a_named_error(change: Any, live_change: Any) -> None:
    record = SimpleNamespace(**changed(CALL, change))
    LogRow.model_validate(record)
    try:
        assert all(is_storable(event) for event in call_events(ATTEMPT, record, NOW))
        live = live_call_event(ATTEMPT, SimpleNamespace(**changed(LIVE, live_change)), NOW)
    except ProviderRead:
        return
    assert live is None or is_storable(live)


@given(JSON)
@example("1e979999")  # Without a limit this takes 25 seconds, once.
def test_a_parser_reads_a_value_or_raises_value_error(value: Any) -> None:
    for parser in (
        values.text,
        values.code,
        values.whole,
        values.micros,
        values.moment,
        values.utc_moment,
    ):
        try:
            parser(value)
        except ValueError:
            continue
    assert len(values.masked_value("Units", value)) <= 60


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("0.00650", 6500),
        ("0.00000", 0),
        ("12", 12_000_000),
        (0.0065, 6500),
        (6.5e-05, 65),
        (2, 2e6),
    ],
)
def test_an_amount_is_counted_in_millionths_of_a_dollar(amount: Any, micros: float) -> None:
    assert values.micros(amount) == micros


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:20])
def test_an_unreadable_value_is_left_out_and_a_delivered_is_not_lost(odd: Any) -> None:
    """Each in every field that only describes the delivery."""
    describing = MESSAGE.keys() - {"message_state", "message_uuid"}
    for name in describing:
        record = SimpleNamespace(**(MESSAGE | {name: odd}))
        assert message_events(ATTEMPT, record, NOW)[-1].kind is EventKind.DELIVERED
    if isinstance(odd, str) and odd.isascii():
        for name in DELIVERED.keys() - {"Status"}:
            callback = MessageCallback.model_validate(DELIVERED | {name: odd})
            assert callback.event(ATTEMPT, NOW).kind is EventKind.DELIVERED
    for name in ("end_time", "answer_time", "total_amount", "hangup_cause_code"):
        record = SimpleNamespace(**(CALL | {name: odd}))
        assert call_events(ATTEMPT, record, NOW)[-1].kind is EventKind.DELIVERED


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=365 * 20)])
def test_a_report_from_the_future_has_the_time_of_its_arrival(ahead: timedelta) -> None:
    form = DELIVERED | {"DeliveryReportTime": f"{NOW + ahead:%Y-%m-%d %H:%M:%S}"}
    event = MessageCallback.model_validate(form).event(ATTEMPT, NOW)
    assert (event.kind, event.at) == (EventKind.DELIVERED, NOW)
    assert [one.field for one in event.unreadable] == ["DeliveryReportTime"]


def test_a_left_out_value_is_listed_escaped_masked_and_short() -> None:
    form = QUEUED | {"Units": "+1 415 555 0123\n" + "x" * 500, "TotalAmount": "nan"}
    event = MessageCallback.model_validate(form).event(ATTEMPT, NOW)
    shown = {one.field: one.shown for one in event.unreadable}
    assert shown.keys() == {"Units", "TotalAmount"}
    assert shown["TotalAmount"] == "'nan'"
    assert "555 0123" not in shown["Units"]
    assert "\n" not in shown["Units"]
    assert len(shown["Units"]) <= 60
    pressed = CallCallback.model_validate(HANGUP | {"Digits": "471122\0"})
    assert "471122" not in repr(pressed.unreadable)


def test_an_absent_value_is_not_unreadable() -> None:
    record = SimpleNamespace(**(MESSAGE | {"units": None, "error_code": "", "mcc": None}))
    assert message_events(ATTEMPT, record, NOW)[0].unreadable == ()


# Whole answers, through the SDK


@pytest.fixture(scope="module")
def plivo() -> Any:
    with scripted() as script:
        yield script


def body(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode())


REQUEST = AttemptRequest(ATTEMPT, Way.SMS, TO_NUMBER, Code("471122"), 5)
URLS = CallbackUrls("http://h/m", "http://h/r", "http://h/a", "http://h/h")


@settings(max_examples=examples(60))
@given(
    st.dictionaries(
        st.sampled_from(
            ["message_uuid", "request_uuid", "message", "api_id", "meta", "objects", "calls", "id"]
        )
        | st.text(max_size=5),
        JSON,
        max_size=5,
    )
    | JSON
)
@example({"message_uuid": [{"a": 1}], "request_uuid": ["\0"]})
@example({"message_uuid": [None], "request_uuid": [None]})
@example({"objects": [{"message_uuid": 1}], "meta": 5})
def test_any_json_is_a_named_error_or_a_reference(plivo: Scripted, answer: Any) -> None:
    clients, chosen = plivo.clients(), Settings()
    exchanges: list[Exchange] = []
    for channel in (Sms(clients, chosen), Voice(clients, chosen), Phlo(clients, chosen)):
        plivo.answer_with(body(answer))
        try:
            reference = channel.send(REQUEST, URLS, exchanges.append)
        except ProviderError:
            continue
        assert reference.isprintable()
        assert len(reference) <= 100
    for call in (
        RECORD,
        SdkCall("messages.list", {}),
        SdkCall("calls.list", {}),
        SdkCall("live_calls.get", {"_id": REFERENCE}),
    ):
        try:
            clients.read(call, exchanges.append)
        except ProviderError:
            continue
    clients.close()


def test_a_nested_answer_is_a_named_error(plivo: Scripted) -> None:
    for depth in (100, 100_000):
        plivo.answer_with(Answer(200, b'{"message_uuid": ' + b"[" * depth + b"]" * depth + b"}"))
        with pytest.raises(ProviderError):
            Sms(plivo.clients(), Settings()).send(REQUEST, URLS, lambda exchange: None)


@settings(max_examples=examples(100))
@given(JSON, st.dictionaries(st.text(st.characters()), JSON, max_size=3))
def test_any_exchange_is_kept_as_every_reader_takes_it(
    redis_url: str, answer: Any, sent: dict[str, Any]
) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        exchanges = Exchanges(client, Keys("odd"), timedelta(minutes=1))
        exchanges.record("v", Exchange("request", 1, "GET", "u", sent, 200, answer, 0))
        (found,) = exchanges.of("v")
    json.dumps([found.sent, found.answer], allow_nan=False, ensure_ascii=False).encode()
