"""Every shown figure equals what plain pandas computes from the same events.

A long run: `pytest -n 0 tests/oracle --seed 7 --traffic 100 --queries 156 -o timeout=3600`.
156 queries at each look are all pairs of a range and a filter.
"""

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.oracle.cases import Cases
from tests.oracle.expected import Expected
from tests.oracle.generator import DAY, make_traffic
from tests.oracle.product import product
from tests.oracle.reading import Differences, Reader
from tests.oracle.served import RestReader, Scrapes

#: Of the queries of the page, those whose files are read, and those that are also sent to REST.
FILES, REST = 0.2, 0.2


def test_every_shown_figure_is_that_of_the_events(
    own_database: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seed, size, queries = (
        int(pytestconfig.getoption(name)) for name in ("--seed", "--traffic", "--queries")
    )
    traffic, rng = make_traffic(seed, size), random.Random(seed)  # noqa: S311
    differences, true = Differences(), Expected()
    cases = Cases(rng)
    counted: dict[int, Counter[str]] = {}
    with product(tmp_path, own_database) as shown:
        scrapes = Scrapes(shown, differences)
        for number, look in enumerate(traffic.looks):
            events = [event for event in traffic.events if event["look"] == number]
            shown.stand_at(look)
            shown.receive(events)
            day = counted.setdefault(look.now_ms // DAY, Counter())
            day.update(true.add_all(events))
            for case in cases.at(look, queries):
                reader = Reader(rng.choice(shown.processes), true, differences)
                reader.read(case, files=rng.random() < FILES)
                if rng.random() < REST:
                    RestReader(shown, true, differences).read(case)
            scrapes.read(look, true, day)
    assert differences.compared > 0
    assert not differences.found, differences.report(f"seed {seed}")
