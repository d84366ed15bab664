"""Combines concurrent questions into one blocking call.

A call costs a switch of threads and a round trip, for one question as for twenty. A question that
arrives while no call runs is answered at once; those that arrive during a call share the next one.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Batch(Generic[Q, A]):
    """`answer` gets up to `most` questions, in a thread, one call at a time, and returns their
    answers in the same order. If it raises, every waiting caller gets the exception.

    The thread is not from the server's shared pool: sends that wait for Plivo may hold all of that,
    and a check must not wait for a send.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A]], most: int = 64) -> None:
        self._answer = answer
        self._most = most
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._running: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "batch")

    async def ask(self, question: Q) -> A:
        """The answer. Call it on one event loop only."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            questions = [question for question, _ in batch]
            try:
                answers = await loop.run_in_executor(self._thread, self._answer, questions)
                answered = list(zip(batch, answers, strict=True))
            except Exception as error:  # noqa: BLE001
                # Every waiting caller gets the exception.
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in answered:
                    # A caller that was cancelled in between needs no answer.
                    if not future.done():
                        future.set_result(answer)
        self._running = None
