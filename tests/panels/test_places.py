"""The first places are shown, and the others are summed."""

import pandas as pd

from core.panels.countries import country_table
from core.panels.places import first_places
from tests.panels.frames import countries


def carriers(country: str, *rates: tuple[int, int]) -> pd.DataFrame:
    frame = countries(**{f"C{n}": rate for n, rate in enumerate(rates)})
    names = [(country, name) for name, _ in frame.index]
    frame.index = pd.MultiIndex.from_tuples(names, names=["country", "carrier"])
    return frame


def test_the_first_places_are_those_of_the_whole_table_and_the_others_count_once() -> None:
    frame = pd.concat(
        [
            countries(NG=(300, 150), DE=(400, 390), FR=(90, 80)),
            carriers("NG", (100, 20), (200, 130)),
            carriers("DE", (100, 95), (300, 295)),
        ]
    )
    whole = country_table(frame)
    shown = country_table(first_places(frame, 3))
    assert shown["place"].tolist()[:3] == whole["place"].tolist()[:3]
    others = shown.iloc[-1]
    # Of Germany its carriers, of France itself: it has no known carrier.
    assert (others["place"], others["n"]) == ("Others", 400 + 90)
    assert others["country"] == others["carrier"] == ""
    assert round(others["confirmed"], 1) == round(100 * (390 + 80) / 490, 1)


def test_a_few_places_are_all_shown() -> None:
    frame = countries(NG=(300, 150), DE=(400, 390))
    assert first_places(frame) is frame
