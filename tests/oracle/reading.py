"""Reads what the product shows for a query, and collects every difference from what is expected."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from core.figures.catalogue import Leg
from core.figures.filters import Filters
from core.figures.packing import UPPER_MS
from core.figures.ranges import Range, read_range
from core.figures.selection import histogram_tiers
from core.panels.countries import country_table
from core.panels.export import csv_of, parquet_of
from core.panels.figure_inputs import read_inputs
from core.panels.figures import Figure, figures, table
from core.panels.headings import heading
from core.panels.query_state import QueryState, parse_query_state
from core.panels.tables import cost_table, error_table, funnel_table, legs_table, rescue_table
from core.services import Services
from tests.oracle import expected as truth
from tests.oracle import tables
from tests.oracle.cases import Case
from tests.oracle.expected import ALL, COUNTS, Expected, Place
from tests.oracle.generator import DAY, HOUR, MINUTE, SECOND

#: A percentile is read from bins that are 9 % wide.
BIN = 0.0451
#: In the name of a figure: which row.
_DETAIL = re.compile(r" (\d+|\(.*\))(?=\[)|\[[^a-z].*\]")
_MOST = 60
ENOUGH = 10
#: How old an attempt must be for a rate: 30 s, or the life of a code.
CODE_LIFE = 300 * SECOND
RIPE_MS = {"confirmed": CODE_LIFE, "within_30": 30 * SECOND, "converted": CODE_LIFE}
#: Ranges of whole days of the zone, which are compared with the same hours of earlier days.
_DAYS = {"today": 1, "yesterday": 1, "7d": 7, "30d": 30, "90d": 90}
_HOURS = {"15m": HOUR // 4, "1h": HOUR, "6h": 6 * HOUR, "24h": DAY}
_LENGTHS = _HOURS | {name: days * DAY for name, days in _DAYS.items()}
#: How far back the start of a range is compared.
BACK = (
    {(name, "previous"): length for name, length in _LENGTHS.items()}
    | {(name, "weekday"): -(-length // (7 * DAY)) * 7 * DAY for name, length in _LENGTHS.items()}
    | {(name, "year"): 364 * DAY for name in _LENGTHS}
)
#: How fine a moment can be read, by its age at most; then by days, UTC.
KEPT = ((48 * HOUR, MINUTE), (100 * DAY, 15 * MINUTE))


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

    def report(self, head: str) -> str:
        lines = [f"{n} × {figure}" for figure, n in self.by_figure.most_common()]
        wrong = f"{head}: {len(self.found)} of {self.compared} cells are wrong"
        return "\n".join([wrong, *lines[:_MOST], *self.found[: 3 * _MOST]])

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
        self._true = true
        self._all = differences
        self._reads_files = False

    def read(self, case: Case, *, files: bool) -> None:
        """Compare one query; with `files` also what its downloads hold."""
        self._reads_files = files
        state = parse_query_state(case.values, case.look.now, None)
        read = _span(state.range_read)
        self._all.equal(case, "range", _span(state.range), case.asked)
        check_read(self._all, case, "range read", read)
        rows = self._true.within(*read, case.place)
        self._all.mappings(
            case, "totals", self._sums(state.range, state.filters), truth.totals(rows)
        )
        self._compared(case, state)
        self._steps(case, state, rows)
        self._channels(case, state, rows)
        self._countries(case, state, rows)
        self._times(case, state)
        self._cards(case, state, rows)

    def _sums(self, period: Range, filters: Filters) -> dict[str, int]:
        sums = self._queries.totals(period, filters)
        return {str(name): int(value) for name, value in sums.items()}

    def _compared(self, case: Case, state: QueryState) -> None:
        """The two ranges of a change, and their errors."""
        pair = self._queries.compared(state.range, state.comparison, state.zone)
        spans = (_span(pair.now), _span(pair.before)) if pair else None
        check_compared(self._all, case, spans, self._true)
        now = pair.now if pair else state.range
        frame = self._queries.errors(now, state.filters, pair.before if pair else None)
        parts = [("count", _span(now) if pair else _span(state.range_read))]
        if pair:
            parts.append(("previous", _span(pair.before)))
            before = truth.totals(self._true.within(*_span(pair.before), case.place))
            self._all.mappings(
                case, "totals before", self._sums(pair.before, state.filters), before
            )
        for name, span in parts:
            shown = {key: n for key, n in frame[name].to_dict().items() if n}
            rows = self._true.within(*span, case.place.of_all_carriers)
            self._all.mappings(case, f"errors {name}", shown, truth.errors(rows))
        self._csv(case, "errors", error_table(frame))

    def _steps(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        frame = self._queries.over_time(state.range, state.filters, state.zone)
        starts = [_ms(moment) for moment in frame.index]
        ends = [*starts[1:], max(_ms(state.range_read.end), starts[-1] + 1)]
        expected = truth.by_step(rows, [*starts, ends[-1]])
        shown = frame.select_dtypes("number").set_axis(starts)
        self._all.table(case, "step", shown, expected)
        self._all.equal(case, "first step", starts[0], _ms(state.range_read.start))
        self._all.equal(
            case, "sum of the steps", int(shown["requested"].sum()), int(rows["requested"].sum())
        )
        for name, age in (("complete", 0), *((f"{n}_ripe", age) for n, age in RIPE_MS.items())):
            are = [end <= case.look.now_ms - age for end in ends[:-1]]
            self._all.equal(case, f"steps {name}", frame[name].tolist()[:-1], are)
        if len(starts) > 2 and (width := _step_width(case)):
            # Where clocks change, an hour or a day may be shorter or longer.
            is_as_wide = abs(ends[1] - starts[1] - width) <= (HOUR if width > 20 * MINUTE else 0)
            self._all.equal(case, "width of a step", is_as_wide or ends[1] - starts[1], True)
        if len(frame) > 2 and ends[1] - starts[1] > 20 * HOUR:
            hours = {moment.strftime("%H:%M") for moment in frame.index[1:]}
            # Where clocks change at midnight, a day begins at one.
            self._all.equal(
                case, "steps of days", hours - {"01:00"}, {"00:00"} - ({"00:00"} - hours)
            )
        if self._reads_files:
            back = pd.read_parquet(io.BytesIO(parquet_of(frame)))
            self._all.equal(case, "Parquet", bool(back.equals(frame)), True)
        self._csv(case, "over_time", frame.reset_index())

        # The third rate is of the same age as the first.
        for measure, age in islice(RIPE_MS.items(), 2):
            frame = self._queries.over_time(state.range, state.filters, state.zone, measure)
            shown = frame.select_dtypes("number").set_axis(starts)
            old = self._ripe(case, measure, state)
            self._all.table(
                case, f"step of {measure}", shown, truth.by_step(old, [*starts, ends[-1]])
            )
            are = [end <= case.look.now_ms - age for end in ends[:-1]]
            self._all.equal(case, f"complete for {measure}", frame["complete"].tolist()[:-1], are)

    def _channels(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        queries, ripe = self._queries, self._ripe(case, "", state)
        frame = queries.by_channel(state.range, state.filters)
        self._all.table(case, "by channel", frame[frame.any(axis=1)], truth.by_channel(rows))
        old = queries.by_channel(queries.ripe(state.range), state.filters)
        sums = tables.by_channel(ripe)
        for name, key, shown, expected in (
            ("funnel", "channel", funnel_table(old), tables.funnel(sums)),
            ("rescue", "channel", rescue_table(old), tables.rescue(sums)),
            ("cost", "channel", cost_table(frame, old), tables.cost(tables.by_channel(rows), sums)),
            ("parts", "leg", self._legs(state), tables.legs(ripe)),
        ):
            self._cells(case, name, shown.set_index(key).to_dict("index"), expected)
            self._csv(case, name, shown)

    def _legs(self, state: QueryState) -> pd.DataFrame:
        ripe = self._queries.ripe(state.range)
        return legs_table(self._queries.totals(ripe, state.filters))

    def _countries(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        frame = self._queries.by_country(state.range, state.filters)
        has_any = (frame[[name for name in COUNTS if name in frame]] != 0).any(axis=1)
        expected = truth.by_country(rows)
        if case.place.carrier is not None:
            expected = expected[expected.index.get_level_values("carrier") != ""]
        numbers = frame[has_any].select_dtypes("int")
        self._all.table(case, "by country", numbers, expected)
        old = self._queries.by_country(self._queries.ripe(state.range), state.filters)
        shown = country_table(old)
        cells = tables.countries(self._ripe(case, "", state))
        if case.place.carrier is not None:
            cells = {place: row for place, row in cells.items() if place[1]}
        keyed = shown.set_index(["country", "carrier"]).to_dict("index")
        self._cells(case, "countries", keyed, cells)
        self._csv(case, "countries", shown)

    def _cells(self, case: Case, name: str, shown: Any, expected: Any) -> None:
        """Compare the cells of a table that are expected; rows without attempts may be shown."""
        for key, row in expected.items():
            cells = shown.get(key, {})
            for column, value in row.items():
                self._all.equal(case, f"table {name}[{column}]", cells.get(column), value)

    def _times(self, case: Case, state: QueryState) -> None:
        now = case.look.now
        for leg in Leg:
            histogram = self._queries.histogram(state.range, state.filters, leg)
            read = read_range(state.range, now, histogram_tiers(leg, state.filters))
            rows = self._true.within(*_span(read), case.place.of_all_carriers)
            took = truth.durations(rows, leg).to_numpy()
            shown = dict(enumerate(histogram.cumsum().tolist()))
            expected = np.searchsorted(took, UPPER_MS + 1e-6, side="right").tolist()
            self._all.mappings(case, f"histogram {leg}", shown, dict(enumerate(expected)))
            if leg is Leg.TTD:
                heat = self._queries.heatmap(state.range, state.filters, zone=state.zone)
                starts = [_ms(moment) for moment in heat.index]
                edges = [*starts, max(_ms(read.end), starts[-1] + 1)]
                expected = truth.by_step(rows[rows["took_ttd"].notna()], edges)["requested"]
                counts = heat.sum(axis=1).set_axis(starts).to_dict()
                self._all.mappings(case, "step of heatmap", counts, expected.to_dict())

    def _cards(self, case: Case, state: QueryState, rows: pd.DataFrame) -> None:
        inputs = read_inputs(
            self._queries, state.range, state.comparison, state.filters, state.zone
        )
        cards = {card.name: card for card in figures(inputs)}
        for name, k, n, measure in (
            ("Confirmed", "confirmed", "requested", "confirmed"),
            ("Within 30 s", "within_30", "requested", "within_30"),
            ("Conversion", "converted", "started", "converted"),
        ):
            self._rate(case, state, cards[name], k, n, measure)
        self._cost(case, cards["Cost per verified"], self._ripe(case, "", state))
        sums = truth.totals(rows)
        self._all.equal(case, "card Pending", cards["Pending"].value, f"{sums['pending']:,}")
        self._all.equal(case, "card Attempts", cards["Attempts"].value, f"{sums['requested']:,}")
        took = truth.durations(
            self._ripe(case, "delivered", state, case.place.of_all_carriers), "ttd"
        ).to_numpy()
        compare_percentile(
            self._all, case, "card p95", cards["p95 time to deliver"].number, took, 0.95
        )
        self._csv(case, "figures", table(list(cards.values())))

    def _cost(self, case: Case, card: Figure, ripe: pd.DataFrame) -> None:
        """Under a filter by the attempts that were verified there."""
        sums = truth.totals(ripe)
        n = sums["converted"] if case.place == ALL else tables.verified_there(sums)
        self._all.equal(case, "card Cost n", card.n, n)
        per = tables.per_verified(sums, n)
        self._all.equal(case, "card Cost", card.number, per)
        is_complete = tables.is_complete(sums)
        is_exact = not card.value.startswith("≥")
        self._all.equal(case, "card Cost is exact", is_exact, is_complete or isnan(per))
        if card.good is not None:
            self._all.equal(case, "card Cost is coloured", is_complete, True)

    def _rate(
        self, case: Case, state: QueryState, card: Figure, k: str, n: str, measure: str
    ) -> None:
        sums = truth.totals(self._ripe(case, measure, state))
        self._all.equal(case, f"card {card.name} n", card.n, sums[n])
        if sums[n] < ENOUGH:
            self._all.equal(case, f"card {card.name}", card.value, "too few")
            return
        share, (low, high) = sums[k] / sums[n], truth.wilson(sums[k], sums[n])
        for part, shown, expected in (
            ("", card.number, share),
            (" low", card.low, low),
            (" high", card.high, high),
            (" text", card.value, f"{100 * share:.1f} %"),
            (" detail", card.detail, f"{100 * low:.1f}–{100 * high:.1f}, n = {sums[n]:,}"),
        ):
            self._all.equal(case, f"card {card.name}{part}", shown, expected)
        pair = self._queries.compared(state.range, state.comparison, state.zone, measure)
        expected = ""
        if pair:
            now, before = (
                truth.totals(self._true.within(*_span(part), case.place))
                for part in (pair.now, pair.before)
            )
            if min(now[n], before[n]) >= ENOUGH:
                points = round(100 * (now[k] / now[n] - before[k] / before[n]), 1)
                expected = f"{abs(points):.1f} points" if points else "no change"
        self._all.equal(case, f"card {card.name} change", card.change, expected)

    def _ripe(
        self, case: Case, measure: str, state: QueryState, place: Place | None = None
    ) -> pd.DataFrame:
        """The attempts that are old enough for a measure, to the minute."""
        start, end = _span(state.range_read)
        ripe = (case.look.now_ms - RIPE_MS.get(measure, CODE_LIFE)) // MINUTE * MINUTE
        if case.asked[1] > ripe:
            end = ripe
        return self._true.within(start, max(start, end), place or case.place)

    def _csv(self, case: Case, name: str, frame: pd.DataFrame) -> None:
        """Every cell of the file is that of the frame."""
        if not self._reads_files:
            return
        text = csv_of(frame, name).decode("utf-8-sig")
        header, *lines = csv.reader(io.StringIO(text, newline=""))
        headings = [heading(column, name) for column in frame.columns]
        self._all.equal(case, f"CSV {name} columns", header, headings)
        self._all.equal(case, f"CSV {name} different columns", len(set(header)), len(header))
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
        return bool(pd.Timestamp(text) == value)
    if isinstance(value, (bool, np.bool_)):
        return text == str(bool(value))
    if isinstance(value, (int, float, np.number)):
        return text == "" if isnan(float(value)) else float(text) == float(value)
    return text.removeprefix("'") == str(value)


def check_read(
    differences: Differences,
    case: Case,
    figure: str,
    read: tuple[int, int],
    kept: Sequence[tuple[int, int]] = KEPT,
) -> None:
    """A range that is read holds the one that was asked for, and is wider by less than a slot of
    those that are kept for so long."""
    for name, asked, edge in zip(("start", "end"), case.asked, read, strict=True):
        slot = next((s for age, s in kept if case.look.now_ms - asked <= age), DAY)
        outside = asked - edge if name == "start" else edge - asked
        differences.equal(case, f"{figure}: its {name} is exact", 0 <= outside < slot, True)


def check_compared(
    differences: Differences,
    case: Case,
    pair: tuple[tuple[int, int], tuple[int, int]] | None,
    true: Expected,
) -> None:
    """Two ranges that are compared are equally long, by the clock of the zone if they are of whole
    days, and the figures cover both."""
    if case.comparison == "none":
        differences.equal(case, "compared with nothing", pair, None)
    if pair is None:
        return
    now, before = pair
    # Of the same length, or of the same hours by a clock that was changed in one of them.
    lengths = [{end - start, _wall(end, case) - _wall(start, case)} for start, end in pair]
    is_as_long = bool(lengths[0] & lengths[1])
    differences.equal(case, "length of the range before", is_as_long or lengths, True)
    begins = int(true.rows["at_ms"].min()) // (15 * MINUTE) * 15 * MINUTE
    differences.equal(case, "the range before is covered", before[0] >= begins, True)
    back = BACK.get((case.name, case.comparison))
    if back is not None:
        shown = {now[0] - before[0], _wall(now[0], case) - _wall(before[0], case)}
        is_back = back in shown
        differences.equal(case, "how far back the range before is", is_back or shown, True)


def compare_percentile(
    differences: Differences, case: object, figure: str, shown: float | None, took: Any, q: float
) -> None:
    expected = truth.quantile(took, q)
    is_missing = shown is None or isnan(shown)
    if is_missing or isnan(expected):
        differences.equal(case, figure, is_missing, isnan(expected))
    else:
        # The first bin holds everything up to 38 ms.
        is_close = abs(float(shown or 0) - expected) <= max(BIN * expected, 40)
        differences.equal(case, figure, expected if is_close else shown, expected)


def _step_width(case: Case) -> int | None:
    """How wide the steps of a range are; None where its start is not kept so finely."""
    length, age = case.asked[1] - case.asked[0], case.look.now_ms - case.asked[0]
    if length <= 3 * HOUR:
        return MINUTE if age <= KEPT[0][0] else None
    if age > KEPT[1][0]:
        return None
    if length <= 36 * HOUR:
        return 15 * MINUTE
    return HOUR if length <= 8 * DAY else DAY


def _wall(ms: int, case: Case) -> int:
    """A moment by the clock of the zone, as if that never changed."""
    moment = datetime.fromtimestamp(ms / 1000, case.zone)
    return ms + round((moment.utcoffset() or timedelta()).total_seconds() * 1000)


def _span(period: Range) -> tuple[int, int]:
    return _ms(period.start), _ms(period.end)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
