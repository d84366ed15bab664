"""Many windows of one browser: all are pushed to, whatever becomes of the others."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.test_verify import expect_verified, fresh_number, open_form, send

#: A browser opens six HTTP/1.1 connections to a host over all its windows.
WINDOWS = 7


def bubbles(page: Page, count: int) -> None:
    expect(page.locator("article")).to_have_count(count)


def test_seven_windows_all_show_a_new_message_also_when_some_close_or_reload(
    page: Page, app: App
) -> None:
    number = fresh_number()
    open_form(page, app)
    send(page, number)
    windows = [page]
    for _ in range(WINDOWS - 1):
        # Opened by the first one, all share its process: a test of connections, not of memory.
        with page.expect_popup() as opened:
            page.evaluate("window.open(location.href)")
        window = opened.value
        expect(window.get_by_role("textbox", name="Code")).to_be_visible()
        windows.append(window)
    for window in windows:
        assert window.evaluate("document.hidden") is False
        bubbles(window, 1)
    digits = "1" + re.sub(r"\D", "", number)
    page.request.get(f"{app.address}/verify/{digits}")
    for window in windows:
        bubbles(window, 2)
    windows.pop().close()
    windows.pop(1).close()
    windows[0].reload()
    windows[0].request.get(f"{app.address}/verify/{digits}")
    for window in windows:
        bubbles(window, 3)
    windows[-1].get_by_role("button", name=re.compile(r"^Use \d{6}$")).click()
    for window in windows:
        expect_verified(window)


def test_a_window_that_lost_its_connection_shows_what_came_meanwhile(page: Page, app: App) -> None:
    number = fresh_number()
    open_form(page, app)
    send(page, number)
    bubbles(page, 1)
    page.context.set_offline(True)
    digits = "1" + re.sub(r"\D", "", number)
    # From outside of the browser that is offline.
    import httpx

    httpx.get(f"{app.address}/verify/{digits}").raise_for_status()
    page.context.set_offline(False)
    bubbles(page, 2)
