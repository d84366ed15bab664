"""The embedded Redis: real servers, real processes, real kills."""

import base64
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.model.errors import StoreUnavailable
from core.store.embedded import EmbeddedRedis
from core.store.server_binary import OLDEST, find_server, newest, version_of
from tests.world import PATIENCE_SECONDS, until

ROOT = Path(__file__).parents[2]

# Another process of the application: says who serves it, and stays until its input ends.
APPLICATION = """
import sys
from pathlib import Path
import redis
from core.store.embedded import EmbeddedRedis
with EmbeddedRedis(Path(sys.argv[1])) as embedded:
    with redis.Redis.from_url(embedded.url) as client:
        print(client.info("server")["process_id"], flush=True)
    sys.stdin.read()
"""


def server_of(embedded: EmbeddedRedis) -> int:
    """The process id of the server, as the server itself tells it."""
    with redis.Redis.from_url(embedded.url) as client:
        return int(client.info("server")["process_id"])


def runs(process: int) -> bool:
    """Whether it runs. One that has ended but was not collected by its parent does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@contextmanager
def application(data: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", APPLICATION, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield process
        # Leaving closes its input, so it stops; for a process that has ended this only waits.


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    for log in tmp_path.rglob("server.pid"):
        assert not runs(int(log.read_text())), f"a server is left in {log.parent}"


def told_server(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def ended(process: subprocess.Popen[str]) -> None:
    """Let the application stop, and wait for it."""
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0


def test_a_started_server_answers_on_a_private_socket_and_on_no_port(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as embedded, redis.Redis.from_url(embedded.url) as client:
        assert client.config_get("port")["port"] == "0"
        sock = tmp_path / "redis" / "redis.sock"
        assert stat.S_IMODE(sock.stat().st_mode) == 0o700
        assert stat.S_IMODE(sock.parent.stat().st_mode) == 0o700


def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    for expected in (None, b"kept"):
        with EmbeddedRedis(tmp_path) as embedded, redis.Redis.from_url(embedded.url) as client:
            assert client.get("key") == expected
            client.set("key", "kept")


def test_stopping_ends_the_server_and_may_be_repeated(tmp_path: Path) -> None:
    embedded = EmbeddedRedis(tmp_path)
    embedded.start()
    server = server_of(embedded)
    embedded.stop()
    assert not runs(server)
    embedded.stop()


def test_a_stopped_one_can_be_started_again(tmp_path: Path) -> None:
    embedded = EmbeddedRedis(tmp_path)
    for _ in range(2):
        with embedded:
            assert runs(server_of(embedded))


def test_a_second_start_finds_the_server_and_the_last_one_out_ends_it(tmp_path: Path) -> None:
    with application(tmp_path) as other, EmbeddedRedis(tmp_path) as embedded:
        server = told_server(other)
        assert server_of(embedded) == server
        ended(other)
        assert runs(server)
        embedded.stop()
        assert not runs(server)


def test_processes_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    with application(tmp_path) as one, application(tmp_path) as two, application(tmp_path) as three:
        assert len({told_server(one), told_server(two), told_server(three)}) == 1


@pytest.mark.race
def test_users_that_come_and_go_at_once_always_find_a_server_and_leave_none(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)
    answers: list[bool] = []

    def come_and_go() -> None:
        # The locks belong to open files, so two objects exclude each other as two processes do.
        for _ in range(15):
            with EmbeddedRedis(tmp_path) as embedded:
                with redis.Redis.from_url(embedded.url, retry=Retry(NoBackoff(), 0)) as client:
                    answers.append(bool(client.ping()))
                barrier.wait()
            barrier.wait()
            answers.append(not (tmp_path / "redis" / "redis.sock").exists())
            barrier.wait()

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 120


def test_the_server_of_a_killed_application_is_found_again(tmp_path: Path) -> None:
    with application(tmp_path) as other:
        server = told_server(other)
        other.kill()
        other.wait()
        with EmbeddedRedis(tmp_path) as embedded:
            assert server_of(embedded) == server
        assert not runs(server)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as embedded:
        assert os.getsid(server_of(embedded)) != os.getsid(0)


def test_no_acknowledged_write_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as embedded:
        server = server_of(embedded)
        acknowledged: list[int] = []

        def write() -> None:
            with redis.Redis.from_url(embedded.url, retry=Retry(NoBackoff(), 0)) as client:
                try:
                    while True:
                        acknowledged.append(int(client.rpush("list", len(acknowledged))))
                except redis.ConnectionError:
                    return

        writer = threading.Thread(target=write)
        writer.start()
        until(lambda: len(acknowledged) > 500)
        os.kill(server, signal.SIGKILL)
        writer.join()
        embedded.ensure()
        with redis.Redis.from_url(embedded.url, decode_responses=True) as client:
            kept = client.lrange("list", 0, -1)
        # At most the one write that was under way when the server died may be there besides.
        assert kept[: len(acknowledged)] == [str(n) for n in range(len(acknowledged))]
        assert len(kept) - len(acknowledged) in {0, 1}


def test_a_server_that_dies_is_brought_back_while_the_application_runs(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as embedded:
        first = server_of(embedded)
        os.kill(first, signal.SIGKILL)

        def another() -> bool:
            try:
                return server_of(embedded) != first
            except redis.ConnectionError:
                return False

        until(another)


def test_a_file_cut_short_by_a_crash_still_loads(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as embedded, redis.Redis.from_url(embedded.url) as client:
        client.set("whole", "kept")
    # Redis 7 and later keep several files, in a folder of their own.
    [file] = [*tmp_path.rglob("appendonly.aof"), *tmp_path.rglob("appendonly.aof.*.incr.aof")]
    with file.open("ab") as cut:
        cut.write(b"*3\r\n$3\r\nSET\r\n$3\r\nha")
    with EmbeddedRedis(tmp_path) as embedded, redis.Redis.from_url(embedded.url) as client:
        assert client.keys("*") == [b"whole"]


def test_a_socket_with_no_server_behind_it_is_replaced(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as embedded:
        pass
    sock = tmp_path / "redis" / "redis.sock"
    # What a power cut leaves.
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(sock))
    with EmbeddedRedis(tmp_path) as embedded:
        assert runs(server_of(embedded))


def test_no_second_server_is_started_beside_one_that_cannot_be_reached(tmp_path: Path) -> None:
    with application(tmp_path) as other:
        server = told_server(other)
        sock = tmp_path / "redis" / "redis.sock"
        hidden = sock.rename(tmp_path / "hidden.sock")
        with pytest.raises(StoreUnavailable, match="does not answer"):
            EmbeddedRedis(tmp_path, patience_seconds=0.3).start()
        hidden.rename(sock)
        with EmbeddedRedis(tmp_path) as embedded:
            assert server_of(embedded) == server


def test_another_server_on_the_socket_is_neither_used_nor_ended(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "theirs") as theirs:
        ours = tmp_path / "ours" / "redis"
        ours.mkdir(parents=True)
        (ours / "redis.sock").symlink_to(tmp_path / "theirs" / "redis" / "redis.sock")
        with pytest.raises(StoreUnavailable, match="another server"):
            EmbeddedRedis(tmp_path / "ours").start()
        assert runs(server_of(theirs))


def test_a_long_path_is_served_from_a_short_private_folder(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / ("long" * 30)) as embedded:
        sock = Path(embedded.url.removeprefix("unix://"))
        assert len(os.fsencode(sock)) <= 100
        assert stat.S_IMODE(sock.parent.stat().st_mode) == 0o700
        assert runs(server_of(embedded))
    assert (tmp_path / ("long" * 30) / "redis" / "redis.log").exists()


def test_two_long_paths_have_servers_of_their_own(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / ("one" * 40)) as one,
        EmbeddedRedis(tmp_path / ("two" * 40)) as two,
    ):
        assert server_of(one) != server_of(two)


@pytest.mark.parametrize("name", ["with space", 'with "quotes"', "100%", "what?", "é#1"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    with EmbeddedRedis(tmp_path / name) as embedded:
        assert runs(server_of(embedded))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    # Redis up to 6 has a file of this name, later ones a folder.
    (tmp_path / "redis" / "appendonly.aof").write_text("no commands at all")
    (tmp_path / "redis" / "appendonlydir").write_text("no folder at all")
    with pytest.raises(StoreUnavailable, match=r"Last line of its log: .*[Aa]ppend"):
        EmbeddedRedis(tmp_path).start()


def test_a_data_directory_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match=r"cannot use .*Not a directory"):
        EmbeddedRedis(tmp_path / "file").start()


# The append-only file of a Redis 6.2.14, as it is after BGREWRITEAOF and two more writes: a
# snapshot in format 9, then commands.
REDIS_6_DATA = base64.b64decode(
    "UkVESVMwMDA5+glyZWRpcy12ZXIGNi4yLjE0+gpyZWRpcy1iaXRzwED6BWN0aW1lwko9CGv6CHVzZWQtbWVtwnBhDgD6"
    "DGFvZi1wcmVhbWJsZcAB/gD7BAAABGtlcHQGYnkgNi4yDwFzARAAAAGiGC9sgAAAAAAAAAAAISEAAAAKAAEBAAEBAYVl"
    "dmVudAYAAQIBAAEAAYFlAgQB/wGBAAABohgvbIAAAA0BaBAQAAAADQAAAAIAAAFhA/L/DAF6EBAAAAANAAAAAgAAAW0D"
    "8v//qQskfaDf4F0qMg0KJDYNClNFTEVDVA0KJDENCjANCio0DQokNQ0KUlBVU0gNCiQxDQpsDQokMQ0KMQ0KJDENCjIN"
    "Cg=="
)


def test_the_data_of_redis_6_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_bytes(REDIS_6_DATA)
    for _ in range(2):
        with (
            EmbeddedRedis(tmp_path) as embedded,
            redis.Redis.from_url(embedded.url, decode_responses=True) as client,
        ):
            assert client.get("kept") == "by 6.2"
            assert client.hgetall("h") == {"a": "1"}
            assert client.zrange("z", 0, -1) == ["m"]
            assert [fields for _, fields in client.xrange("s")] == [{"event": "e"}]
            assert client.lrange("l", 0, -1) == ["1", "2"]


def snapshot(data: Path) -> Path:
    """The snapshot of a folder that a server of today has written."""
    with EmbeddedRedis(data) as embedded, redis.Redis.from_url(embedded.url) as client:
        client.set("key", "value")
        client.bgrewriteaof()
        until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        until(lambda: [*data.rglob("*.base.rdb")])
    [file] = data.rglob("*.base.rdb")
    return file


@pytest.mark.parametrize("header", [b"VALKEY999", b"REDIS0999", b"REDIS0012"])
def test_the_data_of_a_newer_server_is_refused_in_a_sentence(tmp_path: Path, header: bytes) -> None:
    file = snapshot(tmp_path)
    before = header + file.read_bytes()[9:]
    file.write_bytes(before)
    with pytest.raises(StoreUnavailable, match=r"written by a newer Redis or Valkey.*DATA_DIR"):
        EmbeddedRedis(tmp_path).start()
    assert file.read_bytes() == before


def test_an_old_server_does_not_start_empty_beside_newer_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot(tmp_path)
    old = program(tmp_path / "redis-server", "6.2.14")
    monkeypatch.setattr("core.store.embedded.find_server", lambda: old)
    with pytest.raises(StoreUnavailable, match=r"written by a newer Redis or Valkey.*redis-server"):
        EmbeddedRedis(tmp_path).start()


def program(path: Path, version: str, name: str = "Redis") -> Path:
    path.write_text(f"#!/bin/sh\necho '{name} server v={version} sha=0:0 malloc=libc bits=64'\n")
    path.chmod(0o755)
    return path


def test_the_newest_program_is_taken_and_of_equal_ones_the_first(tmp_path: Path) -> None:
    wheel = program(tmp_path / "wheel", "9.1.2", "Valkey")
    old, same = program(tmp_path / "old", "7.0.15"), program(tmp_path / "same", "9.1.2", "Valkey")
    newer = program(tmp_path / "newer", "9.1.10", "Valkey")
    assert newest([wheel, old, same]) == wheel
    assert newest([old, same, wheel]) == same
    assert newest([wheel, newer, old]) == newer


def test_a_program_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF of another machine")
    broken.chmod(0o755)
    fine = program(tmp_path / "fine", "7.2.4")
    assert newest([broken, tmp_path / "missing", fine]) == fine


def test_a_machine_with_only_an_old_program_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        newest([program(tmp_path / "redis-server", "6.0.16")])
    assert "too old (6.0.16)" in refused.value.cause
    assert "REDIS_URL" in refused.value.remedy


def test_a_machine_without_a_program_is_told_how_to_get_one() -> None:
    with pytest.raises(StoreUnavailable) as refused:
        newest([])
    assert "No Redis server program is on this machine" in refused.value.cause
    assert "REDIS_URL" in refused.value.remedy


def test_this_machine_has_a_program_from_the_requirements_or_a_newer_one() -> None:
    assert version_of(find_server()) >= (9, 1) > OLDEST
