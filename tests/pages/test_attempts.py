"""The Attempts page: the list and its pages, and one attempt with all that was heard of it."""

import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core.ledger.attempts import ReceivedEvent
from core.ledger.explorer import PAGE
from core.model.attempt import AttemptEvent, EventKind, Source, State
from core.model.grant import OPERATOR
from core.model.way import Way
from core.panels.attempts import attempt_frame, event_table, states
from core.services import Services
from tests.pages.conftest import PROJECT, opened, said
from tests.pages.test_delivery import attempts, button


def listed(services: Services, n: int) -> list[str]:
    """The ids of n attempts, newest first."""
    attempts(services, n)
    return [entry.attempt for entry in services.ledger.recent()]


def table(at: AppTest) -> dict[str, Any]:
    """What the page gives to the component that draws the list."""
    drawn = [each.proto for each in at.get("bidi_component")]
    (data,) = [each.json for each in drawn if each.component_name == "attempt_list"]
    read: dict[str, Any] = json.loads(data)
    return read


def shown(at: AppTest) -> list[str]:
    return [row["attempt"] for row in table(at)["rows"]]


def test_an_empty_list_says_why_and_what_is_kept(services: Services) -> None:
    at = opened("attempts")
    assert "No attempt is kept yet" in said(at)
    assert "the newest 100,000 attempts, for 7 days" in said(at)
    assert "older ones live on as figures only" in said(at)
    assert "Times in America/New_York" in said(at)


def test_pages_go_to_older_ones_and_back_and_miss_none(services: Services) -> None:
    ids = listed(services, PAGE + 5)
    at = opened("attempts")
    assert shown(at) == ids[:PAGE]
    button(at, "Older")
    assert shown(at) == ids[PAGE:]
    assert not [one for one in at.button if one.label == "Older"]
    button(at, "Newest")
    assert shown(at) == ids[:PAGE]


def test_a_page_is_in_the_address_and_a_damaged_one_shows_the_newest(services: Services) -> None:
    ids = listed(services, PAGE + 5)
    cursor = services.ledger.recent()[2]
    at = opened("attempts", before=f"{cursor.requested_ms}.{cursor.attempt}")
    assert shown(at) == ids[3 : PAGE + 3]
    at = opened("attempts", before="1732406400000")
    assert "Here are the newest ones" in said(at)
    assert shown(at) == ids[:PAGE]


def test_another_filter_begins_at_the_first_page(services: Services) -> None:
    ids = listed(services, PAGE + 5)
    at = opened("attempts")
    button(at, "Older")
    at.selectbox("attempts_channel").set_value("sms").run()
    assert shown(at) == ids[:PAGE]
    assert "before" not in at.query_params


def test_filters_are_restored_from_the_address_and_cleared(services: Services) -> None:
    listed(services, 3)
    query = {
        "attempts_state": "▲ undelivered", "attempts_channel": "Call",
        "attempts_country": "Nigeria", "attempts_error": "30",
    }  # fmt: skip
    at = opened("attempts", **query)
    assert [at.session_state[name] for name in query] == ["undelivered", "voice", "NG", "30"]
    assert "No attempt matches" in said(at)
    button(at, "Clear filters")
    assert len(shown(at)) == 3


def test_every_state_can_be_filtered_by_and_has_its_sign() -> None:
    assert states() == {
        "all": "All", "requested": "◌ requested", "accepted": "◌ accepted", "queued": "◌ queued",
        "ringing": "◌ ringing", "sent": "◌ sent", "answered": "◌ answered",
        "delivered": "● delivered", "undelivered": "▲ undelivered", "failed": "✕ failed",
        "rejected": "■ rejected", "unclear": "◇ unclear", "unknown": "▽ unknown",
    }  # fmt: skip
    assert set(states()) == {"all", *State}


def test_an_attempt_opens_into_every_event_also_the_doubled_and_the_late(
    services: Services,
) -> None:
    (attempt,) = listed(services, 1)
    requested = services.clock.now() - timedelta(seconds=30)
    for kind in (EventKind.DELIVERED, EventKind.SENT):
        at = requested + timedelta(seconds=2 if kind is EventKind.DELIVERED else 1)
        services.ledger.apply(AttemptEvent(attempt, kind, at, Source.CALLBACK))
    page = opened("attempts", attempt=attempt)
    heard = page.dataframe[0].value
    assert heard["what"].tolist() == ["requested", "delivered", "delivered", "sent"]
    assert heard["note"].tolist() == [
        "", "", "repeated: no change", "late: stored, no change",
    ]  # fmt: skip
    assert heard["from"].tolist() == ["this app", *["a callback"] * 3]
    assert "**Delivered**" in said(page)
    facts = page.table[0].value
    assert "Nigeria" in facts.to_string()
    ask = [one for one in page.button if one.label == "Ask Plivo now"]
    assert ask[0].disabled


def test_an_event_dated_before_the_request_has_no_negative_time(services: Services) -> None:
    attempt, now = "a" * 24 + "-1", services.clock.now()
    record = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": "DE", "carrier": ""}
    services.ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, now, Source.APP, record))
    early = now - timedelta(seconds=725)
    services.ledger.apply(AttemptEvent(attempt, EventKind.DELIVERED, early, Source.CALLBACK))
    assert [row["cells"]["note"] for row in table(opened("attempts"))["rows"]] == ["clocks differ"]
    heard = opened("attempts", attempt=attempt).dataframe[0].value
    assert heard["note"].tolist() == ["", "clocks differ"]
    assert heard["after_s"].isna().tolist() == [False, True]


def test_an_attempt_that_is_gone_says_so(services: Services) -> None:
    assert "no longer kept" in said(opened("attempts", attempt="a" * 24 + "-1"))


def test_an_id_finds_its_attempts_and_what_is_neither_id_nor_number_is_told(
    services: Services,
) -> None:
    (attempt, *_) = listed(services, 3)
    at = opened("attempts", find=attempt.partition("-")[0])
    assert shown(at) == [attempt]
    button(at, "Show all attempts")
    assert len(shown(at)) == 3
    at = opened("attempts", find=attempt.partition("-")[0])
    at.text_input[0].set_value("12")
    button(at, "Find attempts")
    assert "it is no full phone number" in said(at)
    assert not at.get("bidi_component")
    assert "find" not in at.query_params


@pytest.mark.parametrize("source", list(Source))
def test_every_source_has_a_name(services: Services, source: Source) -> None:
    (attempt,) = listed(services, 1)
    found = services.ledger.attempt(attempt)
    assert found is not None
    now = services.clock.now()
    events = [ReceivedEvent(EventKind.SENT, "applied", now, now, source)]
    table = event_table(events, found, ZoneInfo("UTC"))
    assert table["from"].iloc[0] != source


def test_property_23_the_operators_pages_reveal_no_number_and_no_code(
    services: Services,
) -> None:
    """Nothing there reveals a full number or a code, so there is no reveal to be audited."""
    number = "+12125550137"
    made = services.verifications.start(
        number, Way.SMS, grant=OPERATOR, idempotency_key="property 23"
    )
    services.fold.settle()
    attempt = f"{made.verification}-1" if made.verification else ""
    view = services.verifications.look(made.verification or "")
    assert view is not None
    code = services.verifications.code_for(view.verification).reveal()
    for page, query in (("delivery", {}), ("attempts", {}), ("attempts", {"attempt": attempt})):
        at = opened(page, **query)
        frames = "".join(frame.value.to_csv() for frame in at.dataframe)
        frames += "".join(drawn.proto.json for drawn in at.get("bidi_component"))
        drawn = frames + said(at) + str(at.query_params) + repr(at.session_state)
        for secret in (number, number[1:], number[2:], code):
            assert secret not in drawn, page
    for path in (PROJECT / "pages").rglob("*.py"):
        assert ".reveal(" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("typed", ["(212) 555-0199", "+12125550199", "1 212 555 0199"])
def test_a_national_number_of_the_browsers_region_is_found(services: Services, typed: str) -> None:
    services.verifications.start(
        "+12125550199", Way.SMS, grant=OPERATOR, idempotency_key="national"
    )
    at = opened("attempts")
    at.text_input[0].set_value(typed)
    button(at, "Find attempts")
    assert len(shown(at)) == 1


def test_a_fixed_line_is_found_and_a_question_shows_every_number(services: Services) -> None:
    services.verifications.start(
        "+49 30 901820", Way.PHLO_CALL, grant=OPERATOR, idempotency_key="fixed"
    )
    services.verifications.start("+6595551234", Way.SMS, grant=OPERATOR, idempotency_key="abroad")
    at = opened("attempts")
    at.text_input[0].set_value("0049 30 901820")
    button(at, "Find attempts")
    assert len(shown(at)) == 1
    button(at, "Show all attempts")
    at.text_input[0].set_value("6595551234")
    button(at, "Find attempts")
    assert "2 different phone numbers" in said(at)
    assert any("+1 659-555-1234 · United States" in one.label for one in at.button)
    button(at, "+65 9555 1234 · Singapore · mobile")
    assert len(shown(at)) == 1
    assert "6595551234" not in str(at.query_params)


def test_the_carrier_has_a_column_only_where_a_number_has_one(services: Services) -> None:
    start = services.verifications.start
    start("+12125550188", Way.SMS, grant=OPERATOR, idempotency_key="no carrier")
    headings = [column["heading"] for column in table(opened("attempts"))["columns"]]
    assert headings == [
        "Requested",
        "To",
        "State",
        "Channel",
        "Country",
        "Error",
        "Delivered after",
    ]
    start("+4915112340188", Way.SMS, grant=OPERATOR, idempotency_key="carrier")
    columns = table(opened("attempts"))
    assert "Carrier" in [column["heading"] for column in columns["columns"]]
    assert [row["cells"]["carrier"] for row in columns["rows"]] == ["T-Mobile", "unknown"]
    (attempt,) = [one for one in shown(opened("attempts")) if columns["rows"][1]["attempt"] == one]
    assert "Carrier" not in opened("attempts", attempt=attempt).table[0].value.to_string()


def test_an_attempt_leads_to_its_verification_only_while_that_is_kept(services: Services) -> None:
    def has_button(attempt: str) -> bool:
        page = opened("attempts", attempt=attempt)
        return any(each.label == "Open its verification" for each in page.button)

    start = services.verifications.start
    result = start("+12125550187", Way.SMS, grant=OPERATOR, idempotency_key="kept")
    assert has_button(f"{result.verification}-1")
    # Sample traffic has attempts without verifications.
    others = [each for each in listed(services, 1) if not each.startswith(str(result.verification))]
    assert [has_button(each) for each in others] == [False]


def test_sample_traffic_is_marked_row_by_row_and_other_attempts_are_not(services: Services) -> None:
    """In the list, on the page of an attempt and in the CSV."""
    attempts(services, 3)
    assert "sample" not in table(opened("attempts"))["columns"]
    real = {entry.attempt for entry in services.ledger.recent()}
    services.sample.load(days=3, per_day=40)
    at = opened("attempts")
    assert {"name": "sample", "heading": "Traffic"} in table(at)["columns"]
    rows = {row["attempt"]: row["cells"]["sample"] for row in table(at)["rows"]}
    assert {rows[attempt] for attempt in real} == {""}
    assert {mark for attempt, mark in rows.items() if attempt not in real} == {"sample"}
    kept = services.ledger.attempts(list(rows))
    frame = attempt_frame(kept, ZoneInfo("UTC"))
    assert frame["sample"].tolist() == [rows[attempt.id] for attempt in kept]
    (invented, *_) = set(rows) - real
    assert "invented, never sent" in said(opened("attempts", attempt=invented))
    assert "invented" not in said(opened("attempts", attempt=next(iter(real))))
