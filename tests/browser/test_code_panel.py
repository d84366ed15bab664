"""The code field and the handset in a real Chromium: what is filled in, sent and offered."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from core.model.clock import SystemClock
from core.settings.settings import Settings
from core.wiring import build
from tests.browser.conftest import App
from tests.browser.test_verify import (
    expect_verified,
    fresh_number,
    open_form,
    send,
    use_code,
)
from tests.browser.test_walk import settled


def sent(page: Page, app: App) -> str:
    """A verification that is open; the right code, as the handset offers it."""
    open_form(page, app)
    return sent_from_form(page)


def sent_from_form(page: Page) -> str:
    """The same from the form that is open."""
    send(page, fresh_number())
    use = page.get_by_role("button", name=re.compile(r"^Use \d{6}$"))
    return use.inner_text().removeprefix("Use ")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


@contextmanager
def slow_writes(app: App) -> Iterator[None]:
    """Redis answers no write until the end of this block."""
    services = build(Settings(data_dir=app.log.parent), SystemClock())
    try:
        services.client.execute_command("CLIENT", "PAUSE", "4000", "WRITE")
        yield
        services.client.execute_command("CLIENT", "UNPAUSE")
    finally:
        services.close()


def paste(page: Page, text: str, *, into: str = "Code") -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    field = page.get_by_role("textbox", name=into)
    field.focus()
    field.press("ControlOrMeta+v")


#: How a text is read is in test_codes.py; here, that what was read is sent.
PASTED = [
    "{code} is your Club 1860 code. Call 0800 123456. It cost $123456.",
    "\u2066{arabic}\u2069",
]


def test_a_pasted_text_with_one_code_is_sent(page: Page, app: App) -> None:
    open_form(page, app)
    for text in PASTED:
        code = sent_from_form(page)
        arabic = "".join(chr(ord("٠") + int(digit)) for digit in code)
        paste(page, text.format(code=code, arabic=arabic))
        expect_verified(page)
        page.get_by_role("button", name="Verify another number").click()
        expect(page.get_by_label("Phone number")).to_be_visible()


REFUSED = [
    ("Your Acme 2FA code is on its way", "no code of 6 digits"),
    ("{wrong} or {code}", "2 numbers of 6 digits"),
    ("1234567", "no code of 6 digits"),
    ("{wrong} and {code}", "2 numbers of 6 digits"),
    ("12345", "no code of 6 digits"),
]


def test_a_pasted_text_without_one_code_fills_nothing_and_says_why(page: Page, app: App) -> None:
    """The reason changes from each text to the next, so that none is that of the text before."""
    code = sent(page, app)
    field = page.get_by_role("textbox", name="Code")
    field.press_sequentially("12")
    for text, why in REFUSED:
        paste(page, text.format(code=code, wrong=wrong(code)))
        expect(page.get_by_role("status").filter(has_text=why)).to_be_visible()
        expect(field).to_have_value("12")
    expect(page.get_by_text("5 tries left")).to_be_visible()
    field.fill(code)
    expect_verified(page)


def test_digits_of_any_script_are_typed_as_ascii_and_nothing_else_is(page: Page, app: App) -> None:
    code = sent(page, app)
    field = page.get_by_role("textbox", name="Code")
    field.press_sequentially("a٤x४ 4-")
    expect(field).to_have_value("444")
    # A digit too many moves no other out, and a suggestion of the keyboard is taken as a paste.
    field.fill("")
    page.keyboard.insert_text("Your Acme 2FA code: 12345")
    expect(field).to_have_value("")
    field.press_sequentially("".join(chr(ord("०") + int(digit)) for digit in code))
    expect_verified(page)


def test_digits_that_are_typed_stay_where_the_panel_is_drawn_again(page: Page, app: App) -> None:
    code = sent(page, app)
    field = page.get_by_role("textbox", name="Code")
    field.press_sequentially(code[:2])
    page.get_by_role("link", name="Delivery", exact=True).click()
    expect(page.get_by_role("heading", name="Delivery", exact=True)).to_be_visible()
    expect(field).to_have_count(0)
    page.go_back()
    expect(field).to_have_value(code[:2])
    field.press("End")
    field.press_sequentially(code[2:])
    expect_verified(page)


def test_the_handset_offers_no_code_of_another_tab(page: Page, app: App) -> None:
    number = fresh_number()
    open_form(page, app)
    send(page, number)
    use = re.compile(r"^Use \d{6}$")
    first = page.get_by_role("button", name=use).inner_text()
    other = page.context.new_page()
    open_form(other, app)
    send(other, number)
    second = other.get_by_role("button", name=use).inner_text()
    assert first != second
    # Both messages are on both phones; each offers its own.
    expect(page.locator("article")).to_have_count(2)
    expect(page.get_by_role("button", name=use)).to_have_text(first)
    use_code(other)
    expect_verified(other)
    use_code(page)
    expect_verified(page)


def test_a_click_while_redis_is_slow_does_not_lose_the_answer_to_a_code(
    page: Page, app: App
) -> None:
    code = sent(page, app)
    settled(page)
    with slow_writes(app):
        page.get_by_role("textbox", name="Code").fill(wrong(code))
        # It runs the whole page.
        page.get_by_role("button", name="Phone in hand").click()
        expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_text("That is not the code")).to_be_visible()


def test_a_click_while_redis_is_slow_does_not_lose_the_answer_to_a_resend(
    page: Page, tmp_path: Path
) -> None:
    app = App(tmp_path)
    # The second send is refused, which only the answer says.
    app._environment |= {
        "SANDBOX_BUDGETS": "enforce",
        "SENDS_PER_10_MINUTES": "1",
        "RESEND_COOLDOWNS": "1",
    }
    app.start()
    try:
        sent(page, app)
        resend = page.get_by_role("button", name="Resend code", exact=True)
        expect(resend).to_be_enabled()
        settled(page)
        with slow_writes(app):
            resend.click()
            page.get_by_role("button", name="Phone in hand").click()
            expect(page.get_by_role("dialog")).to_be_visible()
        expect(page.get_by_text("sent its share of codes for these 10 minutes")).to_be_visible()
    finally:
        app.stop()
