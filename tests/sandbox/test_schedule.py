"""The schedule: order within a lane, and jobs that fail."""

import asyncio
import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sandbox.clock import SandboxClock
from core.sandbox.schedule import Job, Payload, Schedule
from core.sandbox.storage import Storage
from tests.properties import examples
from tests.world import PATIENCE_SECONDS

JOBS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=8)


async def run_all_jobs(storage: Storage, schedule: Schedule) -> None:
    working = asyncio.create_task(schedule.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while storage.rows("SELECT id FROM schedule"):
            await asyncio.sleep(0.001)
    working.cancel()
    await asyncio.wait([working])


@given(jobs=JOBS)
@settings(max_examples=examples(30))
def test_jobs_of_a_lane_never_overlap_and_always_keep_the_order_of_their_moments(
    jobs: list[tuple[str, int]],
) -> None:
    began: dict[str, list[int]] = {"a": [], "b": []}
    busy: set[str] = set()

    async def handler(payload: Payload) -> None:
        lane = payload["lane_name"]
        assert lane not in busy
        busy.add(lane)
        began[lane].append(payload["serial"])
        await asyncio.sleep(0.001)
        busy.remove(lane)

    with TemporaryDirectory() as folder:
        clock = SandboxClock(1000)
        storage = Storage(Path(folder))
        storage.open(clock.now())
        schedule = Schedule(storage, clock)
        schedule.register(Job.STEP, handler)
        with storage.transaction():
            for serial, (lane, after) in enumerate(jobs):
                schedule.add(Job.STEP, lane, after, lane_name=lane, serial=serial)
        rows = storage.rows("SELECT lane, payload FROM schedule ORDER BY due, id")
        asyncio.run(run_all_jobs(storage, schedule))
        storage.close()

    for lane, serials in began.items():
        due = [json.loads(row["payload"])["serial"] for row in rows if row["lane"] == lane]
        assert serials == due


def test_a_job_that_raises_is_logged_and_runs_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[Payload] = []

    async def handler(payload: Payload) -> None:
        tries.append(payload)
        if len(tries) == 1:
            raise RuntimeError("a bug")

    clock = SandboxClock(1000)
    storage = Storage(tmp_path)
    storage.open(clock.now())
    schedule = Schedule(storage, clock)
    schedule.register(Job.STEP, handler)
    schedule.add(Job.STEP, "lane", 0, secret="4711")
    with caplog.at_level(logging.DEBUG):
        asyncio.run(run_all_jobs(storage, schedule))
    storage.close()
    assert tries == [{"secret": "4711"}] * 2
    assert "a bug" in caplog.text
    assert "4711" not in caplog.text
