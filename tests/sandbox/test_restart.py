"""The sandbox loses nothing when it is stopped, killed or restarted."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.sandbox.app import Sandbox
from core.sandbox.errors import FileInUse, StorageFailed
from core.sandbox.storage import Storage
from tests.world import PATIENCE_SECONDS

from .support import AUTH_ID, AUTH_TOKEN, Api, Product, number, sandbox_on, wait_for

SPEAK = "<Response><Speak>Hello.</Speak><Wait length='20'/><Speak>Still here.</Speak></Response>"


@contextmanager
def process(data: Path, port: int, speed: float) -> Iterator[tuple[subprocess.Popen[str], Api]]:
    """The sandbox as a separate process."""
    arguments = ["--port", port, "--data", data, "--speed", speed]
    credentials = ["--auth-id", AUTH_ID, "--auth-token", AUTH_TOKEN]
    command = [sys.executable, "-m", "core", "sandbox", *map(str, arguments + credentials)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    api = Api(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        try:
            return api.get("/").status_code == 200
        except httpx.ConnectError:
            return False

    try:
        wait_for(answers)
        yield running, api
    finally:
        api.http.close()
        running.kill()
        running.communicate()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
        return free


def test_a_message_left_queued_is_delivered_after_the_restart(
    tmp_path: Path, product: Product, path: str
) -> None:
    to = number("5555")
    with sandbox_on(tmp_path, speed=0.01) as slow:
        uuid = slow.send(to, text="kept", url=product.url(path))
        assert slow.message(uuid)["message_state"] == "queued"
    # The slow clock wrote due moments far in the future; move them into the past.
    pull_forward(tmp_path)
    with sandbox_on(tmp_path) as api:
        assert api.settled(uuid)["message_state"] == "delivered"
        assert api.phone(to).texts == ["kept"]
        api.finished_callbacks(uuid)
    assert product.values(path, "Status") == ["queued", "sent", "delivered"]


def test_a_call_left_ringing_can_be_answered_after_the_restart(
    tmp_path: Path, product: Product, path: str
) -> None:
    product.documents[path] = SPEAK
    to = number("5555")
    with sandbox_on(tmp_path) as before:
        uuid = before.call(to, product.url(path), ring_timeout=80_000)
        wait_for(lambda: before.phone(to).call)
    with sandbox_on(tmp_path) as api:
        api.phone(to).answer()
        assert api.hung_up(uuid)["hangup_cause_code"] == 4010
        assert api.phone(to).transcript() == ["Hello.", "Still here."]


def test_a_call_continues_after_a_restart_where_it_stopped(
    tmp_path: Path, product: Product, path: str
) -> None:
    product.documents[path] = SPEAK.replace("20", "100")
    to = number("5555")
    with sandbox_on(tmp_path) as before:
        before.phone(to).auto_answer(on=True)
        uuid = before.call(to, product.url(path))
        wait_for(lambda: before.phone(to).call and before.phone(to).transcript())
    with sandbox_on(tmp_path) as api:
        assert api.phone(to).look()["auto_answer"]["on"] is True
        assert api.hung_up(uuid)["hangup_cause_code"] == 4010
        assert api.phone(to).transcript() == ["Hello.", "Still here."]
    assert len(product.at(path)) == 1


def test_a_retry_survives_a_restart(tmp_path: Path, product: Product, path: str) -> None:
    product.statuses[path] = [500]
    with sandbox_on(tmp_path) as before:
        uuid = before.send(number("0900"), url=product.url(path))
        wait_for(lambda: product.at(path))
        before.settled(uuid)
    with sandbox_on(tmp_path) as api:
        assert {callback["state"] for callback in api.finished_callbacks(uuid)} == {"delivered"}
    assert sorted(product.values(path, "Status")) == ["failed", "queued", "queued"]


def test_a_killed_sandbox_loses_nothing(
    tmp_path: Path, product: Product, path: str, port: int
) -> None:
    to = number("5555")
    with process(tmp_path, port, speed=0.5) as (running, api):
        uuid = api.send(to, url=product.url(path), text="kept")
        running.send_signal(signal.SIGKILL)
        running.wait(10)
    with sandbox_on(tmp_path) as api:
        assert api.settled(uuid)["message_state"] == "delivered"
        assert api.phone(to).texts == ["kept"]
        api.finished_callbacks(uuid)
    assert set(product.values(path, "Status")) == {"queued", "sent", "delivered"}


def test_a_terminated_sandbox_ends_at_once_in_spite_of_an_open_stream(
    tmp_path: Path, port: int
) -> None:
    with (
        process(tmp_path, port, speed=1) as (running, api),
        httpx.stream("GET", f"{api.base}/sandbox/handset/{number('5555')}/events") as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == ": open"
        running.send_signal(signal.SIGTERM)
        running.wait(10)


def test_the_program_prints_its_address_and_its_credentials(tmp_path: Path, port: int) -> None:
    with process(tmp_path, port, speed=1) as (running, _):
        running.send_signal(signal.SIGTERM)
        printed, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert re.search(rf"http://127\.0\.0\.1:{port}/sandbox\b", printed)
    assert AUTH_ID in printed
    assert AUTH_TOKEN in printed
    assert len(printed.splitlines()) == 2


def test_the_state_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with sandbox_on(tmp_path / "new") as api:
        api.send(number("5555"))
        files = list((tmp_path / "new").iterdir())
        assert files
        assert {stat.S_IMODE(os.stat(file).st_mode) for file in files} == {0o600}


def test_a_job_that_runs_twice_changes_nothing(tmp_path: Path, product: Product, path: str) -> None:
    """After a crash any job may run again; here a trigger makes every job run twice."""
    product.documents[path] = SPEAK.replace(
        "</Response>",
        f"<GetDigits numDigits='2' action='{product.url(path + '/keys')}'/></Response>",
    )
    product.documents[path + "/keys"] = "<Response><Speak>Bye.</Speak></Response>"
    with sandbox_on(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as db:
        db.execute(
            "CREATE TRIGGER twice AFTER INSERT ON schedule BEGIN"
            " INSERT INTO schedule (due, job, lane, payload)"
            " VALUES (NEW.due, NEW.job, NEW.lane, NEW.payload); END"
        )
    db.close()
    message_to, call_to, events_url = number("5555"), number("5555"), product.url(path + "/events")
    with sandbox_on(tmp_path) as api:
        phone = api.phone(call_to)
        phone.auto_answer(on=True, press="7")
        message = api.send(message_to, url=events_url)
        call = api.call(call_to, product.url(path), ring_url=events_url, hangup_url=events_url)
        api.all_callbacks(message)
        api.hung_up(call)
        api.finished_callbacks(call)
        assert len(api.phone(message_to).texts) == 1
        assert phone.transcript() == ["Hello.", "Still here.", "Bye."]
    assert sorted(
        request.params.get("Status", request.params.get("Event", ""))
        for request in product.at(path + "/events")
    ) == [
        "Hangup",
        "Ring",
        "delivered",
        "queued",
        "sent",
    ]
    assert product.values(path + "/keys", "Digits") == ["7"]
    assert len(product.at(path)) == 1


async def enter(sandbox: Sandbox) -> None:
    async with sandbox.running():
        pass


def test_two_sandboxes_never_share_a_state_file(tmp_path: Path) -> None:
    second = Sandbox(data=tmp_path, auth_id=AUTH_ID, auth_token=AUTH_TOKEN)
    with sandbox_on(tmp_path), pytest.raises(FileInUse):
        asyncio.run(enter(second))


def test_a_state_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sandbox.sqlite3").write_text("not a database, " * 1000)
    with pytest.raises(StorageFailed, match=r"sandbox\.sqlite3 is damaged.* Remove it"):
        Sandbox(data=tmp_path, auth_id=AUTH_ID, auth_token=AUTH_TOKEN).claim()


def test_a_damaged_page_of_the_state_file_is_a_failure_of_the_storage(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.open(0)
    (size,), (page,) = (
        storage.rows("PRAGMA page_size")[0],
        storage.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'messages'")[0],
    )
    storage.close()
    with storage.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    storage.open(0)
    with pytest.raises(StorageFailed, match="malformed"):
        storage.rows("SELECT * FROM messages")
    storage.close()


def test_a_sandbox_can_run_again(tmp_path: Path) -> None:
    sandbox = Sandbox(data=tmp_path, auth_id=AUTH_ID, auth_token=AUTH_TOKEN)
    asyncio.run(enter(sandbox))
    asyncio.run(enter(sandbox))


def test_records_older_than_a_week_are_deleted_at_the_start(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as before:
        old, young = before.send(number("5555")), before.send(number("5555"))
        before.settled(old)
        before.settled(young)
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as db:
        db.execute(
            "UPDATE messages SET message_time = message_time - 605000 WHERE message_uuid = ?",
            (old,),
        )
    db.close()
    with sandbox_on(tmp_path) as api:
        assert api.get(f"/Message/{old}/").status_code == 404
        assert api.get(f"/Message/{young}/").status_code == 200


def pull_forward(data: Path) -> None:
    with sqlite3.connect(data / "sandbox.sqlite3") as db:
        db.execute("UPDATE schedule SET due = due - 1000")
    db.close()
