"""The main numbers of the closed questions."""

import pandas as pd
import pytest

from core.figures.catalogue import QUERY_COLUMNS
from core.figures.filters import ALL, Filters
from core.panels import answers


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (ALL, "30 x 4"),
        (Filters("sms", "ID"), "30 x 4"),
        (Filters(None, "ID", "XL/Axiata"), "30 x 4 (all carriers of Indonesia)"),
    ],
)
def test_a_number_that_is_not_kept_by_carrier_says_whose_it_is(
    filters: Filters, words: str
) -> None:
    assert answers.with_scope("30 x 4", filters) == words


def test_places_are_those_of_the_range() -> None:
    assert answers.places(1, ALL) == "1 country"
    assert answers.places(0, Filters("sms")) == "0 countries"
    assert answers.places(2, Filters(None, "ID")) == "Indonesia: 2 carriers"


@pytest.mark.parametrize(
    ("priced", "micros", "words"),
    [(100, 5_000_000, "$5.00"), (60, 3_000_000, "\N{GREATER-THAN OR EQUAL TO} $3.00"),
     (0, 0, "no price yet"), (100, 0, "$0")],
)  # fmt: skip
def test_a_cost_with_missing_prices_is_at_least_that(priced: int, micros: int, words: str) -> None:
    totals = pd.Series(0, index=QUERY_COLUMNS)
    totals["requested"], totals["priced"], totals["cost_micros"] = 100, priced, micros
    assert answers.cost(totals) == words
