"""Endings that change the answer to a send request: an HTTP error status, or a late answer."""

import asyncio
from collections.abc import Iterable

from starlette.requests import Request

from core.sandbox.errors import Refusal
from core.sandbox.facts.endings import HTTP_REFUSALS, EndingKind, ending_of

_CALL_403 = "calls to this destination country are barred"


class Faults:
    """`seconds` is the delay of a late answer: real seconds, as is a client's time-out."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._stopping = asyncio.Event()

    def start(self) -> None:
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Send all delayed answers at once."""
        self._stopping.set()

    def refuse(self, numbers: Iterable[str], *, call: bool = False) -> None:
        """Raise the Refusal of the first number whose ending is an HTTP status."""
        for number in numbers:
            ending = ending_of(number)
            if ending.kind is EndingKind.HTTP_STATUS:
                barred = call and ending.value == 403
                raise Refusal(ending.value, _CALL_403 if barred else HTTP_REFUSALS[ending.value])

    async def delay_answer(self, request: Request, numbers: Iterable[str]) -> None:
        """Wait if the ending of a number is a time-out; until the client disconnects, or `stop`."""
        if not any(ending_of(number).kind is EndingKind.TIME_OUT for number in numbers):
            return
        waits = [
            asyncio.create_task(_disconnected(request)),
            asyncio.create_task(self._stopping.wait()),
        ]
        try:
            await asyncio.wait(waits, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


async def _disconnected(request: Request) -> bool:
    # The body has been read, so the next message is the disconnect.
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return True
