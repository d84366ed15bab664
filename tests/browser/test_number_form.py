"""Getting about: by keyboard alone, on a phone, and to another page and back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.held import HeldAnswers
from tests.browser.repeat import Repeat
from tests.browser.test_chaos import chaos
from tests.browser.test_verify import (
    expect_focus,
    expect_verified,
    fresh_number,
    open_form,
    send,
    use_code,
)
from tests.browser.test_walk import settled
from tests.world import until

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "user_agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36",
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 3,
}
USE = re.compile(r"^Use \d{6}$")


def field(page: Page) -> str:
    """The name of what has the focus, through all shadow roots."""
    found: str = page.evaluate(
        """() => {
          let active = document.activeElement;
          while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
          return active.getAttribute("aria-label") ?? (active.id || active.textContent);
        }"""
    )
    return found


def test_by_keyboard_alone_a_number_is_verified(page: Page, app: App) -> None:
    open_form(page, app)
    expect(page.get_by_label("Phone number")).to_be_focused()
    page.keyboard.type(fresh_number())
    page.keyboard.press("Enter")
    code = page.get_by_role("textbox", name="Code")
    expect(code).to_be_focused()
    page.keyboard.type(page.get_by_role("button", name=USE).inner_text()[4:])
    expect_verified(page)
    expect(page.get_by_role("heading", name="✔ Verified")).to_be_focused()
    page.get_by_role("button", name="Verify another number").press("Enter")
    expect(page.get_by_label("Phone number")).to_be_focused()


def test_enter_sends_what_is_in_the_field_and_sends_it_once(page: Page, app: App) -> None:
    number = fresh_number()
    open_form(page, app)
    expect(page.get_by_label("Phone number")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    digits = "1" + re.sub(r"\D", "", number)
    handset = page.request.get(f"{app.address}/sandbox/handset/{digits}").json()
    assert len(handset["messages"]) == 1


def test_an_enter_that_arrives_while_the_form_is_leaving_changes_nothing(
    new_page: Page, app: App
) -> None:
    page = new_page
    repeat = Repeat(page, b"verify_number_form__events")
    repeat.is_on = True
    number = fresh_number()
    open_form(page, app)
    expect(page.get_by_label("Phone number")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    expect(page.get_by_text("an error in this application")).to_have_count(0)
    assert repeat.count > 0
    digits = "1" + re.sub(r"\D", "", number)
    handset = page.request.get(f"{app.address}/sandbox/handset/{digits}").json()
    assert len(handset["messages"]) == 1


def test_an_enter_before_the_answer_to_the_first_one_does_not_bring_the_form_back(
    new_page: Page, app: App
) -> None:
    """The server has drawn the verification, and the browser asks again with its old address."""
    page = new_page
    answers = HeldAnswers(page)
    number = fresh_number()
    open_form(page, app)
    expect(page.get_by_label("Phone number")).to_be_focused()
    page.keyboard.type(number)
    expect(page.get_by_text("United States · mobile or landline")).to_be_visible()
    answers.hold()
    for _ in range(2):
        page.keyboard.press("Enter")
        answers.wait()
    answers.release()
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    digits = "1" + re.sub(r"\D", "", number)
    handset = page.request.get(f"{app.address}/sandbox/handset/{digits}").json()
    assert len(handset["messages"]) == 1


def test_a_click_while_plivo_is_slow_does_not_lose_the_code_that_was_sent(
    page: Page, app: App
) -> None:
    open_form(page, app)
    page.get_by_label("Phone number").fill(fresh_number())
    button = page.get_by_role("button", name="Send code", exact=True)
    expect(button).to_be_enabled()
    with chaos(app, {"effect": "silence"}):
        button.click()
        expect(page.get_by_text("Waiting for Plivo")).to_be_visible()
        page.get_by_text("Call", exact=True).first.click()
        expect(page.get_by_role("textbox", name="Code")).to_be_visible()
        assert "verification=" in page.url


def test_a_form_that_was_sent_before_a_reload_sends_nothing_again(page: Page, app: App) -> None:
    sent_again(page, app, page.reload)


def test_a_form_that_was_sent_before_a_crash_sends_nothing_again(
    page: Page, tmp_path: Path
) -> None:
    app = App(tmp_path)
    app.start()

    def crash() -> None:
        app.kill()
        app.start()

    try:
        sent_again(page, app, crash)
    finally:
        app.stop()


def sent_again(page: Page, app: App, interrupt: Callable[[], object]) -> None:
    """Send the form, interrupt it before Plivo answers, and send it again as a person does who has
    seen no answer."""
    open_form(page, app)
    settled(page)
    number = fresh_number()
    with chaos(app, {"effect": "silence"}):
        page.get_by_label("Phone number").fill(number)
        page.get_by_role("button", name="Send code", exact=True).click()
        expect(page.get_by_text("Waiting for Plivo")).to_be_visible()
        until(lambda: messages_of(page, app, number))
        interrupt()
    expect(page.get_by_text("Waiting for Plivo")).to_have_count(0)
    settled(page)
    send(page, number)
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    assert messages_of(page, app, number) == 1
    # The next form is another request, also after a reload.
    use_code(page)
    expect_verified(page)
    page.reload()
    page.get_by_role("button", name="Verify another number").click()
    send(page, number)
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    assert messages_of(page, app, number) == 2


def messages_of(page: Page, app: App, number: str) -> int:
    digits = "1" + re.sub(r"\D", "", number)
    return len(page.request.get(f"{app.address}/sandbox/handset/{digits}").json()["messages"])


def test_enter_on_what_is_no_number_says_why(page: Page, app: App) -> None:
    open_form(page, app)
    expect(page.get_by_label("Phone number")).to_be_focused()
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("options", [PHONE])
def test_on_a_phone_the_verdict_is_in_view_and_has_the_focus(page: Page, app: App) -> None:
    open_form(page, app)
    expect_focus(page)
    send(page, fresh_number())
    expect_focus(page)
    # The message is a banner at the top, whatever the page shows; the phone itself is below.
    banner = page.get_by_role("button", name=re.compile(r"^\d{3} \d{3} · Use$"))
    expect(banner).to_be_in_viewport(ratio=1)
    box = banner.bounding_box()
    assert box is not None
    assert (box["y"] < 60, box["height"] >= 44) == (True, True)
    banner.tap()
    expect(banner).to_be_hidden()
    expect_verified(page)
    verdict = page.get_by_role("heading", name="✔ Verified")
    expect(verdict).to_be_in_viewport(ratio=1)
    expect(verdict).to_be_focused()
    # Nothing of Streamlit's lies over it.
    box = verdict.bounding_box()
    assert box is not None
    assert verdict.evaluate(
        "(node, [x, y]) => { const top = document.elementFromPoint(x, y);"
        " return top === node.getRootNode().host || top.contains(node.getRootNode().host); }",
        [box["x"] + 20, box["y"] + box["height"] / 2],
    )
    page.reload()
    expect_verified(page)
    assert field(page) != ""
    page.get_by_role("button", name="Verify another number").tap()
    send(page, fresh_number(), "Call")
    page.get_by_role("button", name="Incoming call · Answer").tap()
    key = page.get_by_role("button", name="Key 1", exact=True)
    expect(key).to_be_in_viewport(ratio=1)


def test_a_running_verification_is_found_again_after_another_page(page: Page, app: App) -> None:
    open_form(page, app)
    send(page, fresh_number("5511"))
    running = page.url
    page.get_by_role("link", name="Delivery").click()
    expect(page.get_by_role("heading", name="Delivery", exact=True)).to_be_visible()
    page.get_by_role("link", name="Verify").click()
    go_on = page.get_by_role("button", name="Continue with ••11")
    expect(go_on).to_be_visible()
    page.reload()
    go_on.click()
    expect(page.get_by_role("textbox", name="Code")).to_be_visible()
    assert page.url == running
    page.get_by_role("button", name=USE).click()
    expect_verified(page)
    page.goto(app.address)
    expect(page.get_by_label("Phone number")).to_be_focused()
    expect(go_on).to_have_count(0)


@pytest.mark.parametrize("channel", ["SMS", "Call"])
def test_from_another_page_back_is_one_press(page: Page, app: App, channel: str) -> None:
    open_form(page, app)
    send(page, fresh_number(), channel)
    running = page.url
    for name in ("Delivery", "Attempts"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        # The page has drawn its last part, and written its query.
        expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
        page.go_back()
        expect(page.get_by_role("textbox", name="Code")).to_be_visible()
        assert page.url == running
    page.go_back()
    expect(page.get_by_role("button", name="Send code", exact=True)).to_be_visible()
