"""A full disk: it is logged once, writes get 503, reads work, and nothing is lost."""

import asyncio
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.sandbox.clock import SandboxClock
from core.sandbox.errors import StorageFailed
from core.sandbox.schedule import Job, Payload, Schedule
from core.sandbox.storage import Storage
from tests.world import PATIENCE_SECONDS

from .support import AUTH_ID, SENDER, Api, Product, number, sandbox_on, wait_for

FAILED = "sandbox cannot write its state file"
RECOVERED = "sandbox can write its state file again"


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name.startswith("core.sandbox")]


def fill(storage: Storage) -> None:
    """Leave SQLite no room for another page, as on a full disk."""
    pages = storage.rows("PRAGMA page_count")[0][0]
    storage.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFailed):
        _write_until_it_fails(storage)


def _write_until_it_fails(storage: Storage) -> None:
    for serial in range(1_000):
        storage.run("INSERT INTO transcript VALUES (:n, 0, '', :text)", n=serial, text="x" * 99)


def _replace(storage: Storage) -> None:
    with storage.transaction():
        storage.run("DELETE FROM transcript WHERE call_uuid = '0'")
        storage.run("INSERT INTO transcript VALUES ('long', 0, '', :text)", text="x" * 99_999)


def make_room(storage: Storage) -> None:
    storage.rows("PRAGMA max_page_count = 1000000")


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(tmp_path)
    storage.open(SandboxClock(1).now())
    yield storage
    storage.close()


def test_a_failed_transaction_writes_nothing_and_leaves_none_open(storage: Storage) -> None:
    fill(storage)
    before = storage.rows("SELECT COUNT(*) FROM transcript")[0][0]
    for _ in range(3):
        with pytest.raises(StorageFailed):
            _replace(storage)
        assert storage.rows("SELECT COUNT(*) FROM transcript")[0][0] == before
    make_room(storage)
    _replace(storage)
    assert storage.rows("SELECT COUNT(*) FROM transcript")[0][0] == before
    assert storage.rows("SELECT * FROM transcript WHERE call_uuid = 'long'")


def test_jobs_wait_for_free_space_and_then_run_and_each_change_is_logged_once(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SandboxClock(1000)
    schedule = Schedule(storage, clock)
    tried: list[str] = []

    async def handler(payload: Payload) -> None:
        tried.append(payload["name"])
        storage.run("INSERT INTO transcript VALUES (:n, 1, '', :text)", n="job", text="x" * 9_999)

    schedule.register(Job.STEP, handler)
    for name in "abc":
        schedule.add(Job.STEP, name, 0, name=name)

    async def through_a_full_disk() -> None:
        working = asyncio.create_task(schedule.run())
        # Longer than a pause, so the schedule probes while the disk is still full.
        await asyncio.sleep(1.5)
        assert tried == []
        assert messages(caplog) == [FAILED]
        make_room(storage)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while storage.rows("SELECT id FROM schedule"):
                await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.wait([working])

    with caplog.at_level(logging.DEBUG):
        fill(storage)
        asyncio.run(through_a_full_disk())
    assert sorted(tried) == ["a", "b", "c"]
    assert len(storage.rows("SELECT * FROM transcript WHERE call_uuid = 'job'")) == 3
    assert messages(caplog) == [FAILED, RECOVERED]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode != 0:  # noqa: S603
        pytest.skip("mounting is not allowed here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)  # noqa: S603, S607


def test_root_a_sandbox_on_a_full_disk_continues_to_serve_and_recovers(
    small_disk: Path, product: Product, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    order = {"src": SENDER, "text": "hello", "url": product.url(path)}
    with caplog.at_level(logging.DEBUG), sandbox_on(small_disk, speed=1.0) as api:
        first = number("5555")
        uuid = api.send(first, **{"url": product.url(path)})
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space"):
            _fill_disk(filler)
        refused = wait_for(lambda: _refused(api, {**order, "dst": number("5555")}))
        assert refused == "The sandbox cannot write its state file: database or disk is full."
        wait_for(lambda: FAILED in messages(caplog))
        for _ in range(20):
            assert api.http.get(f"/handset/{first}").status_code == 200
            assert api.http.get(f"/v1/Account/{AUTH_ID}/Message/{uuid}/").status_code == 200
            assert _refused(api, {**order, "dst": number("5555")})
        assert messages(caplog).count(FAILED) == 1
        filler.unlink()
        assert api.settled(uuid)["message_state"] == "delivered"
        assert api.settled(api.send(number("5555")))["message_state"] == "delivered"
        wait_for(lambda: "delivered" in product.values(path, "Status"))
    assert messages(caplog).count(RECOVERED) == 1
    assert not [record for record in caplog.records if record.exc_info]


def _fill_disk(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def _refused(api: Api, order: dict[str, str]) -> str:
    """The error of a message; empty if it was accepted."""
    answer = api.post("/Message/", **order)
    assert answer.status_code in {202, 503}, answer.text
    return "" if answer.status_code == 202 else str(answer.json()["error"])
