"""Real Redis processes for the tests of the connection: a server, a Cluster of one, a Sentinel."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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


@contextmanager
def running(directory: Path, *options: str) -> Iterator[int]:
    """A server on a free port, with these `--option value` pairs; gives the port. Ends with it."""
    directory.mkdir(exist_ok=True)
    port = free_port()
    config = directory / "redis.conf"
    config.write_text("")
    command = [str(find_server()), str(config), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(directory), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        with redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as client:
            until(lambda: process.poll() is not None or answers(client))
        assert process.poll() is None, "the server did not start"
        yield port
    finally:
        process.kill()
        process.wait()


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


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
