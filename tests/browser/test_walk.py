"""A walk through all pages, in several orders, with every channel, at a desk and on a phone.

It fails on Streamlit's own error texts, on errors in the console, on requests to other hosts, and
on messages that the protocol guard does not let through.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    ConsoleMessage,
    Error,
    Page,
    Request,
    WebSocket,
    expect,
)

from pages.components.protocol.messages import ends_work, is_allowed
from pages.components.protocol.paths import STREAM
from tests.browser.app_log import LogPart
from tests.browser.conftest import App
from tests.browser.test_verify import (
    USE,
    answer_and_listen,
    expect_focus,
    expect_verified,
    fresh_number,
    open_form,
    send,
    use_code,
)

#: A Pixel 7, as Playwright describes it.
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "user_agent": (
        "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/149.0.0.0 Mobile Safari/537.36"
    ),
    "device_scale_factor": 2.625,
    "is_mobile": True,
    "has_touch": True,
}
DEVICES = pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
WAYS = [("SMS", None), ("Call", None), ("PHLO", "as SMS"), ("PHLO", "as call")]
ABOUT = {"SMS": "1 part in GSM-7", "Call": "The call asks", "PHLO": "Your visual workflow"}
#: Of each page, what is there when it has been drawn.
PAGES = {
    "Verify": "Verify a phone number",
    "Delivery": "Delivery",
    "Attempts": "Attempts",
    "QA": "QA",
    "API": "API",
    "Access": "Access",
}
#: Each of the other pages follows each other one once.
ORDERS = [
    ["Delivery", "Attempts", "Access", "API"],
    ["Attempts", "API", "Delivery", "Access"],
    ["API", "Access", "Attempts", "Delivery"],
    ["Access", "Delivery", "API", "Attempts"],
]
#: What Streamlit shows where something failed.
BOXES = "[data-testid=stException], [data-testid=stDialog], [data-testid=stModal]"
#: Streamlit's page asks for these below its own path when it is loaded there, and goes on above.
_OF_STREAMLIT = re.compile(r"/(delivery|attempts|qa|api|access)/_stcore/(health|host-config)")


def is_stream(socket: WebSocket) -> bool:
    """Whether it is Streamlit's, and not one of ours."""
    return urlsplit(socket.url).path == STREAM


class Watch:
    """Hears what a page must not do, from its beginning to the end of a test."""

    def __init__(self, page: Page, app: App) -> None:
        self._page = page
        self._host = urlsplit(app.address).netloc
        self.wrong: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", self._script_error)
        page.on("request", self._request)
        page.on("websocket", self._websocket)

    def end(self) -> None:
        """The page is kept for the next test."""
        self._page.remove_listener("console", self._console)
        self._page.remove_listener("pageerror", self._script_error)
        self._page.remove_listener("request", self._request)
        self._page.remove_listener("websocket", self._websocket)

    def _script_error(self, error: Error) -> None:
        self.wrong.append(f"script error: {error}")

    def _console(self, message: ConsoleMessage) -> None:
        url = str(message.location.get("url", ""))
        if message.type == "error" and not _OF_STREAMLIT.fullmatch(urlsplit(url).path):
            self.wrong.append(f"console: {message.text} {url}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self._host:
            self.wrong.append(f"foreign host: {request.url}")

    def _websocket(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).netloc != self._host:
            self.wrong.append(f"foreign host: {socket.url}")
        if is_stream(socket):
            socket.on("framesent", self._sent)

    def _sent(self, data: bytes | str) -> None:
        if not is_allowed(as_bytes(data)):
            self.wrong.append(f"a message that the guard refuses: {data!r}")

    def check(self) -> None:
        """Now, and all that was heard so far."""
        expect(self._page.locator(BOXES)).to_have_count(0)
        expect(self._page.locator("[data-testid=stApp]")).not_to_contain_text(
            re.compile("Traceback|This part of the page failed|StreamlitAPIException")
        )
        assert self.wrong == []


@pytest.fixture
def watch(page: Page, app: App) -> Iterator[Watch]:
    watching = Watch(page, app)
    yield watching
    watching.check()
    watching.end()


def settled(page: Page) -> None:
    """Until no script runs."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning"
    )


def go(page: Page, name: str, watch: Watch) -> None:
    """By the menu, which on a phone is behind a button."""
    menu = page.get_by_test_id("stExpandSidebarButton")
    if menu.is_visible():
        menu.click()
    page.get_by_role("link", name=name, exact=True).first.click()
    heading = page.get_by_role("heading", name=PAGES[name], exact=True, level=1)
    expect(heading).to_be_visible()
    settled(page)
    watch.check()


def as_bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def choose(page: Page, channel: str, mode: str | None) -> None:
    page.get_by_role("radio", name=channel, exact=True).click()
    if mode:
        page.get_by_role("radio", name=mode, exact=True).click()
    # The server has the choice once it says what will be sent.
    expect(page.get_by_text(ABOUT[channel])).to_be_visible()


def finish(page: Page, channel: str, mode: str | None) -> None:
    if channel == "Call" or mode == "as call":
        answer_and_listen(page)
    use_code(page)
    expect_verified(page)


def mode_bar_top(page: Page) -> float:
    """Of the bar that says what leaves the machine, which has its place in the row of the menu."""
    bar = page.locator(".mode-bar")
    expect(bar).to_contain_text("Nothing leaves this machine.")
    box = bar.bounding_box()
    assert box is not None
    menu = page.locator("header").get_by_role("link").last.bounding_box()
    assert menu is not None
    assert menu["x"] + menu["width"] < box["x"], page.url
    # In the menu's row, and not below it: a click reaches what is in it.
    assert box["y"] + box["height"] <= 60, page.url
    page.locator(".mode-bar b").click()
    return box["y"]


@DEVICES
def test_all_pages_open_with_every_channel_chosen_running_and_finished(
    page: Page, app: App, watch: Watch, options: dict[str, Any]
) -> None:
    """At the desk every page is opened after every other page, beside each way that runs, and
    beside one that has finished. On a phone only the menu differs: each page is opened beside a
    message and beside a PHLO's call. The focus is never on the body after the load, after Send code
    and after Use code."""
    is_desk = options is not PHONE
    walks = list(zip(WAYS, ORDERS, strict=True))
    open_form(page, app)
    expect_focus(page)
    for (channel, mode), order in walks if is_desk else walks[::3]:
        choose(page, channel, mode)
        # Nothing was sent yet.
        go(page, order[-1], watch)
        go(page, "Verify", watch)
        expect(page.get_by_role("radio", name=channel, exact=True)).to_be_checked()
        send(page, fresh_number(), channel, mode)
        expect_focus(page)
        running = page.url
        for name in order:
            go(page, name, watch)
        if is_desk:
            page.goto(running)
        else:
            go(page, "Verify", watch)
            page.get_by_role("button", name="Continue with ••55").click()
        finish(page, channel, mode)
        expect_focus(page)
        watch.check()
        # The last page of each order is another one.
        go(page, order[-1], watch)
        go(page, "Verify", watch)


def test_all_pages_open_by_their_address_and_go_on_by_the_menu(
    page: Page, app: App, watch: Watch
) -> None:
    """The sandbox asks for nothing, and says so at the same place of each page."""
    open_form(page, app)
    tops = {mode_bar_top(page)}
    for name in [*ORDERS[0], "QA"]:
        page.goto(f"{app.address}/{name.lower()}")
        expect(page.get_by_role("heading", name=PAGES[name], exact=True, level=1)).to_be_visible()
        settled(page)
        watch.check()
        tops.add(mode_bar_top(page))
        go(page, "Verify", watch)
    assert len(tops) == 1
    go(page, ORDERS[0][0], watch)
    page.go_back()
    settled(page)


def test_a_page_that_does_not_exist_is_reported_in_our_words(page: Page, app: App) -> None:
    answer = page.goto(f"{app.address}/nothing")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    page.get_by_role("link", name="Verify").click()
    expect(page.get_by_label("Phone number")).to_be_visible()


def test_keys_of_streamlits_developers_open_nothing(page: Page, app: App, watch: Watch) -> None:
    open_form(page, app)
    for keys in ("c", "r", "Escape"):
        page.get_by_role("heading", level=1).click()
        page.keyboard.press(keys)
        settled(page)
        watch.check()


def test_a_lost_connection_shows_our_bar_and_the_verification_goes_on_after_a_crash(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On the page that stayed open, and on one that is loaded again."""
    app = App(tmp_path_factory.mktemp("lost"))
    app.start()
    bar = page.get_by_text("Connection lost. Trying again. Your verification is kept.")
    try:
        open_form(page, app)
        send(page, fresh_number())
        expect(page.get_by_role("heading", name="Delivered")).to_be_visible()
        expect(bar).to_be_hidden()
        app.kill()
        expect(bar).to_be_visible()
        # Streamlit gives up its patience after some tries, and would open its dialog.
        page.wait_for_event("console", lambda message: "Is Streamlit still running" in message.text)
        expect(page.locator(BOXES)).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)
        # Streamlit opens its own only when the server answers again.
        with page.expect_websocket(is_stream) as caught:
            app.start()
        # The page runs again by itself; what is done before that has happened is lost.
        caught.value.wait_for_event("framereceived", lambda data: ends_work(as_bytes(data)))
        expect(bar).to_be_hidden()
        right = int(page.get_by_role("button", name=USE).inner_text().removeprefix("Use "))
        page.get_by_role("textbox", name="Code").fill(f"{(right + 1) % 1_000_000:06}")
        expect(page.get_by_text("You have 4 tries left.")).to_be_visible()
        page.reload()
        use_code(page)
        expect_verified(page)
    finally:
        app.stop()


FAILING = """
import streamlit as st
from pages.components.failures import show_failure

def fail():
    raise ValueError("secret of a callback")

@st.fragment
def part():
    if st.button("Fail in a part"):
        raise ValueError("secret of a part")

if __name__ == "__main__":
    st.title("Failing")
    st.button("Fail in a callback", on_click=fail)
    part()
    if st.button("Fail in the page"):
        raise ValueError("secret of the page")
else:
    from core.log import log_to_stderr

    log_to_stderr()
    app = st.App(__file__, on_script_error=show_failure)
"""


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("failing")
    script = folder / "failing.py"
    script.write_text(FAILING)
    app = App(folder, script)
    app.start()
    yield app
    app.stop()


@pytest.mark.page_fails
@pytest.mark.parametrize("where", ["Fail in a callback", "Fail in a part", "Fail in the page"])
def test_a_failure_is_reported_in_our_words_with_a_reference_that_is_in_the_log(
    page: Page, failing: App, where: str
) -> None:
    log = LogPart(failing.log)
    page.goto(failing.address)
    page.get_by_role("button", name=where).click()
    report = page.get_by_text("This part of the page failed: an error in this application.")
    expect(report).to_be_visible()
    reference = page.locator("[data-testid=stAlert] code").inner_text()
    assert re.fullmatch("[A-Z2-9]{6}", reference)
    # What `no_page_failed` finds in the log of any other test, and shows.
    (logged,) = log.page_failures()
    assert f"reference={reference}" in logged
    assert "Traceback" in logged
    assert "raise ValueError" in logged
    expect(page.locator(BOXES)).to_have_count(0)
    assert "secret" not in page.locator("body").inner_text()
    assert "ValueError" not in page.locator("body").inner_text()
