"""Message and call records, read by the SDK from JSON as Plivo writes it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.model.attempt import EventKind, Source
from core.model.errors import ProviderRead
from core.plivo.records import call_events, live_call_event, message_events
from core.plivo.sdk_call import SdkCall
from tests.plivo.scripted import RECORD, REFERENCE, Scripted, json_answer, scripted

ATTEMPT = "abcdefghijklmnopqrstuvwx-1"
NOW = datetime(2024, 8, 21, 13, 0, tzinfo=UTC)

MESSAGE: dict[str, Any] = {
    "api_id": "1d3d9a8c-5fbb-11ef-8f2b-0242ac110003",
    "error_code": "000",
    "error_message": "",
    "from_number": "911231231230",
    "message_direction": "outbound",
    "message_state": "delivered",
    "message_time": "2024-08-21 18:28:48+05:30",
    "message_sent_time": "2024-08-21 18:28:49.244057+05:30",
    # Five digits: Plivo trims the zero at the end.
    "message_updated_time": "2024-08-21 18:28:51.94772+05:30",
    "message_type": "sms",
    "message_uuid": REFERENCE,
    "resource_uri": f"/v1/Account/MATESTTESTTESTTEST00/Message/{REFERENCE}/",
    "to_number": "911231231231",
    "total_amount": "0.00250",
    "total_rate": "0.00250",
    "units": 1,
    "mcc": "404",
    "mnc": "07",
    "destination_network": "Verizon",
}
CALL: dict[str, Any] = {
    "call_uuid": REFERENCE,
    "call_direction": "outbound",
    "from_number": "+14155550100",
    "to_number": "14155557623",
    "initiation_time": "2024-08-21 08:58:40-04:00",
    "answer_time": "2024-08-21 08:58:48-04:00",
    "end_time": "2024-08-21 08:59:18-04:00",
    "call_duration": 30,
    "bill_duration": 30,
    "billed_duration": 60,
    "total_amount": "0.00300",
    "hangup_cause_code": 4000,
    "hangup_cause_name": "Normal Hangup",
    "hangup_source": "Callee",
}
LIVE: dict[str, Any] = {
    "call_status": "ringing",
    "call_uuid": REFERENCE,
    "direction": "outbound",
    "from": "14155550100",
    "to": "14155557623",
    "session_start": "2024-08-21 08:58:40-04:00",
}


@pytest.fixture(scope="module")
def plivo() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


def read(plivo: Scripted, call: SdkCall, record: dict[str, Any]) -> Any:
    plivo.answer_with(json_answer(200, **record))
    return plivo.clients().read(call)


def times(plivo: Scripted, **changes: Any) -> dict[EventKind, datetime]:
    """The time of each event in a message record."""
    record = read(plivo, RECORD, MESSAGE | changes)
    events = message_events(ATTEMPT, record, NOW)
    assert all(event.at.tzinfo is not None for event in events)
    return {event.kind: event.at for event in events}


def ended(plivo: Scripted, **changes: Any) -> list[EventKind]:
    record = read(plivo, SdkCall("calls.get", {"call_uuid": REFERENCE}), CALL | changes)
    return [event.kind for event in call_events(ATTEMPT, record, NOW)]


def noon(seconds: float) -> datetime:
    """Seconds after 12:58:00 UTC, when it was 18:28 in India and 08:58 in New York."""
    return datetime(2024, 8, 21, 12, 58, tzinfo=UTC) + timedelta(seconds=seconds)


def test_a_delivered_message_has_all_its_times_in_any_zone_of_the_account(
    plivo: Scripted,
) -> None:
    assert times(plivo) == {
        EventKind.QUEUED: noon(48),
        EventKind.SENT: noon(49.244057),
        EventKind.DELIVERED: noon(51.94772),
    }


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        ("queued", [EventKind.QUEUED]),
        ("sent", [EventKind.QUEUED, EventKind.SENT]),
        ("delivered", [EventKind.QUEUED, EventKind.SENT, EventKind.DELIVERED]),
        ("read", [EventKind.QUEUED, EventKind.SENT, EventKind.DELIVERED]),
        ("undelivered", [EventKind.QUEUED, EventKind.SENT, EventKind.UNDELIVERED]),
        # Never handed to a carrier.
        ("failed", [EventKind.QUEUED, EventKind.FAILED]),
        ("rejected", [EventKind.QUEUED, EventKind.FAILED]),
    ],
)
def test_a_state_implies_the_ones_before_it(
    plivo: Scripted, state: str, kinds: list[EventKind]
) -> None:
    assert list(times(plivo, message_state=state)) == kinds


@pytest.mark.parametrize("useless", [None, "", "2024-08-21 18:28:51", "yesterday"])
def test_a_time_without_a_zone_is_not_used(plivo: Scripted, useless: str | None) -> None:
    """Its zone is unknown: the time of the request is a better estimate."""
    moments = times(plivo, message_updated_time=useless)
    assert moments[EventKind.DELIVERED] == NOW
    assert moments[EventKind.SENT] == noon(49.244057)


def test_a_message_record_has_reference_price_and_carrier(plivo: Scripted) -> None:
    for event in message_events(ATTEMPT, read(plivo, RECORD, MESSAGE), NOW):
        assert event.source is Source.POLL
        assert event.fields == {
            "reference": REFERENCE,
            "units": "1",
            "cost_micros": "2500",
            "mcc": "404",
            "mnc": "07",
            "network": "Verizon",
        }


@pytest.mark.parametrize("none", [None, "", "0", "000", 0])
def test_no_error_has_many_spellings(plivo: Scripted, none: Any) -> None:
    (queued, *_) = message_events(ATTEMPT, read(plivo, RECORD, MESSAGE | {"error_code": none}), NOW)
    assert "error_code" not in queued.fields


@pytest.mark.parametrize("code", ["30", 30])
def test_an_error_code_is_kept_number_or_text(plivo: Scripted, code: Any) -> None:
    record = read(plivo, RECORD, MESSAGE | {"message_state": "undelivered", "error_code": code})
    assert message_events(ATTEMPT, record, NOW)[-1].fields["error_code"] == "30"


def test_an_event_from_the_logs_has_that_source(plivo: Scripted) -> None:
    record = read(plivo, RECORD, MESSAGE)
    assert {event.source for event in message_events(ATTEMPT, record, NOW, Source.LOG)} == {"log"}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"message_state": "delivered"},
        MESSAGE | {"message_state": "received"},
        MESSAGE | {"message_state": None},
    ],
    ids=["empty", "no uuid", "unknown state", "no state"],
)
def test_a_message_record_that_is_not_understood_is_a_named_error(
    plivo: Scripted, record: dict[str, Any]
) -> None:
    found = read(plivo, RECORD, record)
    with pytest.raises(ProviderRead) as raised:
        message_events(ATTEMPT, found, NOW)
    assert raised.value.cause == "Plivo's record of this attempt is not as documented."


def test_a_call_that_was_answered_and_lasted_counts_as_delivered(plivo: Scripted) -> None:
    record = read(plivo, SdkCall("calls.get", {"call_uuid": REFERENCE}), CALL)
    answered, delivered = call_events(ATTEMPT, record, NOW)
    assert (answered.kind, answered.at) == (EventKind.ANSWERED, noon(48))
    assert (delivered.kind, delivered.at) == (EventKind.DELIVERED, noon(78))
    assert delivered.fields == {
        "reference": REFERENCE,
        "hangup_cause": "4000",
        "cost_micros": "3000",
    }


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"bill_duration": 0}, [EventKind.ANSWERED, EventKind.UNDELIVERED]),
        ({"bill_duration": None}, [EventKind.ANSWERED, EventKind.UNDELIVERED]),
        ({"answer_time": None, "hangup_cause_code": 3010}, [EventKind.UNDELIVERED]),
        ({"answer_time": None, "hangup_cause_code": 3000}, [EventKind.UNDELIVERED]),
        ({"answer_time": None, "hangup_cause_code": 2000}, [EventKind.FAILED]),
        ({"answer_time": None, "hangup_cause_code": None}, [EventKind.FAILED]),
    ],
)
def test_any_other_call_was_not_delivered(
    plivo: Scripted, changes: dict[str, Any], kinds: list[EventKind]
) -> None:
    assert ended(plivo, **changes) == kinds


@pytest.mark.parametrize("missing", ["call_uuid", "hangup_cause_code"])
def test_a_call_record_that_is_not_understood_is_a_named_error(
    plivo: Scripted, missing: str
) -> None:
    fields = {name: value for name, value in CALL.items() if name != missing}
    record = read(plivo, SdkCall("calls.get", {"call_uuid": REFERENCE}), fields)
    with pytest.raises(ProviderRead):
        call_events(ATTEMPT, record, NOW)


@pytest.mark.parametrize(
    ("status", "kind"),
    [("ringing", EventKind.RINGING), ("in-progress", EventKind.ANSWERED), ("early", None)],
)
def test_a_live_call_rings_or_is_answered(
    plivo: Scripted, status: str, kind: EventKind | None
) -> None:
    call = SdkCall("live_calls.get", {"_id": REFERENCE})
    event = live_call_event(ATTEMPT, read(plivo, call, LIVE | {"call_status": status}), NOW)
    assert (event and (event.kind, event.at)) == (kind and (kind, NOW))
