"""Budgets on the Verify page: warnings, the ending that is refused, and the reset."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.test_verify import fresh_number, open_form, send, use_code
from tests.world import PATIENCE_SECONDS

WARNING = re.compile("Live, this would be refused: this number, 5 in 10 minutes; free again in")


def spent(app: App) -> str:
    """A number whose budget of 10 minutes is spent."""
    number = fresh_number()
    e164 = "+1" + re.sub(r"\D", "", number)
    for _ in range(5):
        httpx.get(f"{app.address}/verify/{e164}", timeout=PATIENCE_SECONDS).raise_for_status()
    return number


def reset(page: Page, name: str) -> None:
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_role("button", name=name, exact=True).click()


def test_a_send_that_live_would_refuse_goes_out_with_a_warning(page: Page, app: App) -> None:
    number = spent(app)
    open_form(page, app)
    send(page, number)
    expect(page.get_by_text(WARNING)).to_be_visible()
    timeline = page.get_by_role("list", name="Timeline")
    expect(timeline.get_by_text("live, refused: this number, 5 in 10 minutes")).to_be_visible()
    use_code(page)
    expect(page.get_by_role("heading", name="✔ Verified")).to_be_visible()
    expect(page.get_by_text(WARNING)).to_be_visible()


def test_the_ending_0600_is_refused_on_the_page(page: Page, app: App) -> None:
    open_form(page, app)
    page.get_by_label("Phone number").fill(fresh_number("0600"))
    page.get_by_role("button", name="Send code", exact=True).click()
    expect(page.get_by_text("sent its share of codes for these 10 minutes")).to_be_visible()
    expect(page.get_by_text("Try again in 10 minutes")).to_be_visible()


def test_a_reset_of_budgets_ends_the_warnings_and_says_what_it_removes(
    page: Page, app: App
) -> None:
    number = spent(app)
    open_form(page, app)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.get_by_text("Removes the counts of sends")).to_be_visible()
    page.get_by_role("button", name="Reset budgets", exact=True).click()
    expect(page.get_by_text("Reset: budgets")).to_be_visible()
    page.keyboard.press("Escape")
    send(page, number)
    expect(page.get_by_text(WARNING)).to_have_count(0)


def test_a_whole_reset_leads_from_a_verification_back_to_an_empty_form(
    page: Page, app: App
) -> None:
    number = fresh_number()
    open_form(page, app)
    send(page, number)
    reset(page, "Reset everything")
    expect(page.get_by_role("button", name="Send code", exact=True)).to_be_visible()
    shown = httpx.get(f"{app.address}/sandbox/handset/+1{re.sub(r'[^0-9]', '', number)}").json()
    assert shown["messages"] == []


def test_another_window_with_a_verification_survives_the_reset(page: Page, app: App) -> None:
    open_form(page, app)
    send(page, fresh_number())
    answer = httpx.delete(
        f"{app.address}/sandbox/state", params={"what": "attempts"}, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code == 200
    expect(page.get_by_text("That verification is not known")).to_be_visible()
    expect(page.get_by_role("button", name="Send code", exact=True)).to_be_visible()
