"""Connections that a thread has to itself: at most once, a limit, a fork."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from core.model.errors import StoreUnavailable
from core.settings.settings import Settings
from core.store import own_connections
from core.store.connection import RedisConnection, connect
from tests.store.servers import Node, await_answer, running_node
from tests.world import until


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("own")) as server:
        await_answer(server)
        yield server


@pytest.fixture
def connection(node: Node) -> Iterator[RedisConnection]:
    node.client.flushall()
    opened = connect(Settings(redis_url=f"redis://127.0.0.1:{node.port}"))
    yield opened
    opened.close()


def test_a_connection_serves_again_also_after_the_error_of_a_script(
    connection: RedisConnection,
) -> None:
    first = connection.own.run("CLIENT", "ID")
    with pytest.raises(redis.ResponseError):
        connection.own.run("EVAL", "return nothing.at.all", 0)
    assert connection.own.run("CLIENT", "ID") == first


def test_a_connection_that_the_server_closed_while_idle_is_replaced(
    connection: RedisConnection, node: Node
) -> None:
    assert connection.own.run("INCR", "counted") == 1
    node.client.client_kill_filter(_type="normal", skipme=True)
    assert connection.own.run("INCR", "counted") == 2


def test_after_a_restart_of_the_server_nothing_is_sent_twice(tmp_path: Path) -> None:
    with running_node(tmp_path / "one", "--appendonly", "yes", "--appendfsync", "always") as node:
        await_answer(node)
        opened = connect(Settings(redis_url=f"redis://127.0.0.1:{node.port}"))
        counts = [opened.own.run("INCR", "counted")]
        node.process.kill()
        node.process.wait()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            opened.own.run("INCR", "counted")
        port = ("--port", str(node.port), "--appendonly", "yes", "--dir", str(tmp_path / "one"))
        with running_node(tmp_path / "two", *port):
            until(lambda: _increased(opened, counts))
        assert counts == [1, 2]
        opened.close()


def _increased(opened: RedisConnection, counts: list[int]) -> bool:
    try:
        counts.append(opened.own.run("INCR", "counted"))
    except StoreUnavailable:
        return False
    return True


def test_threads_have_connections_of_their_own_and_few_stay_idle(
    connection: RedisConnection, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_connections, "MOST_IDLE", 2)
    idle_before = node.client.info("clients")["connected_clients"]
    answers: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(connection.own.run("BLPOP", "q", 10)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    until(lambda: node.client.info("clients")["blocked_clients"] == 8)
    node.client.rpush("q", *map(str, range(8)))
    for thread in threads:
        thread.join()
    assert sorted(answers) == [["q", str(n)] for n in range(8)]
    until(lambda: node.client.info("clients")["connected_clients"] <= idle_before + 2)


def test_a_forked_process_opens_connections_of_its_own(connection: RedisConnection) -> None:
    first = connection.own.run("CLIENT", "ID")
    child = os.fork()
    if child == 0:
        os._exit(int(connection.own.run("CLIENT", "ID") == first))
    assert os.waitpid(child, 0)[1] == 0
    assert connection.own.run("CLIENT", "ID") == first
