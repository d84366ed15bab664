"""A Cluster and Sentinels: the product works there, and a primary that dies costs seconds of 503.

Three primaries with a replica each, and a primary with a replica behind a Sentinel. All traffic
comes over the REST API. Before the primary dies its replica is cut off, so that what the new
primary never received is known.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.reset.kinds import ResetKind
from core.store.changes import ChangeChannel
from tests.benchmarks.failover import (
    NO_LIMITS,
    fail_over,
    figures,
    pair_of_sandbox,
    rest_of,
    url_of,
)
from tests.store.servers import Node, running_pair, running_shards
from tests.world import MovableClock, until, world


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    with running_shards(tmp_path_factory.mktemp("shards")) as nodes:
        yield nodes


def test_everything_works_on_a_cluster(shards: list[Node], tmp_path: Path) -> None:
    with (
        world(tmp_path, url_of(shards), MovableClock(), **NO_LIMITS) as at,
        rest_of(at) as rest,
        ChangeChannel(at.services.client, at.services.keys.changes).subscription() as changes,
    ):
        assert rest.get("/health").status_code == 200
        number = at.number()
        answer = rest.post("/verifications", json={"number": number})
        assert answer.status_code == 201, answer.text
        verification = answer.json()["verification"]["id"]
        path = f"/verifications/{verification}"
        until(lambda: rest.get(path).json()["attempts"][0]["state"] == "delivered")
        assert until(lambda: changes.get_message(timeout=1))["data"] == verification
        wrong = rest.post(f"{path}/checks", json={"code": at.wrong_code(verification)})
        assert wrong.json() == {"outcome": "wrong_code", "checks_left": 4}
        # The open connections are to the old primary, which answers MOVED.
        _, replica = pair_of_sandbox(shards)
        replica.command("CLUSTER", "FAILOVER")
        until(lambda: replica.command("ROLE")[0] == "master")
        right = rest.post(f"{path}/checks", json={"code": at.code(verification)})
        assert right.json() == {"outcome": "approved", "checks_left": 3}
        counted = figures(at)
        assert [counted[name] for name in ("requested", "delivered", "verified")] == [1, 1, 1]
        # The other pipelines: tokens, invites, the list of attempts, alerts, the log and the reset.
        at.services.reports().alerts.check()
        assert at.services.log_sync.run() is not None
        assert at.services.reset.run(frozenset(ResetKind))
        assert rest.get(path).status_code == 404


@pytest.mark.parametrize("kind", ["cluster", "sentinel"])
def test_a_primary_that_dies_costs_seconds_and_what_is_lost_is_counted(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as opened:
        if kind == "cluster":
            nodes = request.getfixturevalue("shards")
            url, (primary, _) = url_of(nodes), pair_of_sandbox(nodes)
        else:
            pair, url = opened.enter_context(running_pair(tmp_path / "pair", "codes"))
            primary = pair[0]
        fail_over(tmp_path / "world", url, primary)
