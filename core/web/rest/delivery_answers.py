"""What the routes of `/delivery` answer."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from core.alerts.measures import Measure
from core.alerts.states import AlertState
from core.figures.catalogue import FIGURES, QUERY_COLUMNS, Leg
from core.figures.ranges import Range
from core.figures.receipts import ReceiptHealth
from core.findings.causes import CauseKind, Outcome
from core.model.way import Channel

_HELP = {figure.name: figure.help for figure in FIGURES} | {
    "pending": "Attempts whose final report is waited for."
}
_COUNTS: dict[str, Any] = {name: (int, Field(description=_HELP[name])) for name in QUERY_COLUMNS}
Figures: Any = create_model("Figures", **_COUNTS)
Figures.__doc__ = (
    "Counts of attempts. `…_ms` are sums of milliseconds, `…_micros` of 1/10⁶ US dollars."
)


class Span(BaseModel):
    """From `start` to before `end`."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: Range) -> "Span":
        return cls(start=period.start, end=period.end)


class RateOfRange(BaseModel):
    """`k` of `n` attempts (of verifications: `converted`) that are old enough for the rate: from
    `start` to before `end`. `low` and `high`: its 95 % interval. Null without any."""

    start: datetime
    end: datetime
    k: int
    n: int
    value: float | None
    low: float | None
    high: float | None


class Totals(BaseModel):
    """Sums of a range, and of the range to compare with, which is as long. `range_read` is the
    range of the sums: minutes are kept for 48 hours, quarter-hours for 100 days, days (UTC) for 400
    days; with `compare` it ends with the last whole slot that is kept of both. `previous` is null
    where it is not kept as finely, or begins before the figures do."""

    range: Span
    range_read: Span
    figures: Figures
    rates: dict[str, RateOfRange]
    previous_range: Span | None
    previous: Figures | None
    sample_attempts: int = Field(
        description="Attempts of sample traffic among the figures of all ranges together."
    )


class Step(Figures):
    """One step of the range; not `complete` while it has not ended. `start` is in `zone`, or in UTC
    where only days of UTC are kept. `…_ripe`: the step has ended, and its attempts are old enough
    for the rate: 30 s, or the life of a code."""

    start: datetime
    complete: bool
    confirmed_ripe: bool
    within_30_ripe: bool
    converted_ripe: bool


class ChannelRow(Figures):
    """One channel."""

    channel: Channel


class CountryRow(Figures):
    """One country (`carrier` is empty), or one of its carriers ("unknown" where the plan names
    none, "others" for those beyond the most that are kept)."""

    country: str
    carrier: str
    p95_ms: float | None = Field(description="Time to deliver; null below 200 deliveries.")
    receipts: ReceiptHealth = Field(
        description="`late`: most codes are entered before their receipt comes; `untrusted`: codes "
        "are entered without one."
    )
    silent_since: datetime | None = Field(description="Of `silent` receipts that came before.")


class ErrorRow(BaseModel):
    """A message's error, a call's hangup cause, `refused` or `unstated`."""

    channel: Channel
    code: str
    count: int
    previous: int | None = Field(
        None, description="In the range to compare with; null where nothing is compared."
    )
    country: str = Field(description="Of which country; empty for all.")
    carrier: str = Field(description="Always empty: of all carriers of `country`.")


class Bin(BaseModel):
    """How many attempts took up to `upper_ms`, and longer than the bin before."""

    upper_ms: float
    count: int


class Latency(BaseModel):
    """How long a leg took, in `range_read`. A percentile is null for too few attempts; its error is
    at most 4.4 %. Bins without attempts are left out."""

    range: Span
    range_read: Span
    leg: Leg
    country: str = Field(description="Of which country; empty for all.")
    carrier: str = Field(description="Always empty: of all carriers of `country`.")
    count: int
    percentiles_ms: dict[str, float | None]
    bins: list[Bin]


class CauseAnswer(BaseModel):
    """One incident. `channel`, `country` and `carrier` are its filters; null is all."""

    kind: CauseKind
    sentence: str
    channel: Channel | None
    country: str | None
    carrier: str | None
    since: datetime
    until: datetime | None = Field(description="Null while it lasts.")
    lost: int = Field(description="Verifications that did not succeed, beyond the usual.")
    money: float | None = Field(
        description="US dollars for codes that were not entered, or more than before, beyond the "
        "usual; null while no price is known."
    )
    count: float = Field(
        description="What the kind counts from `since` on: unclear sends, failed or late attempts, "
        "verifications without a right code, attempts without a receipt. Of `price` US dollars."
    )
    of: float = Field(description="Of so many.")
    usual: float = Field(
        description="The share that is usual there; of `price` the price before, of `traffic_gone` "
        "the number of attempts."
    )


class AlertAnswer(BaseModel):
    """The state of one measure of one series at the last check."""

    model_config = ConfigDict(from_attributes=True)

    series: str
    measure: Measure
    state: AlertState
    n: int
    observed: float | None
    baseline: float | None
    detectable_drop: float | None
    since: datetime
    chance: float | None
    under: str
    budgets: list[str] = Field(
        description="Of refused sends: the budgets that refused them, the most numbers first."
    )


class VerdictAnswer(BaseModel):
    """Whether codes arrive, and what is wrong, the worst first."""

    range: Span
    outcome: Outcome
    sentence: str
    confirmed: int = Field(description="Attempts that arrived for certain.")
    requested: int = Field(description="Attempts that are old enough to be judged.")
    compared_days: int = Field(description="How many days before were compared with.")
    causes: list[CauseAnswer]
    alerts: list[AlertAnswer] = Field(
        description="The alerts that fire and that no cause names: they see an incident sooner, "
        "and sends that budgets refuse are no attempts."
    )
