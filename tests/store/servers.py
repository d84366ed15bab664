"""Real Redis processes for the tests of the connection: a server, a Cluster, a Sentinel."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.store.server_binary import find_server
from tests.world import until


def free_port() -> int:
    """A port of the loopback that was free a moment ago, and the one 10,000 above it too: there a
    node of a Cluster talks to the others."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with suppress(OSError, OverflowError):
                bus.bind(("127.0.0.1", port + 10_000))
                return port


@dataclass(frozen=True)
class Node:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]
    client: redis.Redis

    def command(self, *command: str | int) -> Any:
        return self.client.execute_command(*command)  # type: ignore[no-untyped-call]


@contextmanager
def running_node(directory: Path, *options: str) -> Iterator[Node]:
    """A server on a free port, with these `--option value` pairs, which may not answer yet. Ends
    with it."""
    directory.mkdir(exist_ok=True)
    port = free_port()
    config = directory / "redis.conf"
    config.write_text("")
    command = [str(find_server()), str(config), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(directory), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        with redis.Redis(port=port, retry=Retry(NoBackoff(), 0), decode_responses=True) as client:
            yield Node(port, process, client)
    finally:
        process.kill()
        process.wait()


def await_answer(node: Node) -> None:
    until(lambda: node.process.poll() is not None or answers(node.client))
    assert node.process.poll() is None, "the server did not start"


@contextmanager
def running(directory: Path, *options: str) -> Iterator[int]:
    """A server as in `running_node`, which answers; gives the port."""
    with running_node(directory, *options) as node:
        await_answer(node)
        yield node.port


@contextmanager
def running_cluster(directory: Path) -> Iterator[int]:
    """A Cluster of one node that serves all slots."""
    with running(directory, "--cluster-enabled", "yes") as port:
        with redis.Redis(port=port, decode_responses=True) as client:
            client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
            until(lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")))
        yield port


@contextmanager
def running_sentinel(directory: Path, primary: int, service: str) -> Iterator[int]:
    """A Sentinel that watches the server on port `primary` as `service`."""
    with running(directory, "--sentinel") as port:
        with redis.Redis(port=port) as client:
            client.execute_command("SENTINEL", "MONITOR", service, "127.0.0.1", primary, 1)
        yield port


#: For tests in which a primary dies: replicas take over soon, and may lack the newest writes.
_FAILS_OVER = (
    *("--cluster-enabled", "yes", "--cluster-node-timeout", "700"),
    *("--cluster-replica-validity-factor", "0", "--save", ""),
    *("--repl-diskless-sync-delay", "0"),
)


@contextmanager
def running_shards(directory: Path) -> Iterator[list[Node]]:
    """A Cluster of three primaries with a replica each, the primaries first; node 3 is the replica
    of node 0, and so on."""
    directory.mkdir(exist_ok=True)
    with ExitStack() as opened:
        nodes = [
            opened.enter_context(running_node(directory / str(n), *_FAILS_OVER)) for n in range(6)
        ]
        for node in nodes:
            await_answer(node)
        last = [16384 * n // 3 for n in range(4)]
        for n, node in enumerate(nodes):
            node.command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            nodes[0].command("CLUSTER", "MEET", "127.0.0.1", node.port)
            if n < 3:
                node.command("CLUSTER", "ADDSLOTSRANGE", last[n], last[n + 1] - 1)
        until(lambda: all("cluster_known_nodes:6" in _cluster_info(node) for node in nodes))
        for primary, replica in zip(nodes[:3], nodes[3:], strict=True):
            replica.command("CLUSTER", "REPLICATE", primary.command("CLUSTER", "MYID"))
        until(lambda: all("cluster_state:ok" in _cluster_info(node) for node in nodes))
        until(
            lambda: all(node.client.info("replication")["connected_slaves"] for node in nodes[:3])
        )
        until(lambda: all(_is_synchronized(node) for node in nodes[3:]))
        # Every node must know every replica, or they would not vote for it.
        until(
            lambda: all(
                len(servers) == 4 for node in nodes for servers in node.command("CLUSTER", "SLOTS")
            )
        )
        yield nodes


@contextmanager
def running_pair(directory: Path, service: str) -> Iterator[tuple[list[Node], str]]:
    """A primary and its replica, watched by a Sentinel; gives both and the REDIS_URL."""
    directory.mkdir(exist_ok=True)
    with ExitStack() as opened:
        plain = ("--save", "", "--repl-diskless-sync-delay", "0")
        primary = opened.enter_context(running_node(directory / "primary", *plain))
        of_primary = ("--replicaof", "127.0.0.1", str(primary.port))
        replica = opened.enter_context(running_node(directory / "replica", *plain, *of_primary))
        for node in (primary, replica):
            await_answer(node)
        until(lambda: _is_synchronized(replica))
        sentinel = opened.enter_context(
            running_sentinel(directory / "sentinel", primary.port, service)
        )
        with redis.Redis(port=sentinel) as client:
            for option, value in (("down-after-milliseconds", 500), ("failover-timeout", 3000)):
                client.execute_command("SENTINEL", "SET", service, option, value)
            until(lambda: client.execute_command("SENTINEL", "REPLICAS", service))
        yield [primary, replica], f"redis+sentinel://127.0.0.1:{sentinel}/{service}"


def cut_off(primary: Node) -> None:
    """From now on no replica receives what this primary writes."""
    primary.command("ACL", "SETUSER", "default", "-psync", "-sync")
    primary.command("CLIENT", "KILL", "TYPE", "replica")


def _cluster_info(node: Node) -> str:
    return str(node.command("CLUSTER", "INFO"))


def _is_synchronized(replica: Node) -> bool:
    return bool(replica.client.info("replication").get("master_link_status") == "up")


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
