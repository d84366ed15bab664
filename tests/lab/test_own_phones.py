"""The team's own handsets: a checklist of them, what is seen of each, and what a run costs."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from core.lab.own_phones import items_of_phones, number_of
from core.lab.sessions.collector import Collector
from core.lab.sessions.model import ChecklistItem, TestSession
from core.lab.sessions.recording import Recording
from core.model.attempt import EventKind, State
from core.model.grant import OPERATOR
from core.model.verification import SendOutcome
from core.model.way import Way
from core.panels.own_phones import line_words, phone_lines, run_cost, run_cost_words
from core.panels.qa_session import Agreement, ItemLine, SessionReader
from core.plivo.pricing import Price
from core.settings.own_phones import OwnPhone
from core.settings.settings import Settings
from core.verification.numbers import Numbers
from tests.world import World, until

ASSUMED = Decimal("0.05")
#: Its sender is of the United States, and so are the numbers that may be verified.
LIVE: dict[str, Any] = {
    "plivo_auth_id": "MATESTTESTTESTTESTTE",
    "plivo_auth_token": "a token of no account",
    "plivo_number": "+14155550100",
    "secret_key": "a key that is long enough for any test",
}


@pytest.fixture
def phones(at: World) -> tuple[OwnPhone, ...]:
    return (OwnPhone("Anna's Pixel", at.number()), OwnPhone("Lost iPhone", at.number("0030")))


def started(at: World, items: list[ChecklistItem]) -> TestSession:
    session = at.services.test_sessions.start("Live", "Ada", "1")
    at.services.test_sessions.add_items(session.id, items)
    return read(at, session)


def read(at: World, session: TestSession) -> TestSession:
    kept = at.services.test_sessions.find(session.id)
    assert kept is not None
    return kept


def send(at: World, session: TestSession, item: ChecklistItem, number: str) -> str:
    """As the Verify page does for the item."""
    assert item.way is not None
    recording = Recording(session.id, session.name)
    collector = Collector(at.services.test_sessions, at.clock, recording, item.id)
    result = at.start(number, item.way)
    collector.started(result, item.way, str)
    return result.verification or ""


def lines(at: World, session: TestSession) -> tuple[ItemLine, ...]:
    return SessionReader(at.services.verifications).read(read(at, session), OPERATOR).items


def test_a_checklist_has_each_handset_by_each_way_and_no_number(
    at: World, phones: tuple[OwnPhone, ...]
) -> None:
    labels = [phone.label for phone in phones]
    session = started(at, items_of_phones(product(labels, [Way.SMS, Way.VOICE])))
    assert [(item.phone, item.way) for item in session.items] == [
        ("Anna's Pixel", Way.SMS), ("Anna's Pixel", Way.VOICE),
        ("Lost iPhone", Way.SMS), ("Lost iPhone", Way.VOICE),
    ]  # fmt: skip
    record = at.services.client.hgetall(at.services.keys.test_session(session.id))
    assert not any(phone.number[1:] in str(record) for phone in phones)
    assert number_of(phones, session.items[0].phone) == phones[0].number
    assert number_of(phones, "Sold phone") == ""


def test_what_is_seen_has_the_receipt_the_entry_and_the_cost(
    at: World, phones: tuple[OwnPhone, ...]
) -> None:
    labels = [phone.label for phone in phones]
    session = started(at, items_of_phones(product(labels, [Way.SMS])))
    pixel, lost = session.items
    verification = send(at, session, pixel, phones[0].number)
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    (line, _) = lines(at, session)
    assert "receipt after" in line.seen
    assert "no right code yet" in line.seen
    assert line.agreement is Agreement.OPEN

    at.services.verifications.check(verification, at.code(verification))
    attempt = at.look(verification).attempts[0]
    (line, _) = lines(at, session)
    assert line.agreement is Agreement.AGREES
    requested = attempt.moments[EventKind.REQUESTED]
    assert line.seen.startswith(f"Sent at {requested:%H:%M:%S} UTC, receipt after ")
    assert "right code after" in line.seen
    assert line.seen.endswith(f"${attempt.cost_micros / 1_000_000:.4f}" if attempt.cost_micros
                              else "no price yet")  # fmt: skip

    failed = send(at, session, lost, phones[1].number)
    until(lambda: at.look(failed).attempts[0].state.is_lost)
    (_, line) = lines(at, session)
    assert line.agreement is Agreement.DIFFERS
    assert line.seen.startswith("Not delivered: ")
    assert "no receipt yet" in line.seen


def test_budgets_hold_for_own_handsets(at: World, phones: tuple[OwnPhone, ...]) -> None:
    session = started(at, items_of_phones([("Anna's Pixel", Way.SMS)]))
    (item,) = session.items
    for _ in range(at.services.settings.sends_per_10_minutes):
        assert send(at, session, item, phones[0].number)
    assert send(at, session, item, phones[0].number) == ""
    (line,) = lines(at, session)
    assert line.seen.startswith("Refused: ")
    assert line.agreement is Agreement.DIFFERS
    assert at.start(phones[0].number).outcome is SendOutcome.OVER_BUDGET


def test_live_only_numbers_of_the_allowed_countries_are_offered(at: World) -> None:
    settings = Settings(**LIVE)
    assert not settings.is_sandbox
    numbers = Numbers(settings, at.services.keyring)
    phones = (OwnPhone("Office", "+14155556789"), OwnPhone("Berlin", "+4915112345678"))
    office, berlin = phone_lines(phones, numbers)
    assert (office.to_masked, office.region, office.refusal) == ("+1 415 ••• ••89", "US", "")
    assert "Germany" in berlin.refusal
    assert berlin.ways == ()
    words = line_words(berlin, 1, None, simulated=False)
    assert "Change TEST_PHONES or COUNTRIES." in words
    assert "15112345678" not in f"{berlin} {words}"


def test_a_landline_is_reached_by_calls_only(at: World) -> None:
    (line,) = phone_lines([OwnPhone("Desk", "+442079460018")], at.services.verifications.numbers)
    assert line.ways == (Way.VOICE, Way.PHLO_CALL)
    price = Price(Decimal(1), Decimal(2), Decimal("0.01"), Decimal("0.02"))
    words = line_words(line, 1, price, simulated=True)
    assert words.startswith("+44 20 •••• ••18 · United Kingdom · call $0.01 to $0.02 a minute, sim")
    assert "a message needs a mobile number" in words
    cost = run_cost([line], tuple(Way), 1, at.services.prices, ASSUMED)
    assert cost.sends == 2


def test_a_run_says_what_it_costs_before_it_begins(at: World) -> None:
    phones = (OwnPhone("Office", at.number()), OwnPhone("Second", at.number()))
    office, second = phone_lines(phones, at.services.verifications.numbers)
    price = until(lambda: at.services.prices.of("US"))
    assert price is not None
    cost = run_cost([office, second], [Way.SMS, Way.VOICE], 2, at.services.prices, ASSUMED)
    assert cost.sends == 4
    assert cost.lowest == 4 * price.message_from + 2 * price.minute_from
    assert cost.highest == 4 * price.message_to + 2 * price.minute_to
    words = run_cost_words(cost, simulated=False)
    assert words.startswith("4 sends cost $")
    # A country whose price was never read is named, and not counted as free.
    far = replace(second, region="ZZ", country="Nowhere")
    unknown = run_cost([office, far], [Way.SMS], 1, at.services.prices, ASSUMED)
    assert (unknown.lowest, unknown.unpriced) == (price.message_from + ASSUMED, ("Nowhere",))
    words = run_cost_words(unknown, simulated=True)
    assert words.endswith("The price of Nowhere is not known yet: $0.05 is assumed.")
