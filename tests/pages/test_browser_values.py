"""Values that a browser writes by hand into the messages of the pages' components."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from core.model.grant import OPERATOR
from core.model.way import Way
from core.services import Services
from tests.pages.conftest import opened
from tests.pages.test_attempts import listed

VALUES: list[Any] = [["a"], "\ud800"]
EVENTS = ("entered", "resend", "fallback", "cancel", "expired", "opened", "changed", "reset")


def send(at: AppTest, value: Any, events: Sequence[str] = EVENTS) -> None:
    """Send each of the events of each component, and each state, with this value."""
    states = WidgetStates()
    for component in at.get("bidi_component"):
        state = states.widgets.add()
        state.id = component.proto.id
        state.json_value = json.dumps({"running": value})
        trigger = states.widgets.add()
        trigger.id = f"$$STREAMLIT_INTERNAL_KEY_{component.proto.id}__events"
        sent = [{"event": event, "value": value} for event in events]
        trigger.json_trigger_value = json.dumps(sent)
    at._run(states)
    assert not at.exception, (value, at.exception)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:12])
def test_an_odd_value_of_a_component_breaks_no_page(services: Services, value: Any) -> None:
    identifier = listed(services, 1)[0].rpartition("-")[0]
    send(opened("verify"), value)
    form = {"typed": value, "request": value}
    send(opened("verify"), form)
    send(opened("verify"), {"typed": "+1 415 555 2345", "request": value})
    send(opened("verify", verification=identifier), value)
    send(opened("attempts"), value)


def test_an_event_of_a_verification_that_is_no_longer_shown_does_nothing(
    services: Services,
) -> None:
    """A click before Back is answered may arrive when the page shows another verification."""
    shown, other = (_started(services, number) for number in ("+14155552345", "+14155552346"))
    at = opened("verify", verification=shown)
    before = _checks_left(services, shown)
    send(at, {"verification": other, "value": "000000"}, ["entered"])
    assert _checks_left(services, shown) == before
    send(at, {"verification": shown, "value": "000000"}, ["entered"])
    assert _checks_left(services, shown) == before - 1


def _started(services: Services, number: str) -> str:
    result = services.verifications.start(number, Way.SMS, grant=OPERATOR, idempotency_key=number)
    assert result.verification is not None
    return result.verification


def _checks_left(services: Services, verification: str) -> int:
    view = services.verifications.look(verification)
    assert view is not None
    return view.verification.checks_left
