"""The view that a click on a cause opens."""

from dataclasses import replace
from datetime import timedelta

from core.figures.ranges import Preset
from core.panels.findings import cause_values
from core.panels.query_state import EVERY, parse_query_state
from tests.panels.frames import NOW
from tests.wording.test_findings import LOSES


def test_a_cause_sets_the_filters_of_its_place_and_a_range_that_reaches_back() -> None:
    state = parse_query_state({"range": "24h"}, NOW, "UTC")
    filters = {"channel": EVERY, "country": "ID", "carrier": "Telkomsel"}
    recent = replace(LOSES, since=NOW - timedelta(hours=2))
    assert cause_values(recent, state, NOW) == filters
    assert cause_values(LOSES, state, NOW) == filters | {"range": Preset.WEEK}
    old = replace(LOSES, since=NOW - timedelta(days=20))
    assert cause_values(old, state, NOW) == filters | {"range": Preset.MONTH}
