"""Who may run a script next."""

import asyncio

from pages.components.protocol.turns import AT_ONCE, Runner, Turns, Visitor


async def waiting(turns: Turns, runner: Runner) -> "asyncio.Task[None]":
    task = asyncio.create_task(turns.take(runner))
    await asyncio.sleep(0)
    return task


def test_the_next_turn_goes_to_the_visitor_who_used_least_of_late() -> None:
    async def scenario() -> None:
        now = 100.0
        turns = Turns(clock=lambda: now, processor=lambda: now)
        greedy, modest = Visitor(), Visitor()
        running = [Runner(greedy) for _ in range(AT_ONCE)]
        for runner in running:
            await turns.take(runner)
        first, second = Runner(greedy), Runner(modest)
        greedy_task, modest_task = await waiting(turns, first), await waiting(turns, second)
        now += 1
        turns.end(running[0])
        await modest_task
        assert not greedy_task.done()
        turns.end(second)
        await greedy_task

    asyncio.run(scenario())


def test_no_more_run_at_once_and_one_that_leaves_frees_its_turn() -> None:
    async def scenario() -> None:
        turns = Turns(clock=lambda: 0.0, processor=lambda: 0.0)
        running = [Runner(Visitor()) for _ in range(AT_ONCE)]
        for runner in running:
            await turns.take(runner)
        last = await waiting(turns, Runner(Visitor()))
        assert not last.done()
        turns.leave(running[0])
        await last

    asyncio.run(scenario())


def test_a_rerun_that_replaces_its_own_waits_only_where_others_wait() -> None:
    async def scenario() -> None:
        turns = Turns(clock=lambda: 0.0, processor=lambda: 0.0)
        mine = Runner(Visitor())
        await turns.take(mine)
        await turns.take(mine)
        for _ in range(AT_ONCE - 1):
            await turns.take(Runner(Visitor()))
        other = await waiting(turns, Runner(Visitor()))
        again = await waiting(turns, mine)
        assert not again.done()
        turns.end(mine)
        await other
        assert not again.done()
        turns.leave(mine)
        await again

    asyncio.run(scenario())
