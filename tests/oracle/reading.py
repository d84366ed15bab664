"""Reads what the product shows for a query, and collects every difference from what is expected."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from core.figures.queries import Filters
from core.panels.countries import country_table
from core.panels.export import csv_of, parquet_of
from core.panels.figures import ShownRange, figures, table
from core.panels.query_state import QueryState, parse_query_state
from core.panels.tables import cost_table, error_table, funnel_table, legs_table, rescue_table
from core.services import Services
from tests.oracle import expected as truth
from tests.oracle.cases import Case
from tests.oracle.expected import COUNTS, Expected

#: A percentile is read from bins that are 9 % wide.
BIN = 0.0451
#: In the name of a figure: which row.
_DETAIL = re.compile(r" (\d+|\(.*\))(?=\[)")
CHANNELS = {"sms": "SMS", "voice": "Call", "phlo": "PHLO"}


class Differences:
    """What is not as expected, with the query and the figure."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.by_figure: Counter[str] = Counter()
        self.compared = 0

    def equal(self, case: object, figure: str, is_shown: Any, is_expected: Any) -> None:
        self.compared += 1
        if not _same(is_shown, is_expected):
            self.by_figure[_DETAIL.sub("", figure)] += 1
            self.found.append(f"{case}: {figure}: shown {is_shown!r}, expected {is_expected!r}")

    def mappings(
        self, case: object, figure: str, shown: Mapping[Any, Any], expected: Mapping[Any, Any]
    ) -> None:
        """Compare cell by cell; a cell that one of them lacks is a difference too."""
        if shown == expected:
            self.compared += len(expected)
            return
        for key in {**expected, **shown}:
            self.equal(case, f"{figure}[{key}]", shown.get(key), expected.get(key))

    def table(self, case: object, figure: str, shown: pd.DataFrame, expected: pd.DataFrame) -> None:
        """The same for tables of numbers by the same keys, in any order."""
        if set(shown.columns) == set(expected.columns) and set(shown.index) == set(expected.index):
            is_same = shown.loc[expected.index, expected.columns].to_numpy() == expected.to_numpy()
            if is_same.all():
                self.compared += expected.size
                return
        rows, true = shown.to_dict("index"), expected.to_dict("index")
        for key in {**rows, **true}:
            if key not in rows or key not in true:
                is_shown = "a row" if key in rows else "no row"
                self.equal(case, f"{figure} {key}", is_shown, "a row" if key in true else "no row")
            else:
                self.mappings(case, f"{figure} {key}", rows[key], true[key])


def _same(shown: Any, expected: Any) -> bool:
    if isinstance(expected, float) and isinstance(shown, (int, float, np.number)):
        if isnan(expected) or isnan(float(shown)):
            return isnan(expected) and isnan(float(shown))
        return abs(float(shown) - expected) <= 1e-9 * max(1.0, abs(expected))
    return bool(shown == expected)


class Reader:
    """Compares what one process shows with the truth. `true` holds all events up to the look."""

    def __init__(self, services: Services, true: Expected, differences: Differences) -> None:
        self._queries = services.queries
        self._reads_files = False
        self._true = true
        self._all = differences

    def read(self, case: Case, *, files: bool) -> None:
        """Compare one query; with `files` also what its downloads hold."""
        self._reads_files = files
        state = parse_query_state(case.values, case.look.now, None)
        self._range(case, state)
        rows = self._rows(case, state)
        before = self._rows(case, state, of="before") if state.before else None
        self._totals(case, state, rows)
        self._steps(case, state, rows)
        self._channels(case, state, rows)
        self._countries(case, state, rows)
        self._errors(case, state, rows, before)
        self._times(case, state, rows)
        self._cards(case, state, rows, before)

    def _rows(self, case: Case, state: QueryState, of: str = "range") -> pd.DataFrame:
        period = getattr(state, of)
        return self._true.within(_ms(period.start), _ms(period.end), case.place)

    def _range(self, case: Case, state: QueryState) -> None:
        self._all.equal(case, "range", (_ms(state.range.start), _ms(state.range.end)), case.asked)
        if state.before and case.comparison == "previous":
            self._all.equal(
                case, "length of the range before", state.before.length, state.range.length
            )

    def _totals(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        shown = self._queries.totals(state.range, state.filters).to_dict()
        self._all.mappings(case, "totals", shown, truth.totals(rows))
        if state.before:
            shown = self._queries.totals(state.before, state.filters).to_dict()
            expected = truth.totals(self._rows(case, state, of="before"))
            self._all.mappings(case, "totals before", shown, expected)

    def _steps(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        frame = self._queries.over_time(state.range, state.filters, state.zone)
        starts = [_ms(moment) for moment in frame.index]
        # The last step ends with the range at the earliest.
        edges = [*starts, max(_ms(state.range.end), starts[-1] + 1)]
        expected = truth.by_step(rows, edges)
        shown = frame.drop(columns="complete").set_axis(starts)
        self._all.table(case, "step", shown, expected)
        if self._reads_files:
            back = pd.read_parquet(io.BytesIO(parquet_of(frame)))
            self._all.equal(case, "Parquet", bool(back.equals(frame)), True)
        self._csv(case, "over time", frame.reset_index())

    def _channels(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        frame = self._queries.by_channel(state.range, state.filters)
        frame = frame[frame.any(axis=1)]
        self._all.table(case, "by channel", frame, truth.by_channel(rows))
        for name, made in (
            ("funnel", funnel_table(frame)),
            ("rescue", rescue_table(frame)),
            ("cost", cost_table(frame)),
        ):
            self._csv(case, name, made)

    def _countries(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        frame = self._queries.by_country(state.range, state.filters)
        table = frame[(frame[[n for n in COUNTS if n in frame]] != 0).any(axis=1)]
        expected = truth.by_country(rows)
        if case.place.carrier is not None:
            expected = expected[expected.index.get_level_values("carrier") != ""]
        self._all.table(case, "by country", table.drop(columns=["spark", "p95_ms"]), expected)
        self._csv(case, "countries", country_table(frame))

    def _errors(
        self, case: Case, state: QueryState, rows: pd.DataFrame, before: pd.DataFrame | None
    ) -> None:
        frame = self._queries.errors(state.range, state.filters, state.before)
        counts, previous = frame["count"].to_dict(), frame["previous"].to_dict()
        self._all.mappings(
            case, "errors", {k: n for k, n in counts.items() if n}, truth.errors(rows)
        )
        if before is not None:
            shown = {k: n for k, n in previous.items() if n}
            self._all.mappings(case, "errors before", shown, truth.errors(before))
        self._csv(case, "errors", error_table(frame))

    def _times(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        from core.figures.catalogue import Leg
        from core.figures.packing import UPPER_MS

        for leg in Leg:
            histogram = self._queries.histogram(state.range, state.filters, leg)
            took = truth.durations(rows, str(leg)).to_numpy()
            shown = dict(enumerate(histogram.cumsum().tolist()))
            expected = np.searchsorted(took, UPPER_MS + 1e-6, side="right").tolist()
            self._all.mappings(case, f"histogram {leg}", shown, dict(enumerate(expected)))
            self._all.equal(case, f"histogram {leg} n", int(histogram.sum()), len(took))
        heat = self._queries.heatmap(state.range, state.filters, zone=state.zone)
        self._all.equal(
            case, "heatmap n", int(heat.to_numpy().sum()), len(truth.durations(rows, "ttd"))
        )
        self._csv(case, "legs", legs_table(self._queries.totals(state.range, state.filters)))

    def _cards(
        self, case: Case, state: QueryState, rows: pd.DataFrame, before: pd.DataFrame | None
    ) -> None:
        queries = self._queries

        def shown(period: Any) -> ShownRange:
            return ShownRange(
                queries.totals(period, state.filters), queries.histogram(period, state.filters)
            )

        steps = queries.over_time(state.range, state.filters, state.zone)
        heat = queries.heatmap(state.range, state.filters, zone=state.zone).to_numpy()
        cards = {
            card.name: card
            for card in figures(
                shown(state.range), shown(state.before) if state.before else None, steps, heat
            )
        }
        sums = truth.totals(rows)
        for name, k, n in (
            ("Confirmed", "confirmed", "requested"),
            ("Within 30 s", "within_30", "requested"),
            ("Conversion", "converted", "started"),
        ):
            card = cards[name]
            self._all.equal(case, f"card {name} n", card.n, sums[n])
            if sums[n] >= 10:
                low, high = truth.wilson(sums[k], sums[n])
                self._all.equal(case, f"card {name}", card.number, sums[k] / sums[n])
                self._all.equal(case, f"card {name} low", card.low, low)
                self._all.equal(case, f"card {name} high", card.high, high)
                self._all.equal(
                    case, f"card {name} text", card.value, f"{100 * sums[k] / sums[n]:.1f} %"
                )
        self._all.equal(case, "card Pending", cards["Pending"].value, f"{sums['pending']:,}")
        self._all.equal(case, "card Attempts", cards["Attempts"].value, f"{sums['requested']:,}")
        took = truth.durations(rows, "ttd").to_numpy()
        p95 = truth.quantile(took, 0.95)
        number = cards["p95 time to deliver"].number
        if isnan(p95) or isnan(number):
            self._all.equal(case, "card p95", number, p95)
        else:
            self._all.equal(case, "card p95", abs(number / max(p95, 1) - 1) < BIN, True)
        self._csv(case, "figures", table(list(cards.values())))

    def _csv(self, case: Case, name: str, frame: pd.DataFrame) -> None:
        """Every cell of the file is that of the frame."""
        if not self._reads_files:
            return
        text = csv_of(frame).decode("utf-8-sig")
        header, *lines = csv.reader(io.StringIO(text, newline=""))
        self._all.equal(case, f"CSV {name} columns", header, list(frame.columns))
        self._all.equal(case, f"CSV {name} rows", len(lines), len(frame))
        for column, cells in zip(frame.columns, zip(*lines, strict=True), strict=False):
            for cell, value in zip(cells, frame[column].tolist(), strict=False):
                if not _text_is(cell, value):
                    self._all.equal(case, f"CSV {name}[{column}]", cell, value)
            self._all.compared += len(cells)


def _text_is(text: str, value: Any) -> bool:
    """Whether the text of a file is that value."""
    if isinstance(value, list):
        return text == " ".join(str(item) for item in value)
    if isinstance(value, pd.Timestamp):
        return pd.Timestamp(text) == value
    if isinstance(value, (bool, np.bool_)):
        return text == str(bool(value))
    if isinstance(value, (int, float, np.number)):
        return text == "" if isnan(float(value)) else float(text) == float(value)
    return text.removeprefix("'") == value


def _ms(moment: Any) -> int:
    return round(moment.timestamp() * 1000)


def filters_of(case: Case) -> Filters:
    return Filters(case.place.channel, case.place.country, case.place.carrier)
