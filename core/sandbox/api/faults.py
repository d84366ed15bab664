"""Effects on the answer to a send request: an HTTP error status, or a late answer."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus

from starlette.requests import Request

from core.sandbox.errors import Refusal, Unauthorized
from core.sandbox.facts.effects import Aspect, EffectKind, EffectPlan
from core.sandbox.facts.endings import HTTP_REFUSALS

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

    def refuse(self, plans: Iterable[EffectPlan], *, call: bool = False) -> None:
        """Raise the Refusal of the first send whose plan has an HTTP status."""
        for plan in plans:
            effect = plan.of(Aspect.ANSWER)
            if effect is None or effect.kind is not EffectKind.HTTP_STATUS:
                continue
            if effect.code == 401:
                raise Unauthorized
            barred = call and effect.code == 403
            raise Refusal(effect.code, _CALL_403 if barred else _text(effect.code))

    async def delay_answer(self, request: Request, plans: Iterable[EffectPlan]) -> None:
        """Wait if the plan of a send has silence; until the client disconnects, or `stop`."""
        if not any(plan.kind(Aspect.ANSWER) is EffectKind.SILENCE for plan in plans):
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


def _text(status: int) -> str:
    """The error text of an answer with this status."""
    try:
        return HTTP_REFUSALS.get(status) or HTTPStatus(status).phrase.lower()
    except ValueError:
        return "error"


async def _disconnected(request: Request) -> bool:
    # The body has been read, so the next message is the disconnect.
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return True
