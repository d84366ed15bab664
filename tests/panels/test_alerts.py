"""The tables and texts of alerts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus, StoredStatus
from core.alerts.states import AlertState
from core.model.clock import to_ms
from core.model.series import Series
from core.panels import alerts
from core.panels.alert_cards import firing_card
from core.panels.export import csv_of
from core.webhooks.alert_event import AlertEventKind
from core.wording import alerts as words
from core.wording.alert_messages import PageAddress, alert_message
from core.wording.alert_messages import test_alert_message as message_of_test
from tests.panels.frames import NOW, ZONE


def status(state: AlertState, **more: Any) -> AlertStatus:
    given: dict[str, Any] = {
        "series": Series("sms/NG"), "measure": Measure.CONFIRMED, "state": state,
        "n": 412,
        "verified": 200, "observed": 0.712, "baseline": 0.94, "detectable_drop": 0.05,
        "since": NOW,
    }  # fmt: skip
    return AlertStatus(**given | more)


def test_every_state_of_an_alert_is_counted_and_named() -> None:
    counts = alerts.alert_counts([status(AlertState.FIRING), status(AlertState.OK)])
    assert counts == {
        AlertState.FIRING: 1, AlertState.RECOVERING: 0, AlertState.PENDING: 0, AlertState.OK: 1,
        AlertState.NO_DATA: 0,
    }  # fmt: skip
    assert set(words.ALERT_STATES) == set(AlertState)
    table = alerts.alert_table(
        [status(AlertState.NO_DATA, observed=None, under=Series("sms"))], ZONE
    )
    first = table.iloc[0].to_dict()
    names = ("series", "state", "explained_by")
    assert tuple(first[name] for name in names) == ("SMS to Nigeria", "no data", "SMS")
    assert "too few to compare" in first["seen"]


def test_the_file_of_alerts_has_the_headings_of_the_page() -> None:
    file = csv_of(alerts.alert_table([status(AlertState.OK)], ZONE), "alerts").decode("utf-8-sig")
    assert file.splitlines()[0] == "Series,Measure,State,Since,Seen,Can be seen,Explained by"


def test_only_states_that_need_attention_are_counted_in_the_line_of_alerts() -> None:
    quiet = [status(AlertState.OK), status(AlertState.NO_DATA)]
    assert alerts.alert_summary(quiet, NOW) == "No alerts"
    assert alerts.alert_summary(quiet[1:], NOW) == "No alerts: too little traffic to judge"
    # What other measures see does not show whether codes arrive.
    blind = status(AlertState.OK, detectable_drop=None)
    others = [replace(status(AlertState.OK), measure=measure) for measure in Measure]
    seen = [blind, *(other for other in others if other.measure is not Measure.CONFIRMED)]
    assert "too little traffic" in alerts.alert_summary([*quiet[1:], *seen], NOW)
    assert alerts.alert_summary([], None) == "not checked yet"
    noisy = [*quiet, status(AlertState.FIRING), status(AlertState.PENDING)]
    assert alerts.alert_summary(noisy, NOW) == "1 firing \N{MIDDLE DOT} 1 pending"
    explained = [*noisy, status(AlertState.FIRING, under=Series("sms"))]
    assert alerts.alert_summary(explained, NOW) == "1 firing \N{MIDDLE DOT} 1 pending"


def test_an_alert_says_what_it_saw_how_sure_it_is_and_what_to_do() -> None:
    fires = status(AlertState.FIRING, chance=0.001)
    assert words.alert_words(fires) == "Confirmed: 71.2 % of 412, where 94.0 % is usual."
    assert words.certainty_words(fires) == "This is not chance."
    rare = status(AlertState.FIRING, chance=0.2)
    assert words.certainty_words(rare) == "By chance alone this happens at most once in 5 years."
    assert words.certainty_words(status(AlertState.OK)) == ""
    pumping = status(AlertState.FIRING, measure=Measure.TRAFFIC, observed=120.0, baseline=0.5)
    assert words.alert_words(pumping) == (
        "120 attempts an hour, where 0.5 are usual; 200 of 412 verified."
    )
    assert "pumping" in words.advice_words(pumping)
    price = status(AlertState.FIRING, measure=Measure.PRICE, observed=30_000.0, baseline=10_000.0)
    assert words.alert_words(price) == (
        "Price of an attempt: $0.0300, where $0.0100 is usual; 412 priced."
    )
    refused = {"measure": Measure.REFUSED, "n": 50, "observed": 0.32, "baseline": 0.996}
    budgets = ("spend_per_day", "sends_without_address")
    spent = status(AlertState.FIRING, **refused, budgets=budgets)
    assert words.alert_words(spent) == "Budgets refused 34 of 50 numbers, where 0.4 % is usual."
    assert words.advice_words(spent).startswith(
        "Which budget refuses: the spending limit of the day (SPEND_PER_DAY); clients whose "
        "address is not known (SENDS_PER_ADDRESS_PER_HOUR, X-Forwarded-For of the proxy). If"
    )
    young = status(AlertState.FIRING, **refused | {"baseline": None})
    assert words.alert_words(young).endswith("; in the weeks before, none was counted.")
    for measure in Measure:
        assert words.advice_words(status(AlertState.FIRING, measure=measure))


def test_a_series_says_what_its_traffic_can_show() -> None:
    assert words.sensitivity_words(status(AlertState.OK)) == (
        "a drop by 5 points shows within a day"
    )
    assert words.sensitivity_words(status(AlertState.OK, detectable_drop=None)).startswith(
        "too little traffic"
    )


def test_a_change_that_a_check_sees_whole_days_of_began_then_or_earlier() -> None:
    for age, is_open in ((timedelta(hours=3), False), (timedelta(hours=24, minutes=4), True)):
        fires = status(AlertState.FIRING, since=NOW - age)
        card = firing_card(StoredStatus(fires, 0, 0, to_ms(NOW)), None, 0, NOW, ZONE)
        assert card.done[0].endswith(" or earlier") is is_open
        message = alert_message(AlertEventKind.FIRING, fires, NOW, "sandbox", PageAddress(None))
        assert ("UTC or earlier." in message.text) is is_open


def test_a_message_without_a_public_address_says_what_to_set_and_has_no_broken_link() -> None:
    fires = status(AlertState.FIRING)
    addresses = {
        PageAddress("https://verify.example.com", "http://127.0.0.1:8501"): (".", "https://verify"),
        PageAddress(None, "http://127.0.0.1:8501"): ("machine: set PUBLIC_URL.", "http://127."),
        PageAddress(None): ("Set PUBLIC_URL to get a link to the page.", ""),
    }
    for address, (end, link) in addresses.items():
        for message in (
            alert_message(AlertEventKind.FIRING, fires, NOW, "sandbox", address),
            message_of_test("sandbox", address),
        ):
            assert message.text.endswith(end)
            assert ("PUBLIC_URL" in message.text) is (address.public_url is None)
            assert message.link.startswith(link)
            assert bool(message.link) is bool(link)


def test_an_alert_has_a_sentence_like_a_cause() -> None:
    refused = {"measure": Measure.REFUSED, "n": 50, "observed": 0.32, "baseline": 0.996}
    fires = status(AlertState.FIRING, **refused, series=Series("sms/DE"), since=NOW)
    assert words.alert_sentence(fires, ZONE, NOW) == (
        f"SMS to Germany since {NOW.astimezone(ZONE):%H:%M}: Budgets refused 34 of 50 numbers, "
        "where 0.4 % is usual."
    )


def test_the_end_of_an_alert_about_a_price_does_not_say_that_it_is_as_before() -> None:
    """A price that stays ends its alert too."""
    ended = status(AlertState.OK, measure=Measure.PRICE, observed=30_000.0, baseline=10_000.0)
    address = PageAddress("https://verify.example.com")
    for measure, is_as_before in ((Measure.PRICE, False), (Measure.CONFIRMED, True)):
        entry = replace(ended, measure=measure)
        text = alert_message(AlertEventKind.RESOLVED, entry, NOW, "live", address).text
        assert ("as usual again" in text) is is_as_before
