"""Repeats a message of the browser while the server answers it."""

import re

from playwright.sync_api import Page, WebSocketRoute

_MOST = 20


class Repeat:
    """Once `is_on`, each of the server's next answers is preceded by the last message of this page
    that contains `text`: each answer comes from another moment of the run."""

    def __init__(self, page: Page, text: bytes) -> None:
        self.is_on = False
        self.count = 0
        self._text = text
        self._last: bytes | None = None
        page.route_web_socket(re.compile("/_stcore/stream"), self._forward)

    def _forward(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def to_server(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            server.send(message)
            if self._text in message:
                self._last = message

        def to_page(message: str | bytes) -> None:
            if self.is_on and self._last is not None and self.count < _MOST:
                self.count += 1
                server.send(self._last)
            socket.send(message)

        socket.on_message(to_server)
        server.on_message(to_page)
