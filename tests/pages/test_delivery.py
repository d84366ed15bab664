"""The Delivery page: every empty state, every control in the address, and who may see it."""

import os
import re
import signal
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.figures.ranges import Preset, Range, preset
from core.model.attempt import AttemptEvent, EventKind, Source
from core.panels import countries, tables
from core.panels.export import csv_of
from core.panels.query_state import RANGES
from core.sample.plan import SampleStatus
from core.services import Services
from core.store.keys import Keys
from pages.components.shared import services as of_process
from tests.pages.conftest import VIEWER, Settle, opened, said
from tests.world import quick_hash

PAGES = ["delivery", "attempts"]
LIVE = {
    "PLIVO_AUTH_ID": "MAXXXXXXXXXXXXXXXXXX",
    "PLIVO_AUTH_TOKEN": "x" * 40,
    "PLIVO_NUMBER": "+14155550100",
    "SECRET_KEY": "k" * 40,
}


def attempts(services: Services, n: int, *, ago: timedelta = timedelta(minutes=10)) -> None:
    """n delivered messages to Nigeria, one a second, the newest so long ago."""
    record = {"channel": "sms", "mode": "sms", "to_masked": "+234 •", "region": "NG",
              "carrier": "MTN"}  # fmt: skip
    for i in range(n):
        at = services.clock.now() - ago - timedelta(seconds=i)
        attempt = f"{'abcdefgh' * 2}{'abcdefgh'[i // 8 % 8]}{'abcdefgh'[i % 8]}aaaaaa-1"
        services.ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, at, Source.APP, record))
        later = at + timedelta(seconds=2)
        services.ledger.apply(AttemptEvent(attempt, EventKind.DELIVERED, later, Source.CALLBACK))
    services.queries.forget()


def last_day(services: Services) -> Range:
    return preset(Preset.DAY, services.clock.now(), ZoneInfo(VIEWER))


def button(at: AppTest, label: str) -> None:
    (found,) = [one for one in at.button if one.label == label]
    found.click().run()
    assert not at.exception, at.exception


def figure(at: AppTest, name: str = "Confirmed") -> str:
    """The value on the card of a figure; "" where no figure is drawn."""
    html = "".join(str(part.value) for part in at.main.html)
    found = re.search(rf'aria-label="{name}">.*?figure-value">(.*?)</p>', html)
    return found[1] if found else ""


def answer(at: AppTest, question: str) -> str:
    """The main number in the line of a closed question."""
    lines = [
        part.value for part in at.main.html if part.value.startswith('<div class="question-answer"')
    ]
    names = [one.label for one in at.expander]
    line = dict(zip(names, lines, strict=True))[question]
    return re.sub("<.*?>", "", str(line))


def is_bare(at: AppTest) -> bool:
    """Whether a page shows no figure, no table and no control."""
    return not (figure(at) or at.dataframe or at.selectbox or at.button)


def test_not_configured_says_so_and_offers_sample_traffic(services: Services) -> None:
    at = opened("delivery")
    assert "No code has been sent yet" in said(at)
    assert "60 days of invented traffic" in said(at)
    assert [one.label for one in at.button if "sample" in one.label] == ["Load sample traffic"]
    assert not figure(at)


def test_one_attempt_is_counted_in_the_singular_and_sample_traffic_is_offered(
    services: Services,
) -> None:
    attempts(services, 1)
    at = opened("delivery")
    assert "1 verification<" in "".join(part.value for part in at.main.html)
    assert "60 days of invented traffic" in said(at)
    assert [one.label for one in at.button if "sample" in one.label] == ["Load sample traffic"]


def test_no_traffic_in_range_says_so(services: Services) -> None:
    attempts(services, 12, ago=timedelta(hours=2))
    at = opened("delivery", range="15 min")
    assert "No code was requested in this range" in said(at)
    assert not figure(at)


def test_a_filter_that_excludes_all_says_so_and_is_cleared(services: Services) -> None:
    attempts(services, 12)
    at = opened("delivery", channel="Call")
    assert "none matches the filters" in said(at)
    button(at, "Clear the filters")
    assert "none matches the filters" not in said(at)
    assert figure(at) == "100.0 %"
    assert "channel" not in at.query_params


def test_attempts_whose_code_may_still_be_entered_are_not_judged(services: Services) -> None:
    attempts(services, 12, ago=timedelta(minutes=2))
    at = opened("delivery")
    assert figure(at, "Confirmed") == figure(at, "Conversion") == "too few"
    assert (figure(at, "Within 30 s"), figure(at, "Attempts")) == ("100.0 %", "12")


def test_too_few_events_say_how_many_and_show_no_rate(services: Services) -> None:
    attempts(services, 3)
    at = opened("delivery")
    assert "(n=3)" in said(at)
    # Once: the verdict does not say it again.
    assert "Too few codes to judge" not in said(at)
    assert figure(at) == "too few"


def test_a_long_gap_is_named_but_not_in_a_range_that_is_over(
    services: Services,
) -> None:
    attempts(services, 60, ago=timedelta(hours=30))
    at = opened("delivery", range="7 days")
    assert "No code was requested in the last 30 h." in said(at)
    assert figure(at) == "100.0 %"
    day = services.clock.now() - timedelta(hours=30)
    at = opened("delivery", range="Custom", zone="UTC", **{
        "from": f"{day - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "to": f"{day + timedelta(hours=1):%Y-%m-%dT%H:%M}",
    })  # fmt: skip
    assert figure(at) == "100.0 %"
    assert "old. Either" not in said(at)


def test_while_the_store_is_away_what_was_drawn_stays_dimmed_with_its_age(
    settle: Settle,
) -> None:
    settle()
    attempts(of_process(), 40)
    at = opened("delivery", errors="true", funnel="true")
    services = of_process()
    drawn = figure(at), len(at.expander), len(at.get("echarts_chart"))
    assert drawn[0] == "100.0 %"
    server = int(services.client.info("server")["process_id"])
    os.kill(server, signal.SIGSTOP)
    try:
        # Another filter cannot be applied now.
        at.selectbox("channel").set_value("voice").run()
        assert not at.exception, at.exception
        assert "The figures cannot be read. Redis did not answer in time." in said(at)
        assert "They were last good at " in said(at)
        assert "The page goes on by itself." in said(at)
        assert len(at.error) == 1
        # All but the logs, which are not part of the figures.
        assert (figure(at), len(at.expander) + 1, len(at.get("echarts_chart"))) == drawn
    finally:
        os.kill(server, signal.SIGCONT)
    at.run()
    assert not at.error
    assert "none matches the filters" in said(at)
    services.close()


def test_a_question_whose_read_fails_shows_what_is_kept_or_why_there_is_nothing(
    settle: Settle,
) -> None:
    """Redis can go away in the middle of a drawing: here it may not read the alerts any more."""
    settle()
    services = of_process()
    attempts(services, 40)
    before, _ = Keys(services.settings.mode.value).attempt("").split("attempt")
    rights = "ACL", "SETUSER", "default", "resetkeys"
    for kept in (False, True):
        at = opened("delivery", cost="true") if kept else None
        services.client.execute_command(*rights, f"~{before}[^a]*")
        try:
            at = at.run() if at else opened("delivery", cost="true")
        finally:
            services.client.execute_command(*rights, "allkeys")
        assert not at.exception, at.exception
        assert figure(at) == "100.0 %"
        assert len(at.error) == (0 if kept else 1), said(at)
        assert ("does not allow" in said(at)) is not kept, said(at)
    services.close()


def test_a_store_that_is_away_at_the_first_visit_is_an_error_with_its_cause(
    settle: Settle,
) -> None:
    settle()
    services = of_process()
    server = int(services.client.info("server")["process_id"])
    os.kill(server, signal.SIGSTOP)
    try:
        at = opened("delivery")
        assert "They have not been read since this app started." in said(at)
        assert len(at.error) == 1
    finally:
        os.kill(server, signal.SIGCONT)
    at.run()
    assert not at.error
    services.close()


def test_a_closed_question_is_one_line_and_an_open_one_is_in_the_address(
    services: Services,
) -> None:
    attempts(services, 40)
    at = opened("delivery")
    assert not at.dataframe
    assert not at.get("echarts_chart")
    assert answer(at, "How long does it take?") == "p50 1.9 s"
    assert answer(at, "Who is affected?") == "1 country"
    assert answer(at, "Why? The errors") == "No errors"
    assert answer(at, "Where do they get lost?").startswith("100.0 % sent, 100.0 % delivered")
    at = opened("delivery", latency="true")
    assert [one.label for one in at.expander if one.proto.expanded] == ["How long does it take?"]
    assert len(at.get("echarts_chart")) == 2


def test_the_closed_line_of_errors_counts_the_attempts_without_a_final_report(
    services: Services,
) -> None:
    attempts(services, 5)
    queued = AttemptEvent(
        "zbcdefghabcdefghaaaaaaaa-1", EventKind.REQUESTED,
        services.clock.now() - timedelta(minutes=5), Source.APP,
        {"channel": "sms", "mode": "sms", "to_masked": "+234 •", "region": "NG"},
    )  # fmt: skip
    services.ledger.apply(queued)
    services.queries.forget()
    at = opened("delivery")
    assert answer(at, "Why? The errors") == "No error yet, 1 without a final report"


def test_errors_have_a_count_before_only_where_a_period_of_equal_length_is_covered(
    services: Services,
) -> None:
    record = {"channel": "sms", "mode": "sms", "to_masked": "+234 •", "region": "NG"}

    def fails(ago: timedelta, number: int) -> None:
        attempt, at = f"zbcdefghabcdefgh{number:08}-1", services.clock.now() - ago
        failed = AttemptEvent(attempt, EventKind.FAILED, at, Source.CALLBACK, {"error_code": "30"})
        services.ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, at, Source.APP, record))
        services.ledger.apply(failed)
        services.queries.forget()

    def columns() -> list[str]:
        at = opened("delivery", errors="true", range="1 h")
        assert not at.exception, at.exception
        return list(at.table[0].value.columns)

    fails(timedelta(minutes=10), 1)
    assert "Before" not in columns()
    fails(timedelta(hours=3), 2)
    assert "Before" in columns()


def test_a_target_of_the_settings_is_named_on_its_card(settle: Settle, own_database: str) -> None:
    settle(REDIS_URL=own_database, TARGET_CONFIRMED="99.5", TARGET_CONVERSION="0")
    attempts(of_process(), 40)
    html = "".join(str(part.value) for part in opened("delivery").main.html)
    assert "Target 99.5 %: met" in html
    assert "Target 90 %: met" in html
    assert html.count(">Target ") == 2
    of_process().close()


def test_every_control_is_restored_from_the_address(services: Services) -> None:
    attempts(services, 12)
    query = {
        "range": "Custom", "from": "2026-11-20T09:00", "to": "2026-11-20T10:30",
        "channel": "SMS", "country": "Nigeria", "carrier": "MTN", "compare": "last year",
        "zone": "Asia/Kathmandu", "refresh": "30 s",
    }  # fmt: skip
    at = opened("delivery", **query)
    state = at.session_state
    assert [state[name] for name in ("range", "channel", "country", "carrier")] == [
        "custom", "sms", "NG", "MTN",
    ]  # fmt: skip
    assert [state[name] for name in ("compare", "zone", "refresh")] == [
        "year", "Asia/Kathmandu", "30 s",
    ]  # fmt: skip
    assert f"{state['from']:%H:%M}-{state['to']:%H:%M}" == "09:00-10:30"
    assert "times in Asia/Kathmandu" in said(at)
    assert dict(at.query_params) == query


@pytest.mark.parametrize("name", RANGES.values())
def test_every_range_is_restored_and_nothing_else_of_the_address_breaks_the_page(
    services: Services, name: str
) -> None:
    at = opened("delivery", range=name, country="Atlantis", zone="Not/AZone", carrier="?", to="x")
    assert RANGES[at.session_state["range"]] == name
    assert at.session_state["country"] == "all"


def test_an_address_may_be_spelled_as_in_the_api(services: Services) -> None:
    attempts(services, 12)
    at = opened("delivery", range="30d", channel="sms", country="NG", carrier="MTN", compare="year")
    names = ("range", "channel", "country", "carrier", "compare")
    assert [at.session_state[name] for name in names] == ["30d", "sms", "NG", "MTN", "year"]
    at.run()
    assert at.session_state["range"] == "30d"
    at = opened(
        "delivery", start="2026-11-20T09:00:00Z", end="2026-11-20T10:30:00+00:00", zone="UTC"
    )
    state = at.session_state
    assert state["range"] == "custom"
    assert f"{state['from']:%H:%M}-{state['to']:%H:%M}" == "09:00-10:30"


def test_a_set_filter_is_always_in_sight_with_a_way_back(services: Services) -> None:
    attempts(services, 12)
    assert not [one for one in opened("delivery").button if one.label.startswith("Clear")]
    at = opened("delivery", country="Nigeria", carrier="MTN")
    button(at, "Clear Nigeria, MTN")
    assert at.session_state["country"] == at.session_state["carrier"] == "all"
    assert not [one for one in at.button if one.label.startswith("Clear")]


def test_another_country_lets_go_of_the_carrier(services: Services) -> None:
    attempts(services, 12)
    at = opened("delivery", country="Nigeria", carrier="MTN")
    at.selectbox("country").set_value("all").run()
    assert not at.exception, at.exception
    assert at.session_state["carrier"] == "all"
    assert at.selectbox("carrier").disabled


def test_every_table_is_drawn_from_the_frame_that_its_csv_is_written_from(
    services: Services,
) -> None:
    attempts(services, 40)
    at = opened("delivery", range="24 h", countries="true", funnel="true", cost="true")
    asked = services.queries
    drawn = {tuple(one.value.columns): one.value for one in at.dataframe}
    found = last_day(services)
    expected = [
        countries.country_table(asked.by_country(found)),
        tables.rescue_table(asked.by_channel(found)),
        tables.cost_table(asked.by_channel(found)),
    ]
    for table in expected:
        shown = drawn[tuple(table.columns)]
        # On its way to the browser, a list becomes an array.
        listed = shown.map(lambda one: one.tolist() if isinstance(one, np.ndarray) else one)
        assert csv_of(listed, "") == csv_of(table, "")


def test_alerts_that_nobody_has_checked_are_shown_as_unchecked(services: Services) -> None:
    attempts(services, 12)
    assert answer(opened("delivery"), "Alerts") == "not checked yet"
    services.alerts.check()
    assert answer(opened("delivery"), "Alerts") == "No alerts: too little traffic to judge"


def test_a_test_of_the_alerts_that_fails_has_no_check_mark(settle: Settle) -> None:
    settle(ALERT_URLS="json://127.0.0.1:9")
    services = of_process()
    attempts(services, 12)
    at = opened("delivery", alerts="true")
    button(at, "Send a test")
    assert ":material/check: The test is on its way." in said(at)
    server = int(services.client.info("server")["process_id"])
    os.kill(server, signal.SIGSTOP)
    try:
        button(at, "Send a test")
        assert any("Nothing was changed." in warning.value for warning in at.warning)
        assert ":material/check:" not in said(at)
    finally:
        os.kill(server, signal.SIGCONT)
    services.close()


def test_sample_traffic_is_loaded_stopped_resumed_and_removed(services: Services) -> None:
    """Each click, and every other visitor sees it."""

    def labels() -> set[str]:
        at = opened("delivery")
        return {one.label for one in at.button if one.key and one.key.startswith("sample")}

    attempts(services, 12)
    control = services.sample_control
    assert labels() == {"Load sample traffic"}
    button(opened("delivery"), "Load sample traffic")
    assert control.state().status is SampleStatus.LOADING
    assert labels() == {"Stop", "Remove sample traffic"}
    button(opened("delivery"), "Stop")
    assert control.state().status is SampleStatus.STOPPED
    assert "0 of 60 days" in said(opened("delivery"))
    button(opened("delivery"), "Resume")
    button(opened("delivery"), "Remove sample traffic")
    assert control.state().status is SampleStatus.REMOVING
    assert labels() == set()
    services.sample.work()
    state = services.sample.load(days=3, per_day=60)
    assert f"Includes sample traffic: {state.attempts} attempts" in said(opened("delivery"))
    assert labels() == {"Remove sample traffic"}


@pytest.mark.parametrize("page", [*PAGES, "api"])
def test_live_a_page_asks_for_the_password_and_shows_nothing_else(
    settle: Settle, redis_url: str, client: object, page: str
) -> None:
    settle(REDIS_URL=redis_url, ADMIN_PASSWORD_HASH=quick_hash("correct horse battery"), **LIVE)
    at = opened(page, attempt="a" * 24 + "-1")
    assert [one.value for one in at.title] == ["Sign in"]
    assert is_bare(at)
    at = opened(page, **{"sign-in": "wrong"})
    assert [one.value for one in at.error] == ["That is not the password. Try again."]
    at = opened(page, **{"sign-in": "wait"})
    assert "Too many tries" in at.error[0].value


@pytest.mark.parametrize("page", [*PAGES, "api"])
def test_live_without_a_hash_a_page_refuses_and_says_how_to_set_one(
    settle: Settle, redis_url: str, client: object, page: str
) -> None:
    settle(REDIS_URL=redis_url, **LIVE)
    at = opened(page)
    assert [one.value for one in at.title] == ["Not set up yet"]
    assert "python -m core hash-password" in at.error[0].value
    assert "ADMIN_PASSWORD_HASH" in at.error[0].value
    assert is_bare(at)
