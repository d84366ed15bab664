"""Pushes texts to a window by WebSocket: one after each change, and one to keep it alive."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

KEEP_ALIVE_SECONDS = 15.0
CHANGED, KEEP_ALIVE = "changed", ""
#: Close codes, RFC 6455 section 7.4.1.
_GOING_AWAY, _NOTHING_EXPECTED = 1001, 1008


async def next_change(changed: asyncio.Event) -> bool:
    """True after one or more changes, each of which sets `changed`; False after KEEP_ALIVE_SECONDS
    without a change."""
    try:
        # `wait_for` of Python 3.11 loses a cancel that comes with the event.
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            await changed.wait()
    except TimeoutError:
        return False
    changed.clear()
    return True


async def push(socket: WebSocket, texts: AsyncGenerator[str]) -> None:
    """Accept the socket, and send each text until the window leaves or the texts end."""
    await socket.accept()
    sending = asyncio.create_task(_send(socket, texts))
    try:
        # A window sends nothing: any message, or its disconnect, ends the push.
        await socket.receive()
    finally:
        sending.cancel()
        await asyncio.wait([sending])
    with suppress(WebSocketDisconnect, RuntimeError):  # closed already
        await socket.close(_NOTHING_EXPECTED)


async def _send(socket: WebSocket, texts: AsyncGenerator[str]) -> None:
    with suppress(WebSocketDisconnect):  # `push` receives it too
        async with aclosing(texts):
            async for text in texts:
                await socket.send_text(text)
        await socket.close(_GOING_AWAY)
