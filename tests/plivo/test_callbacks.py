"""Plivo's callbacks as it sends them: its documented examples, and what else may come."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.model.attempt import EventKind, Source
from core.plivo.callbacks import CallCallback, HangupCallback, MessageCallback, MessageState
from tests.plivo.scripted import REFERENCE

ATTEMPT = "abcdefghijklmnopqrstuvwx-1"
NOW = datetime(2021, 4, 16, 18, 40, tzinfo=UTC)

# A captured `queued`: no MCC yet, an empty PowerpackUUID.
QUEUED = {
    "From": "18447935942",
    "To": "14155557623",
    "MessageUUID": REFERENCE,
    "ParentMessageUUID": REFERENCE,
    "Status": "queued",
    "Units": "1",
    "TotalRate": "0.00000",
    "TotalAmount": "0.00000",
    "PartInfo": "1 of 1",
    "Sequence": "1",
    "MessageTime": "2021-04-16 18:39:29.088198",
    "QueuedTime": "2021-04-16 18:39:29.089793",
    "PowerpackUUID": "",
    "requester_ip": "192.0.2.1",
}
SENT = QUEUED | {
    "Status": "sent",
    "Sequence": "2",
    "TotalRate": "0.00550",
    "TotalAmount": "0.00550",
    "MCC": "310",
    "MNC": "004",
    "SentTime": "2021-04-16 18:39:30",
}
DELIVERED = SENT | {
    "Status": "delivered",
    "Sequence": "3",
    "DeliveryReportTime": "2021-04-16 18:39:32.5",
    "ErrorCode": "000",
}
# The newest page lists these alone.
SHORTEST = {
    name: DELIVERED[name]
    for name in ("From", "To", "MessageUUID", "Status", "Units", "TotalRate", "TotalAmount")
}
HANGUP = {
    "CallUUID": REFERENCE,
    "RequestUUID": REFERENCE,
    "From": "14155550100",
    "To": "14155557623",
    "Direction": "outbound",
    "CallStatus": "completed",
    "Event": "Hangup",
    "Duration": "12",
    "BillDuration": "60",
    "HangupCauseName": "Normal Hangup",
    "HangupCauseCode": "4000",
    "HangupSource": "Callee",
    "TotalCost": "0.00300",
    "EndTime": "2021-04-16 18:39:59",
}


def at(seconds: float) -> datetime:
    return datetime(2021, 4, 16, 18, 39, tzinfo=UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("form", "kind", "moment"),
    [
        (QUEUED, EventKind.QUEUED, at(29.089793)),
        (SENT, EventKind.SENT, at(30)),
        (DELIVERED, EventKind.DELIVERED, at(32.5)),
        (SHORTEST, EventKind.DELIVERED, NOW),
    ],
    ids=["queued", "sent", "delivered", "shortest"],
)
def test_a_message_callback_has_its_state_and_time_in_utc(
    form: dict[str, str], kind: EventKind, moment: datetime
) -> None:
    event = MessageCallback.model_validate(form).event(ATTEMPT, NOW)
    assert (event.attempt, event.kind, event.at) == (ATTEMPT, kind, moment)
    assert event.source is Source.CALLBACK
    assert event.at.tzinfo is not None


def test_a_message_callback_has_reference_price_and_carrier() -> None:
    event = MessageCallback.model_validate(DELIVERED).event(ATTEMPT, NOW)
    assert event.fields == {
        "reference": REFERENCE,
        "units": "1",
        "mcc": "310",
        "mnc": "004",
        "cost_micros": "5500",
    }


def test_unknown_values_of_a_queued_message_are_left_out() -> None:
    event = MessageCallback.model_validate(QUEUED).event(ATTEMPT, NOW)
    assert event.fields == {"reference": REFERENCE, "units": "1"}


@pytest.mark.parametrize("none", ["", "0", "000"])
def test_no_error_has_three_spellings(none: str) -> None:
    event = MessageCallback.model_validate(DELIVERED | {"ErrorCode": none}).event(ATTEMPT, NOW)
    assert "error_code" not in event.fields


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_a_failure_keeps_its_error_code(status: str) -> None:
    form = SENT | {"Status": status, "ErrorCode": "30"}
    event = MessageCallback.model_validate(form).event(ATTEMPT, NOW)
    assert (event.kind, event.fields["error_code"]) == (EventKind(status), "30")


def test_every_state_of_plivos_has_an_event_kind() -> None:
    kinds = {state: state.kind for state in MessageState}
    assert kinds[MessageState.READ] is EventKind.DELIVERED
    assert kinds[MessageState.REJECTED] is EventKind.FAILED
    plain = {
        state: kind for state, kind in kinds.items() if state.value not in ("read", "rejected")
    }
    assert all(state.value == kind.value for state, kind in plain.items())


@pytest.mark.parametrize("missing", ["MessageUUID", "Status"])
@pytest.mark.parametrize("wrong", [None, "", "verified"])
def test_a_message_callback_without_its_two_facts_is_refused(
    missing: str, wrong: str | None
) -> None:
    if (missing, wrong) == ("MessageUUID", "verified"):
        wrong = ""  # Any text may be a reference.
    form = {name: value for name, value in DELIVERED.items() if name != missing}
    if wrong is not None:
        form[missing] = wrong
    with pytest.raises(ValidationError):
        MessageCallback.model_validate(form)


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
def test_unknown_fields_change_nothing(more: dict[str, str]) -> None:
    plain = MessageCallback.model_validate(DELIVERED)
    assert MessageCallback.model_validate(more | DELIVERED) == plain


def test_a_call_callback_has_the_kind_of_its_url() -> None:
    event = CallCallback.model_validate(HANGUP).event(ATTEMPT, EventKind.RINGING, NOW)
    assert (event.kind, event.at, event.fields) == (
        EventKind.RINGING,
        NOW,
        {"reference": REFERENCE},
    )


def test_pressed_keys_stay_out_of_the_repr() -> None:
    assert "471122" not in repr(CallCallback.model_validate(HANGUP | {"Digits": "471122"}))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("4000", EventKind.UNDELIVERED),  # Answered and hung up: it did not hear the code.
        ("3010", EventKind.UNDELIVERED),
        ("2000", EventKind.FAILED),
        ("31337", EventKind.FAILED),
    ],
)
def test_a_hangup_alone_is_not_a_delivery(code: str, kind: EventKind) -> None:
    event = HangupCallback.model_validate(HANGUP | {"HangupCauseCode": code}).end(ATTEMPT, NOW)
    assert (event.kind, event.at) == (kind, NOW)
    assert event.fields == {
        "reference": REFERENCE,
        "hangup_cause": code,
        "cost_micros": "3000",
    }
