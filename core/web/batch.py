"""Answers questions together: those that come while others are being answered go as one.

A blocking call costs a thread's turn and a round trip, whether it asks one thing or twenty. A
question that comes alone is answered at once, so nobody waits for company.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import anyio.to_thread

Q = TypeVar("Q")
A = TypeVar("A")


class Batch(Generic[Q, A]):
    """`answer` gets up to `most` questions, in a thread, one call at a time, and gives an answer to
    each in their order. An error of it is everybody's who asked.

    The thread is not of those that the server has for everything: sends that wait for Plivo may
    hold all of them, and a check must not wait for a send.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A]], most: int = 64) -> None:
        self._answer = answer
        self._most = most
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._running: asyncio.Task[None] | None = None
        self._thread = anyio.CapacityLimiter(1)

    async def ask(self, question: Q) -> A:
        """The answer. Call it on one event loop only."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            questions = [question for question, _ in asked]
            try:
                answers = await anyio.to_thread.run_sync(
                    self._answer, questions, limiter=self._thread
                )
                told = list(zip(asked, answers, strict=True))
            except Exception as error:  # noqa: BLE001
                # Whatever it is, each of those who asked gets it.
                for _, future in asked:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in told:
                    # Whoever has gone away in between is not told.
                    if not future.done():
                        future.set_result(answer)
        self._running = None
