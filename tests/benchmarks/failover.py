"""The product while the primary of its Redis dies: behind a Sentinel, and on a Cluster.

Three threads start verifications and one checks codes, all over the REST API. The replica of the
primary is cut off, soon after the primary is killed, and the traffic goes on until sends and checks
succeed again. Then: only 201, 200, and 503 with a cause; nothing sent twice; no guess counted
twice; what the new primary never received is counted; and figures and attempts agree.

    python -m tests.benchmarks.failover --rounds 5 --sends 300
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from redis.crc import key_slot

from core.figures.catalogue import COLUMNS
from core.figures.layout import Cube, Tier
from core.figures.ranges import Piece
from core.figures.slot_reader import SlotReader
from core.model.attempt import State
from core.model.clock import to_ms
from tests.store.servers import Node, cut_off, running_pair, running_shards
from tests.world import MovableClock, World, until, world

SENDERS = 3
KEPT = 12
NO_LIMITS: dict[str, Any] = {
    "sandbox_budgets": "warn",
    "api_requests_per_minute": 1_000_000,
    "sends_per_prefix_per_hour": 1_000_000,
    "sends_per_country_per_hour": 1_000_000,
}


@contextmanager
def rest_of(at: World) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}
    with httpx.Client(base_url=f"{at.address}/api/v1", headers=headers, timeout=20) as rest:
        yield rest


def url_of(nodes: list[Node]) -> str:
    return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in nodes)}"


def pair_of_sandbox(nodes: list[Node]) -> tuple[Node, Node]:
    """The primary that has the keys of the sandbox, and its replica."""
    slot = key_slot(b"{sandbox}")
    by_port = {node.port: node for node in nodes}
    for first, last, primary, replica in nodes[0].command("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return by_port[primary[1]], by_port[replica[1]]
    raise AssertionError("no node has the slot")


def figures(at: World) -> dict[str, int]:
    """The figures of today, over all channels."""
    at.services.fold.settle()
    reader = SlotReader(at.services.client, at.services.connection.raw, at.services.keys)
    now_ms = to_ms(at.clock.now())
    day = Piece(Tier.DAY, now_ms // Tier.DAY.slot_ms * Tier.DAY.slot_ms, 1)
    series = reader.series(Cube.CHANNEL, 0)
    sums = reader.counters(Cube.CHANNEL, series, [day]).sum(axis=(0, 1)) if series else [0]
    return dict(zip(COLUMNS, (int(value) for value in sums), strict=False))


REQUESTED = State.REQUESTED.value


@dataclass
class Traffic:
    """What was asked of the product while its Redis failed over, and the answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    #: Numbers of all starts, ids of the confirmed ones.
    numbers: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    #: Checks that were asked, and approvals, by verification.
    checks: Counter[str] = field(default_factory=Counter)
    approvals: Counter[str] = field(default_factory=Counter)
    causes: set[str] = field(default_factory=set)

    def ask(self, rest: httpx.Client, path: str, body: dict[str, str]) -> dict[str, Any]:
        answer = rest.post(path, json=body)
        self.statuses[answer.status_code] += 1
        result: dict[str, Any] = answer.json()
        if answer.status_code == 503:
            self.causes.add(result["cause"])
        return result if answer.is_success else {}

    def start(self, rest: httpx.Client, number: str) -> str | None:
        self.numbers.append(number)
        result = self.ask(rest, "/verifications", {"number": number})
        if not result:
            return None
        verification = str(result["verification"]["id"])
        self.sent.append(verification)
        return verification

    def check(self, rest: httpx.Client, verification: str, code: str) -> bool:
        """Whether there was an answer."""
        self.checks[verification] += 1
        result = self.ask(rest, f"/verifications/{verification}/checks", {"code": code})
        self.approvals[verification] += result.get("outcome") == "approved"
        return bool(result)


def fail_over(directory: Path, url: str, primary: Node, *, sends: int = 0) -> dict[str, Any]:
    """Cut the replica off after so many sends, kill the primary, check everything, and return what
    happened."""
    with world(directory, url, MovableClock(), **NO_LIMITS) as at, rest_of(at) as rest:
        traffic = Traffic()
        # Known to the replica.
        kept = [traffic.start(rest, at.number()) for _ in range(KEPT)]
        until(lambda: figures(at).get("delivered") == KEPT)
        at.services.ledger.losses.run()
        until(lambda: primary.client.wait(1, 1000) == 1)
        codes = {name: (at.code(name), at.wrong_code(name)) for name in kept if name}
        recovered = defaultdict[str, int](int)
        is_dead, is_over = threading.Event(), threading.Event()

        def send() -> None:
            while not is_over.is_set():
                recovered["sends"] += bool(traffic.start(rest, at.number())) and is_dead.is_set()

        def check() -> None:
            while not is_over.is_set():
                for name in kept[1:]:
                    assert name
                    has_answer = traffic.check(rest, name, codes[name][traffic.checks[name] < 2])
                    recovered["checks"] += has_answer and is_dead.is_set()

        with ThreadPoolExecutor() as threads:
            work = [threads.submit(task) for task in (*[send] * SENDERS, check)]
            try:
                until(lambda: len(traffic.sent) >= sends + KEPT, patience=120)
                # Soon: a Sentinel promotes no replica that was cut off for five seconds.
                cut_off(primary)
                assert kept[0]
                assert traffic.check(rest, kept[0], codes[kept[0]][0])
                until(lambda: len(traffic.sent) > sends + KEPT + 8)
                primary.process.kill()
                primary.process.wait()
                is_dead.set()
                died = time.monotonic()
                until(lambda: recovered["sends"] > 5 and recovered["checks"] > 5, patience=60)
                seconds = time.monotonic() - died
            finally:
                is_over.set()
        for task in work:
            task.result()

        # For seconds, 503 with a cause; never 500.
        assert set(traffic.statuses) <= {200, 201, 503}
        assert traffic.statuses[503]
        assert all(traffic.causes)
        # Nothing went out twice, and no guess was counted twice.
        assert max(len(at.handset(number)["messages"]) for number in traffic.numbers) == 1
        for name in kept:
            assert name
            left = at.look(name).verification.checks_left
            assert 5 - left <= traffic.checks[name]
        # What the new primary never received is counted.
        at.services.ledger.losses.run()
        counters = at.services.ledger.counters()
        missing = [name for name in traffic.sent if at.services.verifications.look(name) is None]
        assert len(missing) >= 1
        unanswered = len(traffic.numbers) - len(traffic.sent)
        assert len(missing) <= counters["lost_attempt"] <= len(missing) + unanswered
        twice = [name for name, count in traffic.approvals.items() if count > 1]
        assert counters["lost_approval"] >= 1
        assert sum(traffic.approvals.values()) - len(twice) <= KEPT
        assert len(twice) <= counters["lost_approval"]
        # Attempts and figures agree.
        client: Any = at.services.client

        def difference() -> dict[str, int]:
            stored = client.zrange(at.services.keys.recent, 0, -1)
            # An attempt is counted with the event after its request. Where that event and its
            # callbacks met the failover, Plivo sends a callback again after a minute.
            states = [
                state
                for name in stored
                if (state := client.hgetall(at.services.keys.attempt(name)))["state"] != REQUESTED
            ]
            counted = figures(at)
            in_attempts = {
                "requested": len(states),
                "delivered": sum("delivered_ms" in state for state in states),
                "verified": sum("verified_ms" in state for state in states),
            }
            return {
                name: int(counted[name]) - number
                for name, number in in_attempts.items()
                if counted[name] != number
            }

        with suppress(AssertionError):
            until(lambda: not difference())
        differences = difference()
        assert not differences, f"{differences} more in the figures than in the attempts"
        return {
            "seconds": round(seconds, 1),
            "statuses": dict(traffic.statuses),
            "missing": len(missing),
            "lost_attempt": counters["lost_attempt"],
            "approved_twice": len(twice),
            "lost_approval": counters["lost_approval"],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each kind")
    parser.add_argument("--sends", type=int, default=300, help="before the replica is cut off")
    chosen = parser.parse_args()
    seconds: dict[str, list[float]] = {"cluster": [], "sentinel": []}
    for number in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            with running_shards(path / "shards") as nodes:
                primary, _ = pair_of_sandbox(nodes)
                result = fail_over(path / "1", url_of(nodes), primary, sends=chosen.sends)
            sys.stdout.write(f"cluster {number}: {json.dumps(result)}\n")
            seconds["cluster"].append(result["seconds"])
            with running_pair(path / "pair", "codes") as (pair, url):
                result = fail_over(path / "2", url, pair[0], sends=chosen.sends)
            sys.stdout.write(f"sentinel {number}: {json.dumps(result)}\n")
            seconds["sentinel"].append(result["seconds"])
    sys.stdout.write(
        json.dumps({f"{kind}_s": max(spans) for kind, spans in seconds.items()}) + "\n"
    )


if __name__ == "__main__":
    main()
