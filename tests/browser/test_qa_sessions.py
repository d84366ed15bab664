"""A manual test session: its checklist, what is verified for it, and two testers at once."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from core.model.clock import SystemClock
from core.settings.settings import Settings
from core.wiring import build
from tests.browser.conftest import App
from tests.browser.held import HeldAnswers
from tests.browser.test_axe import check
from tests.browser.test_verify import (
    answer_and_listen,
    expect_all_in_view,
    expect_verified,
    fresh_number,
    open_form,
    send,
    use_code,
)
from tests.browser.test_walk import settled

OWN_LINES = "Own lines, one for each item"
DESK = {"viewport": {"width": 1280, "height": 720}, "locale": "en-US"}


def start_session(page: Page, app: App, name: str, tester: str) -> None:
    page.goto(f"{app.address}/qa")
    page.get_by_label("Session", exact=True).fill(name)
    page.get_by_label("Tester").fill(tester)
    page.get_by_label("Build under test").fill("2.4.0-rc1")
    page.get_by_role("button", name="Start session").click()
    expect_session(page, name)


def expect_session(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def add_lines(page: Page, lines: str) -> None:
    page.get_by_label(OWN_LINES).fill(lines)
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Add lines").click()


def items(page: Page) -> list[str]:
    return page.get_by_role("list", name="Checklist").locator(".line").all_inner_texts()


def send_filled_in(page: Page, name: str) -> None:
    """Send the code to the number that the item has filled in."""
    recording = page.get_by_role("link", name=re.compile(f"Recording into {name}"))
    expect(recording).to_be_visible()
    button = page.get_by_role("button", name="Send code", exact=True)
    expect(button).to_be_enabled()
    expect_all_in_view(page)
    button.click()
    expect(page.get_by_role("textbox", name="Code")).to_be_visible()
    expect_all_in_view(page)


def return_to_session(page: Page, name: str) -> None:
    page.get_by_role("link", name=re.compile(f"Recording into {name}")).click()
    expect_session(page, name)
    expect(page.get_by_role("list", name="Checklist")).to_be_visible()


def test_a_click_before_the_answer_does_not_undo_a_preset_nor_bring_back_added_lines(
    new_page: Page, app: App
) -> None:
    """The message of the second click has the values of before the first one."""
    page = new_page
    answers = HeldAnswers(page)
    start_session(page, app, "Slow", "Ada")

    def click_twice(first: str, second: str) -> None:
        for name in (first, second):
            expect(page.get_by_role("button", name=name)).to_be_enabled()
        settled(page)
        answers.hold()
        for name in (first, second):
            page.get_by_role("button", name=name).click()
            answers.wait()
        answers.release()

    click_twice("Delivered paths", "Stop recording")
    add = page.get_by_role("button", name="Add 6 items")
    expect(add).to_be_enabled()
    page.get_by_label(OWN_LINES).fill("Say hello => hello")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Add lines")).to_be_enabled()
    click_twice("Add lines", "Record here")
    expect(page.get_by_role("status").filter(has_text=" of 1")).to_be_visible()
    expect(page.get_by_label(OWN_LINES)).to_have_value("")


def test_a_session_is_worked_on_by_keys_survives_its_tab_and_is_the_testers_own(
    page: Page, browser: Browser, app: App
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{app.address}/qa")
    page.get_by_role("button", name="Start session").click()
    expect(page.get_by_text("A session needs a name.")).to_be_visible()
    # A text that is too long stays in its field: it is not ignored.
    name = page.get_by_label("Session", exact=True)
    name.fill("x" * 81)
    page.get_by_role("button", name="Start session").click()
    expect(page.get_by_text("has 81 characters")).to_be_visible()
    expect(name).to_have_value("x" * 81)
    start_session(page, app, "Smoke", "Ada")
    page.get_by_role("button", name="Delivered paths").click()
    page.get_by_role("button", name="Add 6 items").click()
    progress = page.get_by_role("status").filter(has_text=" of 6")
    expect(progress).to_have_text("0 of 6")

    # Three ways, each from its item: the number and the way are filled in.
    for way in ("SMS", "Call", "PHLO"):
        page.keyboard.press("v")
        send_filled_in(page, "Smoke")
        if way == "Call":
            answer_and_listen(page)
        use_code(page)
        expect_verified(page)
        return_to_session(page, "Smoke")
        expect(page.get_by_role("list", name="Timeline")).to_be_visible()
        seen = page.locator("li.selected .seen")
        expect(seen).to_have_text(re.compile("verified$"))
        page.keyboard.press("p")
        page.keyboard.press("ArrowDown")
    # A mark shows at once, and those of a quick hand are all kept.
    page.keyboard.press("f")
    expect(progress).to_have_text("4 of 6: 3 passed, 1 failed")
    page.keyboard.press("n")
    page.keyboard.type("pfb are letters here")
    page.keyboard.press("Escape")
    for key in "jbjpuk":
        page.keyboard.press(key)
    expect(progress).to_have_text("5 of 6: 3 passed, 1 failed, 1 blocked")

    # Another tester, in another browser: a session and verifications of their own.
    context = browser.new_context(**DESK)  # type: ignore[arg-type]
    try:
        other = context.new_page()
        start_session(other, app, "Other", "Bob")
        add_lines(other, "A code arrives => in seconds\n- The code is right")
        expect(other.get_by_role("status").filter(has_text="0 of 2")).to_be_visible()
        # What is refused is shown beside the button, and the lines stay to be corrected.
        other.get_by_text("Add items").click()
        add_lines(other, "\u202eodd")
        refusal = other.get_by_role("alert").filter(has_text="U+202E")
        expect(refusal).to_be_in_viewport(ratio=1)
        lines = other.get_by_label(OWN_LINES)
        lines.fill("A third")
        other.keyboard.press("Control+Enter")
        expect(lines).to_be_visible()
        other.get_by_role("button", name="Close", exact=True).click()
        expect(refusal).to_have_count(0)
        expect(lines).to_be_visible()
        open_form(other, app)
        send(other, fresh_number())
        return_to_session(other, "Other")
        expect(other.get_by_text("Collected, in no item")).to_be_visible()
        other.get_by_role("button", name="Assign to the selected item").click()
        expect(other.locator("li.selected .seen")).to_have_text(re.compile("Delivered"))
        expect(other.get_by_text("Collected, in no item")).to_have_count(0)
        # A colleague's session opens by its address, and a mark there is seen here.
        other.goto(page.url)
        expect_session(other, "Smoke")
        expect(other.get_by_role("button", name="Record here")).to_be_visible()
        other.locator(".line").last.click()
        other.keyboard.press("p")
        expect(progress).to_have_text("6 of 6: 4 passed, 1 failed, 1 blocked")
    finally:
        context.close()

    # The tab is closed, and another tab of this browser goes on.
    before = items(page)
    new_page = page.context.new_page()
    page.close()
    new_page.goto(f"{app.address}/qa")
    expect_session(new_page, "Smoke")
    expect(new_page.get_by_role("status").filter(has_text="6 of 6: 4 passed")).to_be_visible()
    assert items(new_page) == before
    expect(new_page.get_by_text("pfb are letters here")).to_be_visible()
    expect(new_page.get_by_text("Collected, in no item")).to_have_count(0)
    for label in ("Report (HTML)", "JUnit XML", "CSV"):
        with new_page.expect_download() as download:
            new_page.get_by_role("button", name=label).click()
        assert "pfb are letters here" in Path(download.value.path()).read_text("utf-8")
    check(new_page, "qa-session", "6 of 6", height=1600)

    with new_page.expect_download() as download:
        new_page.get_by_role("button", name="Report (HTML)").click()
    report = download.value.path().read_text("utf-8")
    assert download.value.suggested_filename == "test-session-smoke.html"
    assert report.count('class="attempt"') >= 3
    assert "pfb are letters here" in report

    new_page.get_by_role("button", name="End session").click()
    expect(new_page.get_by_role("button", name="Reopen session")).to_be_visible()
    expect(new_page.get_by_role("button", name="Passed", exact=True)).to_be_disabled()
    open_form(new_page, app)
    new_page.get_by_role("link", name="Not recording: Smoke is ended").click()
    expect_session(new_page, "Smoke")
    new_page.get_by_role("button", name="All sessions").click()
    expect(new_page.get_by_role("button", name="Other")).to_be_visible()
    check(new_page, "qa-sessions")


def test_a_mark_that_is_lost_on_its_way_to_the_server_is_sent_again(
    new_page: Page, app: App
) -> None:
    page = new_page
    lost: list[str | bytes] = []
    is_lossy = False

    def forward(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: (lost.append if is_lossy else server.send)(message))

    page.route_web_socket(re.compile("/_stcore/stream"), forward)
    start_session(page, app, "Lost", "Ada")
    add_lines(page, "A code arrives")
    progress = page.get_by_role("status").filter(has_text=" of 1")
    expect(progress).to_have_text("0 of 1")
    page.locator(".line").click()
    settled(page)
    is_lossy = True
    page.keyboard.press("p")
    expect(progress).to_have_text("1 of 1: 1 passed")
    # The mark shows before it is sent.
    for _ in range(500):
        if lost:
            break
        page.wait_for_timeout(20)
    assert lost
    is_lossy = False
    # The time of a mark is the server's.
    expect(page.locator("li.selected .time")).not_to_be_empty()


def test_a_mark_that_redis_does_not_take_is_saved_when_it_does(page: Page, app: App) -> None:
    start_session(page, app, "Read-only", "Ada")
    add_lines(page, "Say hello => hello")
    progress = page.get_by_role("status").filter(has_text=" of 1")
    expect(progress).to_have_text("0 of 1")
    services = build(Settings(data_dir=app.log.parent), SystemClock())
    try:
        # It takes no writes: it has no replica.
        services.client.execute_command("CONFIG", "SET", "min-replicas-to-write", 1)
        page.keyboard.press("p")
        expect(page.get_by_text("1 change of the checklist not saved yet")).to_be_visible()
        expect(progress).to_have_text("0 of 1")
    finally:
        services.client.execute_command("CONFIG", "SET", "min-replicas-to-write", 0)
        services.close()
    expect(progress).to_have_text("1 of 1: 1 passed")
    expect(page.get_by_text("not saved yet")).to_have_count(0)
