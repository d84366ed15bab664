"""The list of all figures: name, position in a slot, kind, width, help text and metrics.

The columns of a packed slot, of query results and of REST answers, the metrics of `/metrics` and
their documentation are derived from FIGURES.

To add a figure: add it here and in `contributions.py`, and give ROLLUP_LAYOUT (keys.py) a new
version, since the bytes of a slot change.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum


class FigureKind(Enum):
    """How a figure may change. `core.figures.cumulative` says why a counter never falls."""

    COUNTER = "counter"
    GAUGE = "gauge"  # falls when a later report corrects an earlier one


class FigureWidth(IntEnum):
    """Bytes of a figure in a slot."""

    COUNT = 4  # unsigned
    SUM = 8  # signed


@dataclass(frozen=True, slots=True)
class WindowMetric:
    """How `/metrics` exports a figure of the attempts requested in a window.

    `help` continues the sentence "Of the attempts requested in the window: …"; "" stands for the
    help text of the figure. The exported value is the figure divided by `divisor`, in `unit`.
    """

    name: str
    help: str = ""
    unit: str = ""
    divisor: int = 1


@dataclass(frozen=True, slots=True)
class StoredFigure:
    """One value of a slot: a count of attempts by the moment of their request, or a sum over them.

    `position` is its position among the figures of its width, from 0: a slot holds the counts, then
    the sums. `metric` is the name of its counter in `/metrics`, without prefix and suffix; "" if it
    has none. `is_state`: it counts attempts that are in a certain state; an attempt is counted in
    at most one such figure, and moves if a later report corrects it. One in none is pending.
    """

    name: str
    position: int
    help: str
    kind: FigureKind = FigureKind.COUNTER
    width: FigureWidth = FigureWidth.COUNT
    metric: str = ""
    window: WindowMetric | None = None
    is_state: bool = False


class Leg(StrEnum):
    """A part of the way whose durations are stored as a histogram."""

    TTD = "ttd"  # requested to delivered
    TTV = "ttv"  # requested to the right code, of a verification
    QUEUE = "queue"  # queued to sent
    CARRIER = "carrier"  # sent to delivered


@dataclass(frozen=True, slots=True)
class StoredHistogram:
    """The durations of one leg. `metric` is its name in `/metrics`, without prefix and unit.

    `exact_sum` names the figure that holds the sum of the durations to the millisecond; without
    one, the sum is estimated from the bins.
    """

    metric: str
    help: str
    exact_sum: str | None = None


_MICROS = 1_000_000
_SUM, _GAUGE = FigureWidth.SUM, FigureKind.GAUGE

#: In the order of `/metrics` and of its documentation: the path of an attempt, its endings, then
#: verifications and costs.
FIGURES = (
    StoredFigure(
        "requested", 0, "Messages and calls that were asked for.", metric="attempts_requested"
    ),
    StoredFigure("accepted", 15, "Attempts that Plivo accepted.", metric="attempts_accepted"),
    # Delivered implies sent.
    StoredFigure(
        "sent",
        18,
        "Attempts that reached the carrier; calls that were answered.",
        metric="attempts_sent",
    ),
    StoredFigure(
        "delivered",
        20,
        "Attempts with a delivery report that says so.",
        metric="attempts_delivered",
        is_state=True,
    ),
    StoredFigure(
        "within_10",
        22,
        "Attempts delivered within 10 seconds of the request.",
        metric="attempts_delivered_within_10s",
    ),
    StoredFigure(
        "within_30",
        23,
        "Attempts delivered within 30 seconds of the request.",
        metric="attempts_delivered_within_30s",
    ),
    StoredFigure(
        "within_60",
        24,
        "Attempts delivered within 60 seconds of the request.",
        metric="attempts_delivered_within_60s",
    ),
    StoredFigure(
        "entered",
        11,
        "Attempts after which a code was entered, right or wrong.",
        metric="attempts_entered",
    ),
    StoredFigure(
        "verified",
        12,
        "Attempts that brought the right code: no other one of the verification can have brought "
        "it.",
        _GAUGE,
        window=WindowMetric("verified_attempts"),
    ),
    StoredFigure(
        "confirmed",
        21,
        "Attempts that arrived for certain: delivered by their own receipt, or verified.",
        _GAUGE,
        window=WindowMetric("confirmed_attempts"),
    ),
    StoredFigure("undelivered", 10, "Attempts reported as undelivered.", _GAUGE, is_state=True),
    StoredFigure("failed", 9, "Attempts reported as failed.", _GAUGE, is_state=True),
    StoredFigure("rejected", 8, "Attempts whose send Plivo refused.", _GAUGE, is_state=True),
    StoredFigure(
        "unreported", 7, "Attempts without a final report for 72 hours.", _GAUGE, is_state=True
    ),
    StoredFigure(
        "unclear",
        6,
        "Attempts whose send was answered with 429 or 5xx, or not at all, without a report since.",
        _GAUGE,
        is_state=True,
    ),
    StoredFigure(
        "started",
        1,
        "Verifications started, under the channel they began with.",
        metric="started",
        window=WindowMetric("started", "Verifications started."),
    ),
    StoredFigure(
        "converted",
        13,
        "Verifications that succeeded, under the channel they began with.",
        metric="converted",
        window=WindowMetric("converted", "Of these, those that succeeded."),
    ),
    StoredFigure(
        "unattributed",
        27,
        "Verifications that succeeded and whose code several attempts can have brought, under the "
        "channel they began with.",
        _GAUGE,
        window=WindowMetric("unattributed"),
    ),
    StoredFigure(
        "resends", 2, "Attempts that repeat an earlier one the same way.", metric="resends"
    ),
    StoredFigure(
        "fallbacks",
        3,
        "Attempts by another channel than the first one.",
        metric="fallbacks",
        window=WindowMetric("fallbacks"),
    ),
    StoredFigure(
        "rescued",
        4,
        "Fallbacks that brought the right code.",
        _GAUGE,
        window=WindowMetric("rescued"),
    ),
    StoredFigure(
        "priced",
        26,
        "Attempts whose cost is known: Plivo named it, or they ended before they cost anything.",
        _GAUGE,
        window=WindowMetric("priced_attempts"),
    ),
    StoredFigure(
        "units",
        17,
        "Message parts, as Plivo charges them.",
        _GAUGE,
        window=WindowMetric("units"),
    ),
    StoredFigure(
        "cost_micros",
        0,
        "Known cost of the attempts, in millionths of a US dollar.",
        _GAUGE,
        _SUM,
        window=WindowMetric(
            "cost", "What the attempts cost, as far as it is known.", "dollars", _MICROS
        ),
    ),
    StoredFigure(
        "cost_verified_micros",
        5,
        "The part of `cost_micros` that the verified attempts cost.",
        _GAUGE,
        _SUM,
        window=WindowMetric(
            "verified_cost", "What the verified attempts cost of that.", "dollars", _MICROS
        ),
    ),
    StoredFigure(
        "cost_unattributed_micros",
        6,
        "The part of `cost_micros` that attempts cost which may have brought the right code, as "
        "others of the verification may.",
        _GAUGE,
        _SUM,
        window=WindowMetric(
            "unattributed_cost",
            "What the attempts cost of that which may have brought the right code, as others may.",
            "dollars",
            _MICROS,
        ),
    ),
    StoredFigure(
        "skewed", 5, "Attempts with a latency below zero or above 72 hours, cut to that range."
    ),
    StoredFigure("n_app", 16, "Attempts in `app_ms`."),
    StoredFigure("n_queue", 19, "Attempts in `queue_ms`."),
    StoredFigure("n_carrier", 25, "Attempts in `carrier_ms`."),
    StoredFigure("n_person", 14, "Attempts in `person_ms`.", _GAUGE),
    StoredFigure("app_ms", 3, "Time from requested to accepted, ms.", width=_SUM),
    StoredFigure("queue_ms", 2, "Time from queued to sent, ms.", width=_SUM),
    StoredFigure("carrier_ms", 1, "Time from sent to delivered, ms.", width=_SUM),
    StoredFigure("person_ms", 4, "Time from delivered to the right code, ms.", _GAUGE, _SUM),
)

_EXACT = "The sum is exact."
_ESTIMATED = "In the sum each time counts as the middle of its bin, at most 4.4 % off."
#: The histograms, in the order of `/metrics`.
LEGS = {
    Leg.TTD: StoredHistogram(
        "time_to_deliver", f"From the request to the delivery report. {_ESTIMATED}"
    ),
    Leg.TTV: StoredHistogram(
        "time_to_verify",
        f"From the first request of a verification to the right code. {_ESTIMATED}",
    ),
    Leg.QUEUE: StoredHistogram(
        "queue_time", f"From Plivo's queue to the carrier. {_EXACT}", exact_sum="queue_ms"
    ),
    Leg.CARRIER: StoredHistogram(
        "carrier_time",
        f"From the carrier to the delivery report. {_EXACT}",
        exact_sum="carrier_ms",
    ),
}

#: The ledger's counters beside the attempts, by kind, each with its help text.
IRREGULAR_EVENTS = {
    "forged": "a callback whose signature or token is wrong",
    "malformed": "a callback that cannot be read",
    "foreign": "a message or call in Plivo's logs that another program sent",
    "repeated": "an event received before",
    "late": "an event that a later one had overtaken",
    "orphan": "an event of an attempt that is no longer kept",
    "lost_attempt": "an attempt that was sent, and that Redis lost as it failed over",
    "lost_approval": "an approval that Redis lost as it failed over: its code is valid again",
    "late_dropped": "an event too old for the figures of its minute, quarter-hour or day",
    "overflow": "a figure that was full, and stayed as it was",
    "unreadable_value": "a value from Plivo that could not be read and was left out",
    "unreadable_record": "a stored record that could not be read and was left out of lists",
}

_IN_SLOT = sorted(FIGURES, key=lambda figure: (figure.width, figure.position))
#: The names of a slot's values, in the order of their bytes: the counts, then the sums.
COUNTS = tuple(figure.name for figure in _IN_SLOT if figure.width is FigureWidth.COUNT)
SUMS = tuple(figure.name for figure in _IN_SLOT if figure.width is FigureWidth.SUM)
COLUMNS = tuple(figure.name for figure in _IN_SLOT)
#: The columns of every query result. Pending attempts are those in none of STATES: their final
#: report is waited for.
QUERY_COLUMNS = (*COLUMNS, "pending")
#: The states that are counted: the ends of an attempt, and `unclear`.
STATES = tuple(figure.name for figure in FIGURES if figure.is_state)
#: What `/metrics` exports as counters, in its order.
EXPORTED_COUNTERS = tuple(figure for figure in FIGURES if figure.metric)
