"""Batches: each caller gets its own answer, and slow work elsewhere delays no batch."""

import asyncio
import threading
from collections.abc import Sequence

import anyio.to_thread
import pytest
from starlette.concurrency import run_in_threadpool

from core.web.batch import Batch
from tests.world import PATIENCE_SECONDS


def doubled(questions: Sequence[int]) -> list[int]:
    return [2 * question for question in questions]


def test_each_caller_gets_the_answer_to_its_own_question() -> None:
    calls: list[int] = []

    def answer(questions: Sequence[int]) -> list[int]:
        calls.append(len(questions))
        return doubled(questions)

    async def many() -> list[int]:
        batch = Batch(answer, most=8)
        return await asyncio.gather(*(batch.ask(n) for n in range(50)))

    assert asyncio.run(many()) == [2 * n for n in range(50)]
    assert max(calls) == 8


def test_a_cancelled_caller_takes_no_answer_from_the_others() -> None:
    may_answer = threading.Event()

    def answer(questions: Sequence[int]) -> list[int]:
        may_answer.wait()
        return doubled(questions)

    async def some_leave() -> list[int]:
        batch = Batch(answer)
        tasks = [asyncio.create_task(batch.ask(n)) for n in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        may_answer.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    assert asyncio.run(some_leave()) == [2 * n for n in range(10) if n % 3]


@pytest.mark.parametrize("wrong", [ZeroDivisionError, None])
def test_after_a_failure_the_next_question_is_answered(wrong: type[Exception] | None) -> None:
    """Also after a wrong number of answers."""

    def answer(questions: Sequence[int]) -> list[int]:
        if 0 not in questions:
            return doubled(questions)
        if wrong is not None:
            raise wrong
        return []

    async def twice() -> int:
        batch = Batch(answer)
        async with asyncio.timeout(PATIENCE_SECONDS):
            failed = await asyncio.gather(batch.ask(0), batch.ask(0), return_exceptions=True)
            assert [type(error) for error in failed] == [wrong or ValueError] * 2
            return await batch.ask(4)

    assert asyncio.run(twice()) == 8


@pytest.mark.parametrize(("patience", "calls"), [(0.0, 1), (3600.0, 2)])
def test_callers_that_waited_long_for_a_call_that_fails_do_not_wait_for_another(
    patience: float, calls: int
) -> None:
    made: list[list[int]] = []
    may_answer = threading.Event()

    def answer(questions: Sequence[int]) -> list[int]:
        made.append(list(questions))
        may_answer.wait()
        if 0 in questions:
            raise TimeoutError
        return doubled(questions)

    async def many() -> list[int | BaseException]:
        batch = Batch(answer, most=3, patience=patience)
        tasks = [asyncio.create_task(batch.ask(n)) for n in range(6)]
        await asyncio.sleep(0)
        may_answer.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(many())
    assert len(made) == calls
    failed = [isinstance(answer, TimeoutError) for answer in answers]
    assert failed == [True] * 3 + [calls == 1] * 3


def test_slow_work_in_every_thread_of_the_server_delays_no_batch() -> None:
    may_end = threading.Event()

    async def beside_slow_work() -> int:
        threads = int(anyio.to_thread.current_default_thread_limiter().total_tokens)
        slow = [asyncio.create_task(run_in_threadpool(may_end.wait)) for _ in range(threads)]
        try:
            while anyio.to_thread.current_default_thread_limiter().available_tokens:
                await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await Batch(doubled).ask(4)
        finally:
            may_end.set()
            await asyncio.gather(*slow)

    assert asyncio.run(beside_slow_work()) == 8
