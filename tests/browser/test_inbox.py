"""The inbox of the QA page: live, searchable, and the way to a handset and an attempt."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.held import HeldAnswers
from tests.browser.test_axe import check
from tests.browser.test_verify import USE, fresh_number, open_form, send

VIEW = "qa?qa_view=inbox"


def test_a_code_arrives_in_the_inbox_is_found_and_leads_to_handset_and_attempt(
    page: Page, app: App
) -> None:
    page.goto(f"{app.address}/{VIEW}")
    search = page.get_by_role("searchbox", name="Search the inbox")
    expect(search).to_be_visible()
    number = fresh_number()
    other = page.context.new_page()
    open_form(other, app)
    send(other, number)
    # Pushed: this page does nothing.
    rows = page.get_by_role("list", name=re.compile("Messages and calls")).get_by_role("button")
    first = rows.first
    expect(first).to_contain_text(number.replace("(212) ", "212-"))
    code = first.locator(".code").inner_text()
    assert re.fullmatch(r"\d{6}", code)

    # By keyboard: search, go to the entry, open it.
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type(code)
    expect(page.get_by_text("Matches, newest first")).to_be_visible()
    expect(rows).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=code)).to_be_visible()
    address = urlsplit(page.url)
    assert re.fullmatch(r"qa_view=inbox&entry=[0-9a-f-]{36}", address.query)

    # While the entries are read, a new one waits and moves none.
    expect(rows.first).to_be_focused()
    search.fill("")
    expect(page.get_by_text("Newest first", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    before = rows.first.inner_text()
    open_form(other, app)
    send(other, fresh_number(), "Call")
    pill = page.get_by_role("button", name=re.compile("new$"))
    expect(pill).to_be_visible()
    assert rows.first.inner_text().split("\n")[:1] == before.split("\n")[:1]
    pill.click()
    expect(rows.first).to_be_focused()
    expect(rows.first).to_contain_text("Ringing")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Decline")).to_be_visible()

    page.get_by_role("button", name="Push a status").click()
    # The first one: others may ring too.
    ringing = page.get_by_text(re.compile("^Call to .*ringing")).first
    expect(ringing).to_be_visible()
    page.get_by_text("inbox", exact=True).click()

    page.get_by_role("button", name="Open handset").click()
    phone = page.get_by_role("region", name=re.compile("^Phone"))
    phone.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_text("In progress").first).to_be_visible()
    phone.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text(re.compile("Ended: "))).to_be_visible()

    check(page, "qa-inbox", height=1200)

    page.get_by_role("button", name="Open attempt").click()
    expect(page.get_by_role("heading", name=re.compile("^Call to"))).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Open attempt")).to_be_visible()
    other.close()


def test_an_entry_stays_open_when_another_arrives_before_the_answer_to_the_click(
    new_page: Page, app: App
) -> None:
    """The change is reported with the address of before the click."""
    page = new_page
    answers = HeldAnswers(page)
    other = page.context.new_page()
    open_form(other, app)
    send(other, fresh_number())
    expect(other.get_by_role("button", name=USE)).to_be_visible()
    page.goto(f"{app.address}/{VIEW}")
    row = page.get_by_role("list", name=re.compile("Messages and calls")).get_by_role("button")
    code = row.first.locator(".code").inner_text()
    answers.hold()
    row.first.click()
    answers.wait()
    # Not in the list any more: what arrives is shown at once.
    page.get_by_role("heading", name="QA", exact=True).click()
    open_form(other, app)
    send(other, fresh_number())
    expect(other.get_by_role("button", name=USE)).to_be_visible()
    answers.wait()
    answers.release()
    expect(page.get_by_role("heading", name=code)).to_be_visible()
    assert "&entry=" in page.url
    other.close()
