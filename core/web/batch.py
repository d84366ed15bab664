"""Combines concurrent questions into one blocking call.

A call costs a switch of threads and a round trip, for one question as for twenty. A question that
arrives while no call runs is answered at once; those that arrive during a call share the next one.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

#: A question that has waited this long for a call that fails is not put into another call.
PATIENCE_SECONDS = 1.0


class _Waiting(NamedTuple, Generic[Q, A]):
    """A question, when it was asked (by the clock of the loop), and its answer."""

    question: Q
    asked_at: float
    answer: asyncio.Future[A]


class Batch(Generic[Q, A]):
    """`answer` gets up to `most` questions, in a thread, one call at a time, and returns their
    answers in the same order. If it raises, their callers get the exception, and so do those that
    have waited for longer than `patience`: while Redis does not answer, each call lasts as long
    as its time-out, and callers that wait for one call after another would wait for minutes.

    The thread is not from the server's shared pool: sends that wait for Plivo may hold all of that,
    and a check must not wait for a send.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Sequence[A]],
        most: int = 64,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._answer = answer
        self._most = most
        self._patience = patience
        self._waiting: list[_Waiting[Q, A]] = []
        self._running: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "batch")

    async def ask(self, question: Q) -> A:
        """The answer. Call it on one event loop only."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._waiting.append(_Waiting(question, loop.time(), future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            questions = [waiting.question for waiting in batch]
            try:
                answers = await loop.run_in_executor(self._thread, self._answer, questions)
                answered = list(zip(batch, answers, strict=True))
            except Exception as error:  # noqa: BLE001
                for waiting in batch + self._take_impatient(loop.time()):
                    if not waiting.answer.done():
                        waiting.answer.set_exception(error)
            else:
                for waiting, answer in answered:
                    # A caller that was cancelled in between needs no answer.
                    if not waiting.answer.done():
                        waiting.answer.set_result(answer)
        self._running = None

    def _take_impatient(self, now: float) -> list[_Waiting[Q, A]]:
        """Take out those that have waited for too long."""
        # They wait in the order in which they asked.
        number = bisect_right(self._waiting, now - self._patience, key=lambda w: w.asked_at)
        impatient, self._waiting = self._waiting[:number], self._waiting[number:]
        return impatient
