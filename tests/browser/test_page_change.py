"""A page is left while its parts still report changes."""

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import App
from tests.browser.test_verify import PATIENCE, USE, fresh_number, open_form, send
from tests.browser.test_walk import settled


def test_a_change_that_is_reported_while_another_page_opens_leaves_that_page_as_it_is(
    page: Page, app: App
) -> None:
    reports: list[bytes] = []
    repeats: list[bytes] = []
    is_leaving = False

    def forward(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def to_server(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            server.send(message)
            if b"verify_live__events" in message:
                reports.append(message)

        def to_page(message: str | bytes) -> None:
            # Each of the server's first answers comes from another moment of the run.
            if is_leaving and len(repeats) < 20:
                repeats.append(reports[-1])
                server.send(reports[-1])
            socket.send(message)

        socket.on_message(to_server)
        server.on_message(to_page)

    page.route_web_socket(re.compile("/_stcore/stream"), forward)
    open_form(page, app)
    send(page, fresh_number())
    expect(page.get_by_role("button", name=USE)).to_be_visible(timeout=PATIENCE)
    is_leaving = True
    for name in ("API", "Access"):
        page.get_by_role("link", name=name, exact=True).click()
        heading = page.get_by_role("heading", name=name, exact=True, level=1)
        expect(heading).to_be_visible(timeout=PATIENCE)
        settled(page)
        expect(heading).to_be_visible()
    assert repeats
