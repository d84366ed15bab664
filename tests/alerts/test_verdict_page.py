"""The verdict of the Delivery page has the alerts that none of its causes names."""

from datetime import timedelta

from core.alerts.measures import Measure
from core.alerts.records import AlertCheck, AlertStatus, StoredStatus
from core.alerts.states import AlertState
from core.model.clock import to_ms
from core.model.series import Series
from core.services import Services
from tests.pages.conftest import opened
from tests.pages.conftest import services as services
from tests.pages.conftest import settle as settle
from tests.pages.test_delivery import attempts, button


def test_an_alert_is_in_the_verdict_before_a_cause_and_a_click_filters_the_page(
    services: Services,
) -> None:
    attempts(services, 60)
    now = services.clock.now()
    status = AlertStatus(
        Series("sms/NG/MTN"), Measure.RECEIPTS, AlertState.FIRING, 8, 0, 0.125, 0.96, 0.2,
        now - timedelta(minutes=5),
    )  # fmt: skip
    entry = StoredStatus(status, began_ms=to_ms(now))
    check = AlertCheck(to_ms(now) // 60_000, {entry.place: entry})
    services.connection.client.set(
        services.keys.alert_check, check.to_json(), nx=False, px=timedelta(minutes=1)
    )
    at = opened("delivery")
    (cause,) = [one.label for one in at.button if one.key == f"cause_{status.series}_receipts"]
    assert cause.startswith("SMS to MTN in Nigeria since ")
    assert cause.endswith(" 1 of 8, where 96.0 % is usual.")
    button(at, cause)
    filters = {name: at.query_params[name] for name in ("channel", "country", "carrier")}
    assert filters == {"channel": "SMS", "country": "Nigeria", "carrier": "MTN"}
