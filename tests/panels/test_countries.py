"""The tables of countries and carriers, and the top issues."""

from math import nan

import pandas as pd
import pytest

from core.figures.rates import Rate
from core.panels import countries as countries_panel
from core.wording import formats as words
from tests.panels.frames import countries, row


def test_the_table_begins_with_what_is_worst_for_certain_and_names_the_countries() -> None:
    table = countries_panel.country_table(countries(US=(1000, 950), NG=(1000, 800), NP=(12, 10)))
    assert table["country"].tolist() == ["NP", "NG", "US"]
    assert table["place"].tolist() == ["Nepal", "Nigeria", "United States"]
    assert list(table.columns) == countries_panel.COUNTRIES
    assert table["bounds"].iloc[1] == words.interval(
        table["low"].iloc[1] / 100, table["high"].iloc[1] / 100
    )
    assert list(countries_panel.country_table(countries()).columns) == countries_panel.COUNTRIES


def test_carriers_stand_below_their_country() -> None:
    index = pd.MultiIndex.from_tuples(
        [("NG", ""), ("US", ""), ("NG", "MTN"), ("NG", "unknown")], names=["country", "carrier"]
    )
    counts = [(1000, 800), (1000, 950), (600, 590), (400, 210)]
    frame = pd.DataFrame(
        [row(requested=n, confirmed=k, started=n, converted=k) for n, k in counts], index=index
    )
    frame["p95_ms"], frame["spark"] = nan, [[1.0]] * 4
    table = countries_panel.country_table(frame)
    assert table["place"].tolist() == [
        "Nigeria", "\N{EM SPACE}unknown carrier", "\N{EM SPACE}MTN", "United States",
    ]  # fmt: skip


def test_issues_are_ranked_by_what_they_cost_and_only_beyond_chance() -> None:
    frame = countries(US=(10_000, 9000), NG=(1000, 500), NP=(12, 9))
    found = countries_panel.issues(frame, Rate(9509, 11_012))
    assert found["place"].tolist() == ["Nigeria"]
    assert found["lost"].iloc[0] == round(1000 * 9509 / 11_012 - 500)
    assert list(countries_panel.issues(frame, Rate(1, 2)).columns) == countries_panel.ISSUES


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((5, 0, 0, 0), "too few"),
        ((100, 90, 0, 80), "handset"),
        ((100, 50, 0, 45), "partial"),
        ((100, 0, 0, 80), "none"),
        ((100, 98, 0, 3), "suspicious"),
    ],
)
def test_receipts_are_judged_by_coverage_and_by_what_people_do(
    counts: tuple[int, int, int, int], said: str
) -> None:
    assert countries_panel.receipts(*counts) == said
