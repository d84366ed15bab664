"""A page is left while its parts still report changes."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.repeat import Repeat
from tests.browser.test_verify import USE, fresh_number, open_form, send
from tests.browser.test_walk import settled


def test_a_change_that_is_reported_while_another_page_opens_leaves_that_page_as_it_is(
    new_page: Page, app: App
) -> None:
    """Opened by the menu, and by a row of the timeline, which the server answers with the page."""
    page = new_page
    repeat = Repeat(page, b"verify_live__events")
    open_form(page, app)
    send(page, fresh_number())
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    repeat.is_on = True
    timeline = page.get_by_role("list", name="Timeline")
    timeline.get_by_role("link", name="SMS", exact=True).click()
    opened(page, "Attempts")
    for name in ("API", "Access"):
        page.get_by_role("link", name=name, exact=True).click()
        opened(page, name)
    assert repeat.count > 0


def opened(page: Page, name: str) -> None:
    heading = page.get_by_role("heading", name=name, exact=True, level=1)
    expect(heading).to_be_visible()
    settled(page)
    expect(heading).to_be_visible()
