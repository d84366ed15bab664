"""The two outcomes that show in the HTTP answer itself: an error status, and silence."""

import asyncio
from collections.abc import Iterable

from starlette.requests import Request

from core.sandbox.errors import Refusal
from core.sandbox.facts.endings import EndingKind, ending_of

_TEXTS = {
    402: "insufficient funds in the account",
    403: "geo-permission to this destination country is not enabled",
    429: "too many requests",
    500: "internal server error",
    503: "service unavailable",
}
_CALL_403 = "calls to this destination country are barred"


class Faults:
    """`seconds` of silence are real ones: a client's patience is real."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._stopping = asyncio.Event()

    def start(self) -> None:
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End every silence at once."""
        self._stopping.set()

    def refuse(self, numbers: Iterable[str], *, call: bool = False) -> None:
        """Raise the Refusal that the first of `numbers` asks for. Before anything is sent."""
        for number in numbers:
            ending = ending_of(number)
            if ending.kind is EndingKind.HTTP_STATUS:
                barred = call and ending.value == 403
                raise Refusal(ending.value, _CALL_403 if barred else _TEXTS[ending.value])

    async def delay_answer(self, request: Request, numbers: Iterable[str]) -> None:
        """Hold the answer back if a number asks for it, until the client leaves or we stop."""
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
    # The body has been read, so the only message left is the disconnect.
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return True
