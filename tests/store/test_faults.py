"""Redis that takes no writes, for each reason, beneath a whole running product.

Each request is a 503 with cause and remedy, nothing of it is written, and all is well afterwards.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from core.model.attempt import State
from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome, SendOutcome
from core.wiring import build
from tests.store.servers import free_port, running
from tests.web.test_live import hear, window
from tests.world import PATIENCE_SECONDS, MovableClock, World, until, world

README = Path(__file__).parents[2] / "core" / "store" / "README.md"


def documented_user(name: str, environment: str) -> list[str]:
    """The words of the README's ACL command, for another name, password and environment."""
    found = re.search(r"^ACL SETUSER verify (.*)$", README.read_text(), re.MULTILINE)
    assert found is not None
    rules = found[1].replace("{live}", f"{{{environment}}}").replace(">password", ">secret")
    return ["ACL", "SETUSER", name, "reset", *rules.split()]


@dataclass
class Room:
    """A product whose user of Redis has the documented rights and no more."""

    at: World
    admin: Any
    rest: httpx.Client
    data: Path


@contextmanager
def product(tmp_path: Path, *options: str) -> Iterator[Room]:
    with (
        running(tmp_path / "redis", *options) as port,
        redis.Redis(port=port, decode_responses=True) as admin,
    ):
        admin.execute_command(*documented_user("app", "sandbox"))
        url = f"redis://app:secret@127.0.0.1:{port}"
        with world(tmp_path / "data", url, MovableClock()) as at:
            bearer = {"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}
            with httpx.Client(
                base_url=f"{at.address}/api/v1", headers=bearer, timeout=PATIENCE_SECONDS
            ) as rest:
                yield Room(at, admin, rest, tmp_path / "redis")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with product(tmp_path_factory.mktemp("faults")) as made:
        yield made


def verify(room: Room) -> None:
    """A whole verification: sent, delivered, guessed at, sent again, approved, in the figures."""
    at, service = room.at, room.at.services.verifications
    verification = at.started(at.number())
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    assert service.check(verification, at.wrong_code(verification)).checks_left == 4
    at.clock.advance(31)
    assert service.resend(verification, grant=OPERATOR, seen=1).outcome is SendOutcome.SENT
    until(lambda: at.look(verification).attempts[1].state is State.DELIVERED)
    approved = service.check(verification, at.code(verification))
    assert approved.outcome is CheckOutcome.APPROVED
    assert room.rest.get("/attempts").status_code == 200
    until(lambda: healthy(room))


def healthy(room: Room) -> bool:
    return room.rest.get("/health").status_code == 200


# What makes Redis refuse. Each context breaks the product's Redis and repairs it at the end.


@contextmanager
def configured(room: Room, name: str, bad: str, good: str) -> Iterator[None]:
    room.admin.config_set(name, bad)
    try:
        yield
    finally:
        room.admin.config_set(name, good)


@contextmanager
def failed_snapshot(room: Room) -> Iterator[None]:
    room.admin.config_set("save", "3600 1")
    (room.data / "dump.rdb").mkdir()
    room.admin.bgsave()
    until(lambda: room.admin.info("persistence")["rdb_last_bgsave_status"] == "err")
    try:
        yield
    finally:
        (room.data / "dump.rdb").rmdir()
        room.admin.config_set("save", "")
        room.admin.bgsave()
        until(lambda: room.admin.info("persistence")["rdb_last_bgsave_status"] == "ok")


@contextmanager
def replica(room: Room) -> Iterator[None]:
    room.admin.replicaof("127.0.0.1", free_port())
    try:
        yield
    finally:
        room.admin.replicaof("NO", "ONE")


@contextmanager
def replica_without_data(room: Room) -> Iterator[None]:
    with configured(room, "replica-serve-stale-data", "no", "yes"), replica(room):
        yield


@contextmanager
def without(room: Room, *rights: str) -> Iterator[None]:
    room.admin.execute_command("ACL", "SETUSER", "app", *rights)
    try:
        yield
    finally:
        room.admin.execute_command(*documented_user("app", "sandbox"))


Fault = Callable[[Room], AbstractContextManager[None]]
FAULTS: dict[str, tuple[str, Fault]] = {
    "MISCONF": ("cannot save", failed_snapshot),
    "NOREPLICAS": (
        "too few replicas",
        lambda room: configured(room, "min-replicas-to-write", "1", "0"),
    ),
    "OOM": ("no memory", lambda room: configured(room, "maxmemory", "1", "0")),
    "READONLY": ("is a replica", replica),
    "MASTERDOWN": ("is a replica", replica_without_data),
    "no write": ("does not allow", lambda room: without(room, "-@write")),
    "no scripts": ("does not allow", lambda room: without(room, "-@scripting")),
    "no keys": ("does not allow", lambda room: without(room, "resetkeys")),
    "keys to read only": (
        "does not allow",
        lambda room: without(room, "resetkeys", "%R~{sandbox}:*"),
    ),
}
CATEGORIES = ("hash", "list", "string", "stream", "sortedset", "keyspace")
COMMANDS = ("lpush", "hset", "xadd", "pexpire", "ltrim", "hmget")
for right in [*(f"@{one}" for one in CATEGORIES), *COMMANDS]:
    FAULTS[f"no {right}"] = ("does not allow", lambda room, r=right: without(room, f"-{r}"))  # type: ignore[misc]


def contents(room: Room, verification: str) -> dict[str, object]:
    """What is written for verifications and budgets, by key."""
    kept = ("verification:", "attempt:", "start:", "sends:", "failures:", "spend:", "refusals:")
    found: dict[str, object] = {}
    for key in sorted(room.admin.scan_iter()):
        if key.split(":v1:")[-1].startswith(kept):
            found[key] = (
                room.admin.dump(key)
                if room.admin.type(key) != "hash"
                else (room.admin.hgetall(key))
            )
    return found


def is_away(answer: httpx.Response, cause: str) -> None:
    assert answer.status_code == 503, answer.text
    problem = answer.json()
    assert problem["code"] == "store_unavailable"
    assert cause in problem["cause"]
    assert problem["remedy"]


def every_write_is_refused_and_leaves_nothing(room: Room, cause: str, fault: Fault) -> None:
    at = room.at
    number, fresh = at.number(), at.number()
    verification = at.started(number)
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    wrong = at.wrong_code(verification)
    at.clock.advance(31)
    at.services.fold.settle()
    before = contents(room, verification)
    with fault(room):
        path = f"/verifications/{verification}"
        is_away(room.rest.post("/verifications", json={"number": fresh}), cause)
        is_away(room.rest.post(f"{path}/checks", json={"code": wrong}), cause)
        is_away(room.rest.post(f"{path}/resend", json={"seen": 1}), cause)
    assert contents(room, verification) == before
    assert at.handset(fresh)["messages"] == []
    assert at.services.verifications.check(verification, wrong).checks_left == 4


def test_the_documented_user_may_do_all_that_the_product_needs(room: Room) -> None:
    room.admin.execute_command("ACL", "LOG", "RESET")
    verify(room)
    room.at.services.probe.check()
    assert room.admin.execute_command("ACL", "LOG") == []
    assert room.at.services.probe.warnings() == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_redis_that_refuses_writes_is_a_503_and_nothing_is_half_written(
    room: Room, name: str
) -> None:
    every_write_is_refused_and_leaves_nothing(room, *FAULTS[name])


@pytest.mark.parametrize("name", ["NOREPLICAS", "OOM", "READONLY"])
def test_figures_are_read_while_redis_takes_no_writes(room: Room, name: str) -> None:
    at, keys, (_, fault) = room.at, room.at.services.keys, FAULTS[name]
    at.started(at.number())
    at.services.fold.settle()
    # In the background, another process has the turn: what follows stays in the journal.
    room.admin.set(keys.fold_turn, "another", px=60_000)
    at.started(at.number())
    with fault(room):
        assert room.admin.xlen(keys.journal) > 0
        assert at.services.queries.seen_dimensions().channels
    room.admin.delete(keys.fold_turn)


@pytest.mark.parametrize("name", ["OOM", "READONLY", "no @stream", "no keys"])
def test_health_says_why_redis_cannot_be_written_and_when_it_can_again(
    room: Room, name: str
) -> None:
    cause, fault = FAULTS[name]
    until(lambda: healthy(room))
    with fault(room):
        until(lambda: not healthy(room))
        is_away(room.rest.get("/health"), cause)
    until(lambda: healthy(room))


def test_health_names_the_commands_that_are_not_allowed(room: Room) -> None:
    with without(room, "-lpush", "-exec"):
        until(lambda: not healthy(room))
        assert "commands EXEC, LPUSH." in room.rest.get("/health").json()["cause"]
    until(lambda: healthy(room))


@pytest.mark.parametrize("right", ["hgetall", "xadd", "hincrby", "rpushx"])
def test_nothing_is_sent_that_could_not_be_booked(room: Room, right: str) -> None:
    at = room.at
    fresh = at.number()
    with without(room, f"-{right}"):
        is_away(room.rest.post("/verifications", json={"number": fresh}), "does not allow")
    assert at.handset(fresh)["messages"] == []
    assert at.start(fresh).outcome is SendOutcome.SENT


def test_without_pub_sub_requests_succeed_and_pages_are_woken_all_the_same(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    with without(room, "resetchannels"):
        verify(room)
        verification = room.at.started(room.at.number("0705"))
        with window(room.at, f"/live/{verification}") as socket:
            # The first wake is that of the beginning; the next ones are looks after a while.
            assert [hear(socket) for _ in range(3)] == ["changed"] * 3
        assert "may not subscribe" in caplog.text
        found = [warning.cause for warning in room.at.services.probe.warnings()]
        assert [cause for cause in found if "Pub/Sub" in cause]


@pytest.mark.parametrize(
    "policy", ["volatile-lru", "volatile-ttl", "allkeys-lru", "allkeys-random"]
)
def test_a_memory_policy_that_drops_keys_is_warned_of_at_the_start(
    room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: str
) -> None:
    settings = room.at.services.settings.model_copy(update={"data_dir": tmp_path})
    with configured(room, "maxmemory-policy", policy, "noeviction"):
        build(settings).close()
    [warned] = [one for one in caplog.records if policy in one.getMessage()]
    assert warned.levelname == "WARNING"
    assert "budgets" in warned.getMessage()
    assert "noeviction" in warned.__dict__["remedy"]


def test_a_good_memory_policy_is_not_warned_of(
    room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build(room.at.services.settings.model_copy(update={"data_dir": tmp_path})).close()
    assert not [one for one in caplog.records if one.name == "core.wiring"]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 16 MB; only root may make one."""
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("a full disk needs root on Linux: it is a small tmpfs")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:  # noqa: S603
        pytest.skip("a full disk needs the right to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


def test_a_full_disk_is_a_503_and_nothing_is_half_written(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk") as disk,
        product(disk, "--appendonly", "yes", "--appendfsync", "everysec") as room,
    ):
        verify(room)

        @contextmanager
        def full(room: Room) -> Iterator[None]:
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(65536)):
                    pass
            with suppress(redis.ResponseError):
                while room.admin.set("filler", "x" * 65536):
                    pass
            try:
                yield
            finally:
                filler.unlink()
                until(lambda: room.admin.info("persistence")["aof_last_write_status"] == "ok")
                room.admin.delete("filler")

        every_write_is_refused_and_leaves_nothing(room, "cannot save", full)
        until(lambda: healthy(room))
        verify(room)
