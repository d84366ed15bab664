"""Presenter mode: a whole verification with one key, and a reset without a question."""

import re

from playwright.sync_api import Page, expect

from core.lab.sandbox_client import SandboxClient
from tests.browser.conftest import App
from tests.browser.test_verify import (
    USE,
    expect_all_in_view,
    expect_verified,
    fresh_number,
    open_form,
    page,
    send,
)

__all__ = ["page"]


def test_keys_lead_through_a_verification_and_back_to_a_clean_page(page: Page, app: App) -> None:
    menu = page.get_by_role("link", name="Delivery")
    field = page.get_by_label("Phone number")
    ringing = page.get_by_role("button", name="Answer", exact=True)
    open_form(page, app)
    page.get_by_role("button", name="Present", exact=True).click()
    expect(menu).to_be_hidden()
    expect_all_in_view(page)
    # In the number field every key has its usual meaning.
    field.fill(fresh_number())
    field.press("n")
    field.press("r")
    expect(field).to_have_value(re.compile("nr$"))
    field.press("Backspace")
    field.press("Backspace")
    page.get_by_role("radio", name="Call", exact=True).click()
    expect(page.get_by_text("The call asks for a key")).to_be_visible()
    page.keyboard.press("n")  # send
    expect(ringing).to_be_visible()
    expect_all_in_view(page)
    page.reload()
    expect(ringing).to_be_visible()
    expect(menu).to_be_hidden()
    page.keyboard.press("ArrowRight")  # answer
    expect(page.get_by_text("The caller waits for a key")).to_be_visible()
    expect_all_in_view(page)
    page.keyboard.press("n")  # press 1
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    page.keyboard.press("n")  # use the code
    expect_verified(page)
    expect_all_in_view(page)
    page.keyboard.press("n")  # verify another
    expect(field).to_be_focused()
    number = fresh_number()
    field.fill(number)
    field.press("Enter")  # send
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    # With a modifier, a key belongs to the browser: it reloads, and resets nothing.
    page.keyboard.press("Control+r")
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    # Another window, whose phone keeps its message.
    window, other = page.context.new_page(), fresh_number()
    open_form(window, app)
    send(window, other)
    expect(window.get_by_role("button", name=USE)).to_be_visible()
    page.bring_to_front()
    expect(page.get_by_role("button", name="Evidence")).to_be_hidden()
    page.keyboard.press("r")
    expect(field).to_be_visible()
    sandbox = SandboxClient(f"{app.address}/sandbox")
    assert sandbox.handset(f"+1 {number}").look()["messages"] == []
    assert sandbox.handset(f"+1 {other}").look()["messages"]
    expect(field).to_have_value("")
    expect(page.get_by_role("radio", name="SMS", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name=re.compile("^Continue with"))).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(menu).to_be_visible()
