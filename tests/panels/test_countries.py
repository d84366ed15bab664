"""The table of countries and carriers."""

from math import nan

import pandas as pd

from core.figures.receipts import ReceiptHealth
from core.panels import countries as countries_panel
from core.wording import formats as words
from tests.panels.frames import ZONE, countries, row


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
    frame["receipts"], frame["silent_since"] = ReceiptHealth.ARRIVING, pd.NaT
    table = countries_panel.country_table(frame)
    assert table["place"].tolist() == [
        "Nigeria", "\N{EM SPACE}unknown carrier", "\N{EM SPACE}MTN", "United States",
    ]  # fmt: skip


def test_receipts_are_said_in_words_with_the_time_since_when_they_are_silent() -> None:
    frame = countries(US=(1000, 950), NG=(1000, 800), NP=(1000, 700))
    frame["receipts"] = [ReceiptHealth.SILENT, ReceiptHealth.UNTRUSTED, ReceiptHealth.LATE]
    frame["silent_since"] = pd.to_datetime(["2026-11-24T11:04Z", "NaT", "NaT"], utc=True)
    table = countries_panel.country_table(frame, ZONE).set_index("country")
    assert table["receipts"].to_dict() == {
        "US": "silent since 24 Nov 12:04", "NG": "not to be trusted", "NP": "late",
    }  # fmt: skip
