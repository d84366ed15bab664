"""Holds the server's answers back, as a slow connection does."""

import re

from playwright.sync_api import Page, WebSocketRoute

from tests.world import PATIENCE_SECONDS

_QUIET_SECONDS = 1.5


class HeldAnswers:
    """While it holds, the page does not get what the server answers; `release` hands over all of
    it in its order. To be made before the page is opened."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._is_holding = False
        self._held: list[str | bytes] = []
        self._waited = 0
        self._socket: WebSocketRoute | None = None
        page.route_web_socket(re.compile("/_stcore/stream"), self._forward)

    def hold(self) -> None:
        self._is_holding = True
        self._waited = 0

    def wait(self) -> None:
        """Wait until the server has answered what the page has sent since `hold` or the last call:
        until more is held, and then nothing comes for a while."""
        for _ in range(round(PATIENCE_SECONDS / _QUIET_SECONDS)):
            count = len(self._held)
            self._page.wait_for_timeout(1000 * _QUIET_SECONDS)
            if self._waited < count == len(self._held):
                self._waited = count
                return
        raise AssertionError(f"{len(self._held) - self._waited} answers, and no end")

    def release(self) -> None:
        self._is_holding = False
        assert self._socket is not None
        for message in self._held:
            self._socket.send(message)
        self._held.clear()

    def _forward(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        self._socket = socket

        def to_page(message: str | bytes) -> None:
            if self._is_holding:
                self._held.append(message)
            else:
                socket.send(message)

        socket.on_message(server.send)
        server.on_message(to_page)
