"""A newcomer in a real Chromium: a number, a channel, a ringing handset, a verified code."""

import itertools
import json
import re
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.conftest import App, Pictures

USE = re.compile(r"^Use \d{6}$")
_lines = itertools.count(1)


#: Elements of the main job that are not wholly in the window, in all shadow roots.
_OUT_OF_VIEW = """() => {
  const out = [];
  const visible = { visibilityProperty: true };
  const visit = (node) => {
    if (node.matches(".st-key-verify_exchanges")) return;
    if (node.matches("input, button, h1, h2, ol, section") && node.checkVisibility(visible)) {
      const { top, left, right, bottom } = node.getBoundingClientRect();
      if (top < 0 || left < 0 || right > innerWidth || bottom > innerHeight) {
        out.push(`${node.tagName} ${node.textContent.slice(0, 40)} ${top} to ${bottom}`);
      }
    }
    for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) visit(child);
  };
  visit(document.querySelector(".st-key-verify_page"));
  const scrolled = document.querySelector("[data-testid=stMain]").scrollTop;
  return scrolled ? [`scrolled by ${scrolled}`, ...out] : out;
}"""


@pytest.fixture
def page(page: Page) -> Page:
    """At the size at which the whole main job must be in view."""
    page.set_viewport_size({"width": 1280, "height": 720})
    return page


def expect_all_in_view(page: Page) -> None:
    """Number, code, verdict, timeline and handset, without scrolling, from 1280 x 720 on."""
    size = page.viewport_size
    if size and size["width"] >= 1280:
        # A rerun draws the new elements before it removes the old ones, and one may just begin.
        for _ in range(3):
            with suppress(TimeoutError):
                page.wait_for_function(f"() => !({_OUT_OF_VIEW})().length", timeout=10_000)
            if not page.evaluate(_OUT_OF_VIEW):
                return
        assert page.evaluate(_OUT_OF_VIEW) == []


def fresh_number(ending: str = "5555") -> str:
    """As people type it: national, with brackets."""
    return f"(212) {200 + next(_lines)}-{ending}"


def open_form(page: Page, app: App) -> None:
    page.goto(app.address)
    expect(page.get_by_label("Phone number")).to_be_visible()


def send(page: Page, number: str, channel: str = "SMS", mode: str | None = None) -> None:
    page.get_by_label("Phone number").fill(number)
    page.get_by_role("radio", name=channel, exact=True).click()
    if mode:
        page.get_by_role("radio", name=mode, exact=True).click()
    button = page.get_by_role("button", name="Send code", exact=True)
    expect(button).to_be_enabled()
    button.click()
    expect(page.get_by_role("textbox", name="Code")).to_be_visible()
    expect_all_in_view(page)


def answer_and_listen(page: Page) -> None:
    answer = page.get_by_role("button", name="Answer", exact=True)
    expect(answer).to_be_visible()
    # A ringing phone shows no code.
    expect(page.get_by_role("button", name=USE)).to_have_count(0)
    expect_all_in_view(page)
    answer.click()
    # While the question is still spoken: the key interrupts it.
    transcript = page.get_by_role("log", name="Transcript")
    question = transcript.get_by_text(re.compile("press 1", re.IGNORECASE))
    expect(question).to_be_visible()
    expect_all_in_view(page)
    page.get_by_role("button", name="Key 1", exact=True).click()
    expect(transcript.get_by_text("You pressed 1", exact=True)).to_be_visible()


def use_code(page: Page) -> None:
    use = page.get_by_role("button", name=USE)
    expect(use).to_be_visible()
    expect_all_in_view(page)
    use.click()


def expect_verified(page: Page) -> None:
    expect(page.get_by_role("heading", name="✔ Verified")).to_be_visible()
    expect(page.get_by_role("list", name="Timeline").locator("li.verified")).to_have_count(1)
    expect_all_in_view(page)


def expect_focus(page: Page) -> None:
    """When no script runs, the focus is not on the body, from where keys and screen readers start
    again at the top."""
    page.wait_for_function(
        """() => document.querySelector("[data-test-script-state=notRunning]")
          && document.activeElement && document.activeElement !== document.body""",
    )


def test_the_number_is_read_while_it_is_typed(page: Page, app: App) -> None:
    open_form(page, app)
    expect(page.get_by_text("Without a country code: United States.")).to_be_visible()
    page.get_by_label("Phone number").fill("0049 (151) 123-40030")
    expect(page.get_by_text("Germany · mobile · T-Mobile")).to_be_visible()
    # The price is not read ahead for this country.
    cost = page.get_by_text(re.compile(r"1 part in GSM-7 · Germany: \$0\.\d+, simulated"))
    expect(cost).to_be_visible()
    expect_all_in_view(page)
    page.get_by_label("Phone number").fill("12")
    expect(page.get_by_role("button", name="Send code", exact=True)).to_be_disabled()


@pytest.mark.parametrize(
    ("choice", "shown"),
    [("+65 9555 1234", "Singapore · mobile"), ("+1 659-555-1234", "mobile or landline")],
)
def test_a_number_with_two_readings_is_a_question_and_the_answer_is_used(
    page: Page, app: App, choice: str, shown: str
) -> None:
    open_form(page, app)
    page.get_by_label("Phone number").fill("6595551234")
    expect(page.get_by_text("2 different phone numbers")).to_be_visible()
    expect_all_in_view(page)
    expect(page.get_by_role("button", name="Send code", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name=re.compile(r"^\+65 9555 1234|\+1 659"))).to_have_count(2)
    page.get_by_role("button", name=re.compile(re.escape(choice))).click()
    expect(page.get_by_text("2 different phone numbers")).to_have_count(0)
    chosen = page.get_by_role("button", name=re.compile(re.escape(choice)))
    expect(chosen).to_have_count(0)
    expect(page.get_by_text(re.compile(re.escape(choice) + ".*" + shown))).to_be_visible()
    expect(page.get_by_label("Phone number")).to_have_value("+" + re.sub(r"\D", "", choice))
    expect(page.get_by_role("button", name="Send code", exact=True)).to_be_enabled()


def test_a_reload_keeps_the_verification_and_the_code_is_not_in_the_page(
    page: Page, app: App
) -> None:
    open_form(page, app)
    send(page, fresh_number())
    code = page.get_by_role("button", name=re.compile(r"^Use \d{6}$"))
    digits = (code.inner_text()).removeprefix("Use ")
    assert "verification=" in page.url
    assert digits not in page.url
    page.reload()
    use_code(page)
    expect_verified(page)
    # A click on a step opens the exchange that brought it; all exchanges are masked.
    timeline = page.get_by_role("list", name="Timeline")
    timeline.get_by_role("button", name=re.compile("^Accepted")).click()
    log = page.get_by_role("list", name="Exchanges with Plivo")
    post = log.get_by_role("button", name=re.compile("→ Plivo POST Message 202 .* simulated"))
    expect(post).to_have_attribute("aria-expanded", "true")
    expect(post).to_be_focused()
    part = log.get_by_role("tabpanel")
    expect(part).to_contain_text("# Simulated:")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(part).to_contain_text("client.messages.create(")
    log.get_by_role("button", name="Delivered", exact=True).first.click()
    expect(timeline.get_by_role("button", name=re.compile("^Delivered"))).to_be_focused()
    closed = log.get_by_role("button", expanded=False)
    while closed.count():
        closed.first.click()
    shown = "\n".join(page.locator("[data-testid=stMain], .root").all_inner_texts())
    assert "••••••" in shown
    # The phone keeps its message; nothing else on the page has the code.
    phone = page.get_by_role("region", name=re.compile("^Phone")).inner_text()
    assert shown.replace(phone, "").count(digits) == 0
    # The evidence, as a file and as JSON, has all of it, and the code neither.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Evidence", exact=False).first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download evidence (HTML)").click()
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied)["verification"]["status"] == "verified"
    file = download.value.path().read_text("utf-8")
    assert "<h2>✔ Verified</h2>" in file
    assert not re.search(rf"(?<!\d){digits}(?!\d)", file + copied)


def test_wrong_codes_are_counted_and_then_locked(page: Page, app: App) -> None:
    open_form(page, app)
    send(page, fresh_number())
    code = page.get_by_role("button", name=re.compile(r"^Use \d{6}$"))
    right = int(code.inner_text().removeprefix("Use "))
    for left in (4, 3, 2, 1):
        page.get_by_role("textbox", name="Code").fill(f"{(right + left) % 1_000_000:06}")
        words = "1 try left" if left == 1 else f"{left} tries left"
        expect(page.get_by_text(f"That is not the code. You have {words}.")).to_be_visible()
        expect_all_in_view(page)
    page.get_by_role("textbox", name="Code").fill(f"{(right + 5) % 1_000_000:06}")
    expect(page.get_by_role("heading", name="■ Locked")).to_be_visible()
    expect_all_in_view(page)


def test_a_failed_message_says_why_and_a_call_is_the_next_step_at_once(
    page: Page, app: App
) -> None:
    open_form(page, app)
    send(page, fresh_number("0030"))
    expect(page.get_by_role("heading", name="▲ Not delivered")).to_be_visible()
    expect(page.get_by_text(re.compile("error 30|spam"))).to_be_visible()
    expect(page.get_by_role("button", name="Resend code", exact=True)).to_be_enabled()
    call = page.get_by_role("button", name="Call me instead")
    expect(call).to_have_class("primary")
    expect_all_in_view(page)
    call.click()
    answer_and_listen(page)
    use_code(page)
    expect_verified(page)
    # The message is still there, and the total is that of the verdict.
    timeline = page.get_by_role("list", name="Timeline")
    expect(timeline.get_by_role("list", name="SMS").locator("li.undelivered")).to_have_count(1)
    call = timeline.get_by_role("list", name="Call instead")
    expect(call.locator("li.done")).to_have_count(5)
    total = timeline.get_by_text(" in total").inner_text().removesuffix(" in total")
    expect(page.get_by_text(f"in {total}", exact=True)).to_be_visible()
    for row in timeline.locator("> li").all():
        assert (row.bounding_box() or {"height": 0})["height"] <= 64
    timeline.get_by_role("link", name="SMS", exact=True).click()
    expect(page.get_by_role("heading", name="All events")).to_be_visible()
    page.get_by_role("button", name="Open its verification").click()
    expect_verified(page)


def test_a_declined_call_and_a_cancel_are_shown(page: Page, app: App) -> None:
    open_form(page, app)
    send(page, fresh_number(), "Call")
    decline = page.get_by_role("button", name="Decline", exact=True)
    decline.click()
    expect(page.get_by_role("heading", name="▲ Not reached")).to_be_visible()
    expect_all_in_view(page)
    # The next step is possible at once.
    page.get_by_role("button", name="Call again", exact=True).click()
    decline.click()
    page.get_by_role("button", name="Send as SMS", exact=True).click()
    expect(page.get_by_role("button", name=USE)).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("heading", name="Canceled")).to_be_visible()
    expect_all_in_view(page)
    page.get_by_role("button", name="Verify another number").click()
    expect(page.get_by_role("button", name="Send code", exact=True)).to_be_visible()


def test_a_double_click_sends_once(page: Page, app: App) -> None:
    number = fresh_number()
    open_form(page, app)
    page.get_by_label("Phone number").fill(number)
    button = page.get_by_role("button", name="Send code", exact=True)
    expect(button).to_be_enabled()
    button.dblclick()
    use_code(page)
    expect_verified(page)
    digits = "1" + re.sub(r"\D", "", number)
    handset = httpx.get(f"{app.address}/sandbox/handset/{digits}").json()
    assert len(handset["messages"]) == 1


def test_the_page_fits_every_window_and_looks_as_it_should_in_both_themes(
    page: Page, app: App
) -> None:
    """Nothing is out of view to the side, and the focus is never on the body after the load, after
    Send code and after Use code."""

    def look(state: str) -> None:
        for width, height in ((390, 844), (1920, 1080), (1280, 720)):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                Pictures.keep(page, f"verify-{width}-{scheme}-{state}")
                assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            if width > 390:
                expect_all_in_view(page)

    open_form(page, app)
    expect_focus(page)
    look("1-form")
    send(page, fresh_number())
    expect_focus(page)
    expect(page.get_by_role("heading", name="Delivered")).to_be_visible()
    look("2-delivered")
    use_code(page)
    expect_verified(page)
    expect_focus(page)
    look("3-verified")
    open_form(page, app)
    send(page, fresh_number("0402"), "Call")
    expect(page.get_by_role("heading", name="■ Not sent")).to_be_visible()
    look("4-rejected")
    open_form(page, app)
    send(page, fresh_number("0500"))
    expect(page.get_by_role("heading", name="◇ Unclear")).to_be_visible()
    look("5-unclear")
