"""From an incident to its end: chaos, an alert, its notification, the page, a snooze, recovery."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from core.model.clock import from_ms
from core.settings.settings import Settings
from core.wiring import build
from tests.browser.conftest import App
from tests.browser.test_chaos import chaos
from tests.findings.incidents import USUAL, Day, events, everywhere
from tests.webhooks.conftest import SECRET, move_the_receivers_clock
from tests.webhooks.receiver import ReceivedEvent, Receiver, receiving
from tests.world import MovableClock, until

HISTORY = 8
DEAD = {"effect": "http_status", "status": 503, "country": "DE"}
_ELSEWHERE = 4


@dataclass(frozen=True)
class Notified:
    """The app, what it sends to people, and its clock."""

    app: App
    receiver: Receiver
    clock: MovableClock
    ahead: Path
    rest: httpx.Client

    def advance(self, span: timedelta) -> None:
        self.clock.advance(span)
        self.ahead.write_text(str(self.clock.ahead.total_seconds()))

    def send(self, count: int, prefix: str) -> None:
        """Start verifications of numbers in Germany, and some elsewhere: without those an incident
        there is one of all traffic. Many codes that are never entered would be pumping."""
        for n in range(count):
            for start in ("+628123", "+491729")[n >= _ELSEWHERE :]:
                number = f"{start}{prefix}{n:02}5555"
                answer = self.rest.post("/verifications", json={"number": number})
                assert answer.status_code in {201, 202, 502, 503}, answer.text

    @property
    def alerts(self) -> list[ReceivedEvent]:
        """The notifications of alerts so far."""
        events = self.receiver.requests
        return [event for event in events if event.event["type"].startswith("alert.")]


@pytest.fixture
def notified(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notified]:
    """The app with some usual days, and a receiver of its events."""
    data = tmp_path_factory.mktemp("alerts")
    clock = MovableClock()
    services = build(Settings(data_dir=data), clock)
    # Up to now: where the day so far has no traffic, that is an incident of its own.
    first = clock.now() - timedelta(days=HISTORY)
    # More expensive than the sandbox, whose prices are not the incident.
    usual = Day("usual", everywhere(replace(USUAL, micros=1_000_000)))
    services.ledger.apply_all(events(first, [usual] * HISTORY))
    services.fold.settle()
    token = services.tokens.sandbox_token
    services.close()
    move_the_receivers_clock(clock, monkeypatch)
    app = App(data, module="tests.browser.moved_app")
    ahead = data / "ahead"
    ahead.write_text(str(clock.ahead.total_seconds()))
    with receiving(SECRET) as (receiver, url):
        app._environment |= {
            "CLOCK_AHEAD": str(ahead), "WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET,
        }  # fmt: skip
        app.start()
        headers = {"Authorization": f"Bearer {token}"}
        try:
            with httpx.Client(
                base_url=f"{app.address}/api/v1", headers=headers, timeout=40
            ) as rest:
                yield Notified(app, receiver, clock, ahead, rest)
        finally:
            app.stop()


def test_an_alert_is_notified_its_link_shows_it_it_is_snoozed_and_its_end_is_notified(
    page: Page, notified: Notified
) -> None:
    with chaos(notified.app, DEAD):
        notified.send(12, "1")
        until(lambda: notified.alerts, 40)
        sent = notified.clock.now()
    (firing,) = notified.alerts
    assert firing.event["type"] == "alert.firing"
    headline = "SMS to Germany: Plivo gives no clear answer to sends"
    assert firing.data["title"] == headline
    # Looks at the same range within ten seconds share an answer.
    notified.advance(timedelta(seconds=15))
    page.goto(firing.data["link"])
    # The range and the filters of the incident, and the incident as a cause of the verdict.
    expect(page.get_by_role("button", name="Clear SMS, Germany")).to_be_visible()
    query = parse_qs(urlsplit(page.url).query)
    assert query["range"] == ["Custom"]
    start, end = (
        datetime.fromisoformat(query[name][0]).replace(tzinfo=UTC) for name in ("from", "to")
    )
    assert start < from_ms(firing.data["since_ms"]) <= sent < end
    cause = page.locator(".st-key-verdict").get_by_role("button")
    expect(cause).to_contain_text("Plivo gave no clear answer to 12 of")
    card = page.locator("[class*='st-key-alert_firing']")
    expect(card.get_by_text(headline)).to_be_visible()
    expect(card.get_by_text(re.compile(r"Began .* Alert .* Notified \d"))).to_be_visible()
    expect(card.get_by_role("img", name=re.compile("^Sends answered clearly"))).to_be_visible()
    card.get_by_role("button", name="Snooze").press("Enter")
    page.get_by_role("menuitem", name="4 hours").press("Enter")
    expect(page.get_by_text("Snoozed for 4 hours.")).to_be_visible()
    expect(card.get_by_text("Snoozed until")).to_be_visible()
    # Chaos is off: the next codes arrive.
    for minute in range(2, 10):
        if len(notified.alerts) == 2:
            break
        notified.advance(timedelta(minutes=1))
        notified.send(5, str(minute))
        # Each minute is checked, since those without a check would not count.
        with contextlib.suppress(AssertionError):
            until(lambda: len(notified.alerts) == 2, 8)
    _, resolved = notified.alerts
    assert resolved.event["type"] == "alert.resolved"
    assert resolved.data["title"] == f"Resolved: {headline}"
    page.reload()
    ended = page.locator("[class*='st-key-alert_ended']")
    expect(ended.get_by_text(re.compile(r"Began .* Alert .* Resolved \d"))).to_be_visible()
    expect(card).to_have_count(0)
