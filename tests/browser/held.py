"""Holds the server's answers back, as a slow connection does."""

import re

from playwright.sync_api import Page, WebSocketRoute


class HeldAnswers:
    """While it holds, the page does not get what the server answers; `release` hands over all of
    it in its order."""

    def __init__(self, page: Page) -> None:
        self._is_holding = False
        self._held: list[str | bytes] = []
        self._socket: WebSocketRoute | None = None
        page.route_web_socket(re.compile("/_stcore/stream"), self._forward)

    def hold(self) -> None:
        self._is_holding = True

    def release(self) -> None:
        self._is_holding = False
        assert self._socket is not None
        assert self._held
        for message in self._held:
            self._socket.send(message)
        self._held.clear()

    @property
    def count(self) -> int:
        return len(self._held)

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
