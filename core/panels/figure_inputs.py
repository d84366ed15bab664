"""Reads the input of the main figures of the Delivery page."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pandas as pd

from core.figures.catalogue import Leg
from core.figures.comparing import earlier_windows
from core.figures.filters import ALL, Filters
from core.figures.packing import Counts
from core.figures.queries import Queries
from core.figures.ranges import Comparison, Range


@dataclass(frozen=True, slots=True)
class RipeInput:
    """The input of a figure that judges ripe attempts only: the sums of the ripe part of the range;
    the sums of both ranges that are compared, None where no change may be shown; the range over
    time, of ripe attempts; and the windows before it (`Queries.history`)."""

    totals: "pd.Series[int]"
    compared: "tuple[pd.Series[int], pd.Series[int]] | None"
    steps: pd.DataFrame
    history: pd.DataFrame


@dataclass(frozen=True, slots=True)
class TimesInput:
    """The same of the times to deliver: histograms in place of sums. `heat`: (steps, bins)."""

    times: Counts
    compared: tuple[Counts, Counts] | None
    heat: Counts
    history: Counts


@dataclass(frozen=True, slots=True)
class FigureInputs:
    """The input of the figures: the sums of the whole range, its sums that are compared, and its
    steps; the same of what is ripe within 30 s (`within_30`) and at the age of a code's life
    (`ripe`); the times; `spans`, how long the range is in windows of the history; and the filters
    of all of them."""

    totals: "pd.Series[int]"
    compared: "tuple[pd.Series[int], pd.Series[int]] | None"
    steps: pd.DataFrame
    within_30: RipeInput
    ripe: RipeInput
    times: TimesInput
    spans: float = 1.0
    filters: Filters = ALL


def read_inputs(
    queries: Queries, period: Range, comparison: Comparison, filters: Filters, zone: ZoneInfo
) -> FigureInputs:
    """Read the input of the figures of a range. Raises StoreUnavailable."""

    def compared_totals(measure: str | None) -> "tuple[pd.Series[int], pd.Series[int]] | None":
        pair = queries.compared(period, comparison, zone, measure)
        if pair is None:
            return None
        return queries.totals(pair.now, filters), queries.totals(pair.before, filters)

    def ripe_input(measure: str) -> RipeInput:
        return RipeInput(
            queries.totals(queries.ripe(period, measure), filters),
            compared_totals(measure),
            queries.over_time(period, filters, zone, measure),
            queries.history(period, filters),
        )

    times = queries.compared(period, comparison, zone, "delivered", Leg.TTD, filters)
    return FigureInputs(
        totals=queries.totals(period, filters),
        compared=compared_totals(None),
        steps=queries.over_time(period, filters, zone),
        within_30=ripe_input("within_30"),
        ripe=ripe_input("confirmed"),
        times=TimesInput(
            queries.histogram(queries.ripe(period, "delivered"), filters),
            (queries.histogram(times.now, filters), queries.histogram(times.before, filters))
            if times
            else None,
            queries.heatmap(period, filters, zone=zone).to_numpy(),
            queries.histogram_history(period, filters),
        ),
        spans=earlier_windows(period).spans,
        filters=filters,
    )
