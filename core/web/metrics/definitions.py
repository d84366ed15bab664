"""Defines the metrics of `/metrics`: name, type, help text, labels and unit, in their order.

Names begin with `verification_`; units are seconds, bytes and US dollars. Every sample has the
label `environment` (sandbox or live), so the two are never added up by accident. Carriers are no
label: there are hundreds, and most have too few attempts for a rate.

Values that never fall are counters or histograms (`core.figures.cumulative` gives the reason);
values that a later report can correct are gauges over a window. A moment is exported as a
timestamp, not as an age: an age computed from it goes on growing while the product is down.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.figures.catalogue import EXPORTED_COUNTERS, FIGURES, IRREGULAR_EVENTS, LEGS


class MetricType(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """`labels` are those beside `environment`."""

    type: MetricType
    short_name: str
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""

    @property
    def name(self) -> str:
        return "_".join(part for part in ("verification", self.short_name, self.unit) if part)


def _gauge(
    name: str, help_text: str, labels: tuple[str, ...] = (), unit: str = ""
) -> MetricDefinition:
    return MetricDefinition(MetricType.GAUGE, name, help_text, labels, unit)


def _timestamp(name: str, help_text: str) -> MetricDefinition:
    return _gauge(f"{name}_timestamp", help_text, unit="seconds")


_PLACE = ("channel", "country")
WINDOW_PREFIX = (
    "Of the attempts requested in the window (1h: the last hour, 1h_ripe: the hour whose codes "
    "have just expired, for rates, today: since 0:00 UTC):"
)

#: By figure.
COUNTERS = {
    figure.name: MetricDefinition(MetricType.COUNTER, figure.metric, figure.help, _PLACE)
    for figure in EXPORTED_COUNTERS
}
#: By leg.
HISTOGRAMS = {
    leg: MetricDefinition(
        MetricType.HISTOGRAM, histogram.metric, histogram.help, ("channel",), "seconds"
    )
    for leg, histogram in LEGS.items()
}
WINDOW_ATTEMPTS = _gauge(
    "window_attempts",
    f"{WINDOW_PREFIX} their state now. The states add up to all of them; unclear: the send was "
    "answered with 429 or 5xx, or not at all; unreported: no final report for 72 hours.",
    ("window", *_PLACE, "state"),
)
#: By figure: the definition, and what the figure is divided by.
WINDOWS = {
    figure.name: (
        _gauge(
            f"window_{figure.window.name}",
            f"{WINDOW_PREFIX} {figure.window.help or figure.help}",
            ("window", *_PLACE),
            figure.window.unit,
        ),
        figure.window.divisor,
    )
    for figure in FIGURES
    if figure.window
}
WINDOW_ERRORS = _gauge(
    "window_errors",
    f"{WINDOW_PREFIX} the number that each error ended. The code is a message's error, a "
    "call's hangup cause, the status of an unclear send or no answer, refused, or unstated.",
    ("window", "channel", "code"),
)
IRREGULAR = MetricDefinition(
    MetricType.COUNTER,
    "irregular_events",
    "Irregular events and unreadable data. "
    f"{', '.join(f'{kind}: {text}' for kind, text in IRREGULAR_EVENTS.items())}.",
    ("kind",),
)
NEWEST_ATTEMPT = _timestamp("newest_attempt", "When the newest attempt was requested.")
LOGS_READ_THROUGH = _timestamp("logs_read_through", "How far Plivo's own logs have been read.")
ALERTS_CHECKED = _timestamp("alerts_checked", "The minute in which the alerts were last evaluated.")
LOGS_FAILING = _gauge("logs_failing", "Whether the last reading of Plivo's logs failed: 1 or 0.")
CHECKS_WAITING = _gauge("checks_waiting", "Entered codes that the figures do not include yet.")
JOURNAL_LENGTH = _gauge(
    "journal_length",
    "Changes of attempts, and checks, that the figures do not include yet.",
)
JOURNAL_AGE = _gauge(
    "journal_age",
    "How long the oldest of them waits. The figures lag so far behind; normally under a second.",
    unit="seconds",
)
REDIS_MEMORY = _gauge(
    "redis_memory", "Memory that Redis uses for data; in a Cluster, of one node.", unit="bytes"
)
SAMPLE_TRAFFIC = _gauge("sample_traffic", "Whether the figures include sample traffic: 1 or 0.")
ALERTS = _gauge(
    "alerts",
    "The alerts: the number of series (all traffic, channels, countries, carriers) by measure and "
    "state, without alerts that another alert explains.",
    ("measure", "state"),
)

#: All metrics, in the order of `/metrics`.
DEFINITIONS = (
    *COUNTERS.values(),
    *HISTOGRAMS.values(),
    WINDOW_ATTEMPTS,
    *(definition for definition, _ in WINDOWS.values()),
    WINDOW_ERRORS,
    IRREGULAR,
    NEWEST_ATTEMPT,
    LOGS_READ_THROUGH,
    ALERTS_CHECKED,
    LOGS_FAILING,
    CHECKS_WAITING,
    JOURNAL_LENGTH,
    JOURNAL_AGE,
    REDIS_MEMORY,
    SAMPLE_TRAFFIC,
    ALERTS,
)
