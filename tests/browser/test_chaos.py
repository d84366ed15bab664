"""Chaos on the QA page, and its band on every page."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from core.lab.sandbox_client import SandboxClient
from tests.browser.conftest import App
from tests.browser.test_verify import fresh_number, send
from tests.browser.test_walk import settled
from tests.world import until

BAND = "Chaos is on:"


@contextmanager
def chaos(app: App, *rules: dict[str, Any]) -> Iterator[SandboxClient]:
    """Chaos with these rules; off at the end."""
    sandbox = SandboxClient(f"{app.address}/sandbox")
    sandbox.set_chaos({"rules": rules, "seed": 7})
    try:
        yield sandbox
    finally:
        sandbox.stop_chaos()


def test_a_dial_is_set_every_window_says_so_a_status_is_pushed_and_it_is_turned_off(
    page: Page, context: BrowserContext, app: App
) -> None:
    other = context.new_page()
    other.set_viewport_size({"width": 1280, "height": 720})
    other.goto(app.address)
    title = other.get_by_role("heading", name="Verify a phone number")
    expect(title).to_be_visible()
    settled(other)
    # The page's own style, which puts it at the top, comes after Streamlit's.
    until(lambda: (title.bounding_box() or {"y": 999})["y"] < 100)
    before = title.bounding_box()
    with chaos(app) as sandbox:
        page.goto(f"{app.address}/qa?qa_view=chaos")
        page.get_by_role("button", name="Calls are busy").click()
        # At once, before the first rule is drawn.
        page.get_by_role("button", name="A carrier loses 30 %").click()
        expect(page.get_by_text("Applied. Sends from now on")).to_be_visible()
        expect(page.get_by_text("All calls are busy").last).to_be_visible()
        expect(page.get_by_role("slider", name="Share of rule 2")).to_be_visible()
        # By keyboard, and the dial keeps the focus.
        dial = page.get_by_role("slider", name="Share of rule 2")
        dial.press("ArrowRight")
        expect(page.get_by_text("31 % of messages to Vodafone in Germany")).to_be_visible()
        dial.press("ArrowRight")
        expect(page.get_by_text("32 % of messages to Vodafone in Germany")).to_be_visible()
        assert [rule["probability"] for rule in sandbox.chaos()["rules"]] == [1, 0.32]
        # The form closes when its rule is applied: a second click cannot add it again.
        page.get_by_role("button", name="Add a rule").click()
        page.get_by_role("button", name="Add this rule").dblclick()
        expect(page.get_by_text("30 % of messages are lost")).to_be_visible()
        expect(page.get_by_role("button", name="Add this rule")).to_have_count(0)
        assert len(sandbox.chaos()["rules"]) == 3
        # Another person changes it: a removal in this window is not applied, and it says so.
        sandbox.set_chaos({"rules": [{"effect": "held"}], "seed": 7})
        page.get_by_role("button", name="Remove").first.click()
        expect(page.get_by_text("Chaos was changed meanwhile")).to_be_visible()
        assert [rule["effect"] for rule in sandbox.chaos()["rules"]] == ["held"]
        # The window that was open before shows it, and nothing on it has moved.
        expect(other.get_by_text("All messages are held")).to_be_visible()
        assert title.bounding_box() == before
        # A message that is under way.
        send(other, fresh_number())
        page.get_by_role("button", name="delivered", exact=True).first.click()
        expect(page.get_by_text("Pushed delivered")).to_be_visible()
        until(lambda: sandbox.sends()[0]["status"] == "delivered")
        assert other.get_by_role("link", name="Show").get_attribute("href") == "/qa?qa_view=chaos"
        other.get_by_role("button", name="Turn off chaos").click()
        expect(other.get_by_text(BAND)).to_be_hidden()
        expect(page.get_by_text(BAND)).to_be_hidden()
        assert sandbox.chaos()["on"] is False
