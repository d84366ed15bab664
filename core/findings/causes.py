"""The values of a verdict: incidents with their kind and size, and the outcome."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.figures.rates import ENOUGH
from core.findings.places import TrafficPlace
from core.findings.shares import Share


class CauseKind(StrEnum):
    """What is wrong in a place."""

    UNCLEAR = "unclear"  # Plivo answers sends with 429, 5xx or not at all
    LOSES = "loses_codes"  # codes do not arrive, or are not entered
    PUMPING = "pumping"  # more codes are requested than before, and hardly any is entered
    SLOW = "slow"  # codes take longer to arrive
    RECEIPTS_SILENT = "receipts_silent"
    RECEIPTS_LATE = "receipts_late"  # codes are entered before their receipts come
    RECEIPTS_UNTRUSTED = "receipts_untrusted"  # codes are entered without them
    PRICE = "price"  # a message or call costs more
    TRAFFIC_GONE = "traffic_gone"  # no requests where there were some every day


@dataclass(frozen=True, slots=True)
class Cause:
    """One incident. All numbers are of the attempts from `since` on, to `until` or to the end.

    `k` of `n`: what the kind counts (unclear sends, failed or late attempts, verifications without
    a right code, attempts without receipt). `usual`: the share that is expected; of PRICE the
    price, in US dollars, `k` and `n` are those of the priced attempts; of TRAFFIC_GONE the number
    of requests. `lost`: verifications. `money`: US dollars for codes that were not entered, beyond
    the usual; None while no price is known. `is_new`: nothing was requested there before.
    """

    kind: CauseKind
    place: TrafficPlace
    since: datetime
    until: datetime | None
    k: float
    n: float
    usual: float
    lost: int
    money: float | None
    is_new: bool = False
    requested: int = 0
    converted: int = 0
    #: The share that was tested; None for prices and traffic.
    measure: Share | None = None

    #: Whether it is the sum of causes in several channels.
    is_joined: bool = False
    #: Of SLOW: `k` took longer than this.
    seconds: int = 0

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether it lasted at some time between two moments."""
        return self.since < end and (self.until is None or self.until > start)

    @property
    def is_conversion(self) -> bool:
        """Whether `k` of `n` are verifications without a right code, not attempts."""
        return self.measure is Share.UNCONVERTED

    @property
    def rate(self) -> float:
        return self.k / self.n if self.n else 0.0


class Outcome(StrEnum):
    """What a verdict amounts to."""

    CAUSES = "causes"
    CALM = "calm"
    TOO_FEW = "too_few"
    NO_TRAFFIC = "no_traffic"
    LOADING = "loading"  # no incident is searched while sample traffic is loaded or removed


@dataclass(frozen=True, slots=True)
class DeliveryVerdict:
    """Whether codes arrive in a range, and what is wrong, the worst first.

    `confirmed` of `requested` are of ripe attempts; `too_new`: the others. `compared_days`: how
    many days before the range it could be compared with. `at_least`: receipts are missing, so more
    codes may have arrived.
    """

    outcome: Outcome
    confirmed: int
    requested: int
    causes: tuple[Cause, ...]
    compared_days: int
    at_least: bool = False
    too_new: int = 0

    @property
    def is_too_few(self) -> bool:
        return self.requested < ENOUGH
