"""Writes a snapshot of the figures for Prometheus: as OpenMetrics 1.0, or in the older text format
for a scraper that does not read OpenMetrics.

A counter's `_created` is the start of its 32 days, or of its day, after which it starts again at
zero; Prometheus takes a fall for a restart.

Histograms are classic, since the text formats have no native ones. Each bound is a bound of the
stored bins (`packing.UPPER_MS`), every fourth of them, so a bucket is an exact sum of bins. Two
bounds are a factor of 1.41 apart: a quantile that Prometheus interpolates is that close.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np
from prometheus_client import exposition as text_format
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics

from core.alerts.measures import Measure
from core.alerts.states import AlertState
from core.figures.catalogue import COLUMNS, IRREGULAR_EVENTS, STATES
from core.figures.packing import UPPER_MS
from core.model.series import UNKNOWN_COUNTRY, Series
from core.tracking.log_status import LogRunOutcome
from core.web.metrics import definitions
from core.web.metrics.collecting import Snapshot
from core.web.metrics.definitions import MetricDefinition
from core.web.metrics.negotiation import Format

CONTENT_TYPES = {
    Format.OPENMETRICS: openmetrics.CONTENT_TYPE_LATEST,
    Format.TEXT: text_format.CONTENT_TYPE_PLAIN_0_0_4,
}

#: The bins whose bounds are 1/16 s to 1024 s, and those bounds in seconds.
_BOUNDS = {place: repr(float(UPPER_MS[place] / 1000)) for place in range(7, 120, 4)}
_STATE_PLACES = [COLUMNS.index(state) for state in STATES]


def exposition(snapshot: Snapshot, form: Format) -> bytes:
    """The body of the answer to a scrape."""
    if form is Format.OPENMETRICS:
        body = openmetrics.generate_latest(_Registry(families(snapshot)))  # type: ignore[no-untyped-call]
        return bytes(body)
    # In this format `_created` would be a useless series of its own for each counter.
    return text_format.generate_latest(_Registry(families(snapshot, created=False)))


def families(snapshot: Snapshot, *, created: bool = True) -> list[Metric]:
    """All metrics, in the order of `definitions.DEFINITIONS`."""
    writer = _Writer(snapshot, created)
    return [
        *writer.counters(),
        *writer.histograms(),
        *writer.windows(),
        writer.irregular_events(),
        *writer.pipeline(),
        writer.alerts(),
    ]


class _Registry:
    """Gives the metrics of one scrape to prometheus_client, which collects them from a registry."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


class _Place(NamedTuple):
    """The labels of a series of a country."""

    channel: str
    country: str

    @classmethod
    def of(cls, series: Series) -> "_Place":
        # The label of earlier releases.
        is_known = series.country != UNKNOWN_COUNTRY
        return cls(series.channel, series.country if is_known else "unknown")


class _Writer:
    """Builds the metrics of one snapshot. `created`: whether counters have a `_created` sample."""

    def __init__(self, snapshot: Snapshot, created: bool) -> None:
        self._snapshot = snapshot
        self._environment = snapshot.environment
        self._created = created

    def counters(self) -> Iterator[Metric]:
        cumulative = self._snapshot.cumulative
        places = [_Place.of(name) for name in cumulative.series]
        for column, definition in enumerate(definitions.COUNTERS.values()):
            metric = _counter(definition)
            for place, value in zip(places, cumulative.counters[:, column], strict=True):
                self._add_count(metric, place, value, cumulative.since)
            yield metric

    def histograms(self) -> Iterator[Metric]:
        cumulative = self._snapshot.cumulative
        for leg, definition in definitions.HISTOGRAMS.items():
            metric = HistogramMetricFamily(
                definition.name, definition.help, labels=_labels(definition), unit=definition.unit
            )
            histograms = cumulative.histograms[leg]
            # A bucket counts all bins up to its bound.
            counts = histograms.counts.cumsum(axis=1)
            for row, channel in enumerate(cumulative.channels):
                buckets = [(bound, int(counts[row, place])) for place, bound in _BOUNDS.items()]
                labels = [self._environment, channel]
                seconds = float(histograms.sums_ms[row]) / 1000
                metric.add_metric(labels, [*buckets, ("+Inf", int(counts[row, -1]))], seconds)
                if self._created:
                    named = {"environment": self._environment, "channel": channel}
                    since = cumulative.since.timestamp()
                    metric.add_sample(f"{metric.name}_created", named, since)
            yield metric

    def windows(self) -> Iterator[Metric]:
        yield self._window_attempts()
        for column, (definition, divisor) in definitions.WINDOWS.items():
            metric, place = _gauge(definition), COLUMNS.index(column)
            for window, figures in self._snapshot.windows.items():
                for series, value in zip(figures.series, figures.counters[:, place], strict=True):
                    labels = [self._environment, window, *_Place.of(series)]
                    metric.add_metric(labels, int(value) / divisor)
            yield metric
        errors = _gauge(definitions.WINDOW_ERRORS)
        for window, figures in self._snapshot.windows.items():
            for (channel, code), count in figures.errors.items():
                errors.add_metric([self._environment, window, channel, code], count)
        yield errors

    def _window_attempts(self) -> Metric:
        metric = _gauge(definitions.WINDOW_ATTEMPTS)
        for window, figures in self._snapshot.windows.items():
            settled = figures.counters[:, _STATE_PLACES]
            pending = figures.counters[:, COLUMNS.index("requested")] - settled.sum(axis=1)
            by_state = np.column_stack([settled, pending])
            for series, row in zip(figures.series, by_state, strict=True):
                for state, value in zip((*STATES, "pending"), row, strict=True):
                    labels = [self._environment, window, *_Place.of(series), state]
                    metric.add_metric(labels, int(value))
        return metric

    def irregular_events(self) -> Metric:
        """All kinds, with zeros: Prometheus sees no increase if a series starts at one."""
        metric = _counter(definitions.IRREGULAR)
        midnight = self._snapshot.now.replace(hour=0, minute=0, second=0, microsecond=0)
        counts = self._snapshot.irregular_events
        for kind in sorted({*IRREGULAR_EVENTS, *counts}):
            self._add_count(metric, [kind], counts.get(kind, 0), midnight)
        return metric

    def pipeline(self) -> Iterator[Metric]:
        snapshot, logs, pipeline = self._snapshot, self._snapshot.logs, self._snapshot.pipeline
        yield self._timestamp(definitions.NEWEST_ATTEMPT, snapshot.newest_attempt)
        yield self._timestamp(definitions.LOGS_READ_THROUGH, logs.through)
        yield self._timestamp(definitions.ALERTS_CHECKED, snapshot.checked)
        yield self._value(definitions.LOGS_FAILING, logs.outcome is LogRunOutcome.FAILED)
        yield self._value(definitions.CHECKS_WAITING, pipeline.checks_waiting)
        yield self._value(definitions.JOURNAL_LENGTH, pipeline.journal_length)
        yield self._value(definitions.JOURNAL_AGE, round(pipeline.journal_age.total_seconds()))
        yield self._value(definitions.REDIS_MEMORY, pipeline.memory_bytes)
        yield self._value(definitions.SAMPLE_TRAFFIC, snapshot.is_simulated)

    def alerts(self) -> Metric:
        metric = _gauge(definitions.ALERTS)
        own = [(alert.measure, alert.state) for alert in self._snapshot.alerts if not alert.under]
        for measure in Measure:
            for state in AlertState:
                metric.add_metric([self._environment, measure, state], own.count((measure, state)))
        return metric

    def _add_count(
        self, metric: CounterMetricFamily, labels: Iterable[str], value: int, since: datetime
    ) -> None:
        created = since.timestamp() if self._created else None
        metric.add_metric([self._environment, *labels], int(value), created)

    def _value(self, definition: MetricDefinition, value: int) -> Metric:
        metric = _gauge(definition)
        metric.add_metric([self._environment], int(value))
        return metric

    def _timestamp(self, definition: MetricDefinition, moment: datetime | None) -> Metric:
        """Without samples where there is no moment yet, since zero would be 1970."""
        metric = _gauge(definition)
        if moment is not None:
            metric.add_metric([self._environment], moment.timestamp())
        return metric


def _labels(definition: MetricDefinition) -> tuple[str, ...]:
    return ("environment", *definition.labels)


def _counter(definition: MetricDefinition) -> CounterMetricFamily:
    return CounterMetricFamily(definition.name, definition.help, labels=_labels(definition))


def _gauge(definition: MetricDefinition) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        definition.name, definition.help, labels=_labels(definition), unit=definition.unit
    )
