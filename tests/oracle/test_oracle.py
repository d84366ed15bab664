"""Every shown figure equals what plain pandas computes from the same events.

A long run: `pytest tests/oracle --seed 7 --traffic 200 --queries 1000 --timeout 0`.
"""

import random
from pathlib import Path

import pytest

from tests.oracle.cases import cases_of
from tests.oracle.expected import Expected
from tests.oracle.generator import make_traffic
from tests.oracle.product import product
from tests.oracle.reading import Differences, Reader


def test_every_shown_figure_is_that_of_the_events(
    own_database: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seed, size, queries = (
        int(pytestconfig.getoption(name)) for name in ("--seed", "--traffic", "--queries")
    )
    traffic, rng = make_traffic(seed, size), random.Random(seed)
    differences = Differences()
    with product(tmp_path, own_database) as shown:
        for number, look in enumerate(traffic.looks):
            events = [event for event in traffic.events if event["look"] == number]
            shown.stand_at(look)
            shown.receive(events)
            true = Expected([event for event in traffic.events if event["look"] <= number])
            for case in cases_of(look, rng, queries):
                reader = Reader(rng.choice(shown.processes), true, differences)
                reader.read(case, files=rng.random() < 0.2)
    assert differences.compared > 0
    head = f"seed {seed}: {len(differences.found)} of {differences.compared} are wrong"
    lines = [str(differences.by_figure.most_common(60)), *differences.found[:200]]
    assert not differences.found, "\n".join([head, *lines])
