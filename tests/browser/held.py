"""Holds the server's answers back, as a slow connection does."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute

from pages.components.protocol.messages import ends_work
from tests.world import until


class HeldAnswers:
    """While it holds, the page does not get what the server answers; `release` hands over all of
    it in its order."""

    def __init__(self, page: Page) -> None:
        self._is_holding = False
        self._held: list[str | bytes] = []
        self._socket: WebSocketRoute | None = None
        self._page = page
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

    def wait_for_run(self, act: Callable[[], object]) -> None:
        """Do what makes the page ask for a run, and wait until the server has ended one."""
        before = self._runs()

        def has_ended() -> bool:
            self._page.wait_for_timeout(20)
            return self._runs() > before

        act()
        until(has_ended)

    def _runs(self) -> int:
        return sum(isinstance(message, bytes) and ends_work(message) for message in self._held)

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
