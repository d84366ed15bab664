"""Turns a snapshot of the figures into what Prometheus reads: OpenMetrics 1.0, or the older text
format for a scraper that knows no other.

Names begin with `verification_`, units are seconds, bytes and US dollars. Every sample has the
label `environment` (sandbox or live), so the two are never added up by accident. Carriers have no
label: there are hundreds, and most have too few attempts for a rate.

What can only grow is a counter or a histogram (`core.figures.cumulative` says why it can); what
can be corrected is a gauge over a window. A counter's `_created` is the start of its 32 days, or of
its day, after which it begins again at zero; Prometheus takes a fall for just that. A moment is
told as a timestamp and not as an age: the age goes on growing when nobody scrapes.

Histograms are classic, since the text formats carry no native ones. Each bound is one of the bins'
own (`layout.UPPER_MS`), every fourth of them, so a bucket is an exact sum of bins. Two bounds are a
factor of 1.41 apart: a quantile that Prometheus interpolates is that close.
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

from core.alerts.rules import Measure
from core.alerts.states import AlertState
from core.figures.cumulative import GROWING, Cumulated
from core.figures.layout import COLUMNS, UPPER_MS, Leg
from core.figures.windows import Windowed
from core.tracking.log_status import LogRunOutcome
from core.web.metrics.collecting import Snapshot
from core.web.metrics.negotiation import Format

CONTENT_TYPES = {
    Format.OPENMETRICS: openmetrics.CONTENT_TYPE_LATEST,
    Format.TEXT: text_format.CONTENT_TYPE_PLAIN_0_0_4,
}
#: What the ledger counts beside the attempts. All of them are told from the start, with zeros, so
#: that an alert sees the first one.
IRREGULAR = {
    "forged": "a callback whose signature or token is wrong",
    "malformed": "a callback that cannot be read",
    "foreign": "a message or call in Plivo's logs that another program sent",
    "repeated": "an event heard before",
    "late": "an event that a later one had overtaken",
    "orphan": "an event of an attempt that is no longer kept",
    "late_dropped": "an event too old for the figures of its minute, quarter-hour or day",
    "overflow": "a figure that was full, and stayed as it was",
    "unreadable_value": "a value from Plivo that could not be read and was left out",
    "unreadable_record": "a stored record that could not be read and was left out of lists",
}

_SPLIT = ("channel", "country")
_COUNTERS = {
    "requested": ("attempts_requested", "Messages and calls that were asked for."),
    "accepted": ("attempts_accepted", "Attempts that Plivo accepted."),
    "sent": ("attempts_sent", "Attempts that reached the carrier; calls that were answered."),
    "delivered": ("attempts_delivered", "Attempts with a delivery report that says so."),
    "within_10": (
        "attempts_delivered_within_10s",
        "Attempts delivered within 10 seconds of the request.",
    ),
    "within_30": (
        "attempts_delivered_within_30s",
        "Attempts delivered within 30 seconds of the request.",
    ),
    "within_60": (
        "attempts_delivered_within_60s",
        "Attempts delivered within 60 seconds of the request.",
    ),
    "entered": ("attempts_entered", "Attempts after which a code was entered, right or wrong."),
    "verified": ("attempts_verified", "Attempts whose code was entered rightly."),
    "confirmed": (
        "attempts_confirmed",
        "Attempts that arrived for certain: delivered or verified.",
    ),
    "started": ("started", "Verifications started, under the channel they began with."),
    "converted": ("converted", "Verifications that succeeded, under the channel they began with."),
    "resends": ("resends", "Attempts that repeat an earlier one the same way."),
    "fallbacks": ("fallbacks", "Attempts by another channel than the first one."),
    "rescued": ("rescued", "Fallbacks whose code was entered rightly."),
}
_SUMS = "The sum is exact."
_MIDDLES = (
    "In the sum each time counts as the middle of its bin, at most 4.4 % off, and one of more "
    "than 31 minutes as 33 minutes."
)
_LEGS = {
    Leg.TTD: ("time_to_deliver", f"From the request to the delivery report. {_MIDDLES}"),
    Leg.TTV: ("time_to_verify", f"From the request to the right code. {_MIDDLES}"),
    Leg.QUEUE: ("queue_time", f"From Plivo's queue to the carrier. {_SUMS}"),
    Leg.CARRIER: ("carrier_time", f"From the carrier to the delivery report. {_SUMS}"),
}
#: The bins whose bounds are 1/16 s to 1024 s, and those bounds in seconds.
_BOUNDS = {place: repr(float(UPPER_MS[place] / 1000)) for place in range(7, 120, 4)}
_STATES = ("delivered", "undelivered", "failed", "rejected", "unreported")
_WINDOW_COUNTS = {
    "confirmed": ("confirmed_attempts", "Of them, delivered or verified."),
    "unconfirmed": (
        "unconfirmed_attempts",
        "Of the pending, those whose send Plivo gave no clear answer to, with no word since.",
    ),
    "started": ("started", "Verifications started."),
    "converted": ("converted", "Of these, those that succeeded."),
    "priced": ("priced_attempts", "Attempts whose cost is known."),
    "units": ("units", "Message parts, as Plivo charges them."),
}
_WINDOW_COSTS = {
    "cost_micros": ("cost", "What the attempts cost, as far as it is known."),
    "cost_verified_micros": ("verified_cost", "What the verified attempts cost of that."),
}
_MICROS = 1_000_000


def exposition(snapshot: Snapshot, form: Format) -> bytes:
    """The whole answer to a scrape."""
    if form is Format.OPENMETRICS:
        written = openmetrics.generate_latest(_Families(families(snapshot)))  # type: ignore[no-untyped-call]
        return bytes(written)
    # There `_created` would be a series of its own for each counter, of use to nobody.
    return text_format.generate_latest(_Families(families(snapshot, created=False)))


def families(snapshot: Snapshot, *, created: bool = True) -> list[Metric]:
    """All metrics, in the order they are written."""
    told = _Telling(snapshot, created)
    return [
        *told.counters(),
        *told.histograms(),
        *told.windows(),
        told.irregular(),
        *told.pipeline(),
    ]


class _Families:
    """What prometheus_client writes: a registry, of this scrape only."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


class _Place(NamedTuple):
    channel: str
    country: str

    @classmethod
    def of(cls, series: str) -> "_Place":
        channel, _, country = series.partition("/")
        # To Prometheus a label that is empty is not there.
        return cls(channel, country or "unknown")


class _Telling:
    """The metrics of one snapshot."""

    def __init__(self, snapshot: Snapshot, created: bool) -> None:
        self._all = snapshot
        self._created = created

    def counters(self) -> Iterator[Metric]:
        told: Cumulated = self._all.cumulated
        places = [_Place.of(name) for name in told.series]
        for column, (name, said) in _COUNTERS.items():
            metric = self._counter(name, said, _SPLIT)
            values = told.counters[:, GROWING.index(column)]
            for place, value in zip(places, values, strict=True):
                self._grown(metric, place, value, told.since)
            yield metric

    def histograms(self) -> Iterator[Metric]:
        told = self._all.cumulated
        for leg, (name, said) in _LEGS.items():
            metric = HistogramMetricFamily(
                f"verification_{name}", said, labels=("environment", "channel"), unit="seconds"
            )
            found = told.histograms[leg]
            # Bin by bin, so that a bound's count is that of all bins up to it.
            upto = found.counts.cumsum(axis=1)
            for row, channel in enumerate(told.channels):
                buckets = [(bound, int(upto[row, place])) for place, bound in _BOUNDS.items()]
                labels = [self._all.environment, channel]
                seconds = float(found.sums_ms[row]) / 1000
                metric.add_metric(labels, [*buckets, ("+Inf", int(upto[row, -1]))], seconds)
                if self._created:
                    named = {"environment": self._all.environment, "channel": channel}
                    metric.add_sample(f"{metric.name}_created", named, told.since.timestamp())
            yield metric

    def windows(self) -> Iterator[Metric]:
        of = "Of the attempts requested in the window (1h: the last hour, today: since 0:00 UTC):"
        yield self._window_states(of)
        for column, (name, said) in _WINDOW_COUNTS.items():
            yield self._window(f"window_{name}", f"{of} {said}", column)
        for column, (name, said) in _WINDOW_COSTS.items():
            yield self._window(f"window_{name}", f"{of} {said}", column, "dollars", _MICROS)
        errors = self._gauge(
            "window_errors",
            f"{of} how many each error ended. The code is a message's error, a call's hangup "
            "cause, refused, or unstated.",
            ("window", "channel", "code"),
        )
        for window, told in self._all.windows.items():
            for (channel, code), count in told.errors.items():
                errors.add_metric([self._all.environment, window, channel, code], count)
        yield errors

    def irregular(self) -> Metric:
        listed = ", ".join(f"{kind}: {said}" for kind, said in IRREGULAR.items())
        metric = self._counter(
            "irregular_events", f"What was not plain news of an attempt. {listed}.", ("kind",)
        )
        midnight = self._all.now.replace(hour=0, minute=0, second=0, microsecond=0)
        found = self._all.irregular
        for kind in sorted({*IRREGULAR, *found}):
            self._grown(metric, [kind], found.get(kind, 0), midnight)
        return metric

    def pipeline(self) -> Iterator[Metric]:
        logs, pipeline = self._all.logs, self._all.pipeline
        yield self._moment(
            "newest_attempt", "When the newest attempt was requested.", self._all.newest_attempt
        )
        yield self._moment(
            "logs_read_through", "How far Plivo's own logs have been read.", logs.through
        )
        yield self._moment(
            "alerts_checked",
            "The end of the last hour that the product's own alerts have judged.",
            self._all.checked,
        )
        yield self._value(
            "logs_failing",
            "Whether the last reading of Plivo's logs failed: 1 or 0.",
            logs.outcome is LogRunOutcome.FAILED,
        )
        yield self._value(
            "checks_waiting",
            "Codes that people entered and that are not in the figures yet.",
            pipeline.checks_waiting,
        )
        yield self._value(
            "redis_memory",
            "What Redis has taken for data; of a Cluster, one node.",
            pipeline.memory_bytes,
            unit="bytes",
        )
        yield self._value(
            "sample_traffic",
            "Whether invented traffic is among the figures: 1 or 0.",
            self._all.is_simulated,
        )
        yield self._alerts()

    def _alerts(self) -> Metric:
        metric = self._gauge(
            "alerts",
            "The product's own alerts: in how many channels and countries each measure is in each "
            "state, those left out that another alert explains.",
            ("measure", "state"),
        )
        own = [(one.measure, one.state) for one in self._all.alerts if not one.under]
        for measure in Measure:
            for state in AlertState:
                metric.add_metric(
                    [self._all.environment, measure, state], own.count((measure, state))
                )
        return metric

    def _window_states(self, of: str) -> Metric:
        metric = self._gauge(
            "window_attempts",
            f"{of} where they stand now. The states add up to all of them; unreported is what had "
            "no final word for 72 hours.",
            ("window", *_SPLIT, "state"),
        )
        places = [COLUMNS.index(state) for state in _STATES]
        for window, told in self._all.windows.items():
            ended = told.counters[:, places]
            pending = told.counters[:, COLUMNS.index("requested")] - ended.sum(axis=1)
            stands = np.column_stack([ended, pending])
            for name, row in zip(told.series, stands, strict=True):
                for state, value in zip((*_STATES, "pending"), row, strict=True):
                    labels = [self._all.environment, window, *_Place.of(name), state]
                    metric.add_metric(labels, int(value))
        return metric

    def _window(self, name: str, said: str, column: str, unit: str = "", per: int = 1) -> Metric:
        metric = self._gauge(name, said, ("window", *_SPLIT), unit)
        place = COLUMNS.index(column)
        told: Windowed
        for window, told in self._all.windows.items():
            for series, value in zip(told.series, told.counters[:, place], strict=True):
                labels = [self._all.environment, window, *_Place.of(series)]
                metric.add_metric(labels, int(value) / per)
        return metric

    def _counter(self, name: str, said: str, labels: tuple[str, ...]) -> CounterMetricFamily:
        return CounterMetricFamily(f"verification_{name}", said, labels=("environment", *labels))

    def _grown(
        self, metric: CounterMetricFamily, labels: Iterable[str], value: int, since: datetime
    ) -> None:
        created = since.timestamp() if self._created else None
        metric.add_metric([self._all.environment, *labels], int(value), created)

    def _gauge(
        self, name: str, said: str, labels: tuple[str, ...], unit: str = ""
    ) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            f"verification_{name}", said, labels=("environment", *labels), unit=unit
        )

    def _value(self, name: str, said: str, value: int, unit: str = "") -> Metric:
        metric = self._gauge(name, said, (), unit)
        metric.add_metric([self._all.environment], int(value))
        return metric

    def _moment(self, name: str, said: str, moment: datetime | None) -> Metric:
        """A timestamp; without samples where there is none yet, since zero would be 1970."""
        metric = self._gauge(f"{name}_timestamp", said, (), "seconds")
        if moment is not None:
            metric.add_metric([self._all.environment], moment.timestamp())
        return metric
