"""The drawer of endings, and the handset of a verification on another phone."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import App
from tests.browser.test_axe import check
from tests.browser.test_verify import expect_verified, open_form

CODE = re.compile(r"^Use \d{6}$")


def test_an_ending_is_searched_filled_in_and_sent_and_its_phone_handed_over(
    page: Page, browser: Browser, app: App
) -> None:
    open_form(page, app)
    page.get_by_role("button", name="Endings", exact=True).click()
    # By keyboard: the search has the focus, the arrow keys lead to the endings.
    expect(page.get_by_role("searchbox", name="Search the endings")).to_be_focused()
    page.keyboard.type("undelivered spam")
    expect(page.get_by_text("1 of ")).to_be_visible()
    page.keyboard.press("ArrowDown")
    # A key that is held fills in and does not send; the page's own keys do nothing now.
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.press("p")
    field = page.locator("input[aria-label='Phone number']")
    expect(field).to_have_value(re.compile(r"0030$"))
    expect(page.get_by_role("button", name=re.compile("^Send to 0030"))).to_be_visible()
    expect(page.locator("html[data-presenter]")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="▲ Not delivered")).to_be_visible()

    page.get_by_role("button", name="Phone in hand").click()
    link = page.locator("a[href*='/handset#']").get_attribute("href")
    assert link is not None
    expect(page.get_by_text("PUBLIC_URL is this machine only")).to_be_visible()
    page.keyboard.press("Escape")
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    try:
        phone = context.new_page()
        phone.goto(link)
        expect(phone.get_by_role("region", name=re.compile("Phone"))).to_be_visible()
        # The handle leaves the address, and the sandbox's other handsets stay closed to a phone.
        expect(phone).to_have_url(f"{app.address}/handset")
        check(phone, "phone-in-hand")
        phone.set_viewport_size({"width": 390, "height": 844})
        page.get_by_role("button", name="Call me instead").click()
        phone.get_by_role("button", name="Answer", exact=True).click()
        question = phone.get_by_role("log", name="Transcript").get_by_text(
            re.compile("press 1", re.I)
        )
        expect(question).to_be_visible()
        phone.get_by_role("button", name="Key 1", exact=True).click()
        phone.get_by_role("button", name=CODE).click()
        expect(phone.get_by_role("heading", name="✔ Verified")).to_be_visible()
        expect_verified(page)
    finally:
        context.close()


def test_a_phone_is_pushed_to_and_sees_no_other_number(
    page: Page, browser: Browser, app: App
) -> None:
    open_form(page, app)
    # Delivered 5 seconds late: the phone is in hand by then.
    page.get_by_label("Phone number").fill("+1 212 777 0705")
    page.get_by_role("button", name="Send code", exact=True).click()
    page.get_by_role("button", name="Phone in hand").click()
    link = page.locator("a[href*='/handset#']").get_attribute("href")
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    try:
        phone = context.new_page()
        # Without its timers, only what is pushed arrives.
        phone.add_init_script("window.setInterval = () => 0")
        phone.goto(str(link))
        page.request.get(f"{app.address}/verify/12127775555")
        offer = phone.get_by_role("button", name=CODE)
        expect(offer).to_be_visible()
        expect(phone.locator("article")).to_have_count(1)
        assert "777" not in phone.content()
        offer.click()
        expect_verified(page)
    finally:
        context.close()
