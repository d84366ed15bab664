"""The verdict of the Delivery page, one day of the ledger for each incident, in a real Chromium."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from core.model.clock import SystemClock
from core.settings.settings import Settings
from core.wiring import build
from tests.browser.conftest import App
from tests.browser.test_axe import check
from tests.browser.test_delivery import run_has_ended
from tests.findings.incidents import INCIDENTS, events, history, midnight

HISTORY = 10
#: For each day: the headline, the first cause, and the filters that this cause sets.
EXPECTED = {
    "dead": (
        "Codes arrive: 8", r"Telkomsel in Indonesia loses \d+ verifications and \$\d.* since",
        {"country": ["Indonesia"], "carrier": ["Telkomsel"]},
    ),
    "slow": (
        "Codes arrive: 9", r"Telkomsel in Indonesia is slow since .*: 0.0 % of \d+ codes within",
        {"country": ["Indonesia"], "carrier": ["Telkomsel"]},
    ),
    "unclear": (
        "Codes arrive: 0.0 %.",
        r"All traffic: Plivo gave no clear answer to 150 of 150 sends since .* verifications", {},
    ),
    "silent": (
        "Codes arrive: at least 8", r"All traffic: no receipts since .*, but codes are entered", {},
    ),
    "pumping": (
        "Codes arrive: 9",
        r"Digicel in Vanuatu loses \d+ verifications and \$10.00 since .*; looks like pumping: "
        "200 codes, where none was sent before, none entered",
        {"country": ["Vanuatu"], "carrier": ["Digicel"]},
    ),
    "price": (
        "Codes arrive: 9", r"Vodafone in Germany costs 3 times as much since .*: \$0.15 each",
        {"country": ["Germany"], "carrier": ["Vodafone"]},
    ),
    "calm": ("Codes arrive: 9", "", {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def with_incidents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with ten usual days, and a day of each incident after them."""
    running = App(tmp_path_factory.mktemp("incidents"))
    services = build(Settings(data_dir=running.log.parent), SystemClock())
    days = [*history(HISTORY), *INCIDENTS]
    services.ledger.apply_all(events(first_day(), days))
    services.fold.settle()
    services.close()
    running.start()
    yield running
    running.stop()


def first_day() -> datetime:
    return midnight(datetime.now(UTC)) - timedelta(days=HISTORY + len(INCIDENTS))


def test_the_verdict_names_each_incident_and_a_click_shows_it(
    page: Page, with_incidents: App
) -> None:
    for n, day in enumerate(INCIDENTS, HISTORY):
        headline, cause, filters = EXPECTED[day.name]
        start = first_day() + timedelta(days=n)
        span = f"from={start:%Y-%m-%dT%H:%M}&to={start + timedelta(days=1):%Y-%m-%dT%H:%M}"
        page.goto(f"{with_incidents.address}/delivery?range=Custom&zone=UTC&{span}")
        verdict = page.locator(".st-key-verdict")
        expect(verdict.get_by_text(headline)).to_be_visible()
        causes = verdict.get_by_role("button")
        if not cause:
            expect(causes).to_have_count(0)
            expect(verdict.get_by_text("Nothing differs from the")).to_be_visible()
            continue
        expect(causes).to_have_count(1)
        expect(causes).to_have_text(re.compile(cause))
        if not filters:
            continue
        causes.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(partial(has_filters, filters))
        run_has_ended(page)
        # Under its filters the incident is still the verdict.
        expect(causes).to_have_count(1)


def test_a_week_of_incidents_names_the_worst_three(page: Page, with_incidents: App) -> None:
    page.goto(f"{with_incidents.address}/delivery?range=7+days&zone=UTC")
    verdict = page.locator(".st-key-verdict")
    expect(verdict.get_by_text("The worst 3 of")).to_be_visible()
    expect(verdict.get_by_role("button")).to_have_count(3)
    expect(verdict.get_by_role("button").first).to_contain_text("All traffic")
    check(page, "verdict")


def has_filters(filters: dict[str, list[str]], url: str) -> bool:
    return filters.items() <= parse_qs(urlsplit(url).query).items()
