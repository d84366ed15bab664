"""The measures that alerts watch, and how each is counted from the figures."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.alerts.sequential import Floats

#: The figures of the catalogue that alerts read, in this order.
STORED_FIGURES = (
    *("requested", "resends", "confirmed", "delivered", "verified", "within_60", "unclear"),
    *("started", "converted", "priced", "cost_micros"),
)
#: All that alerts read, in this order. `refused`: numbers that budgets refused, of all traffic,
#: channels and countries; see `core.store.refusals`.
ALERT_FIGURES = (*STORED_FIGURES, "refused")
#: Figures by name, all of one shape.
Figures = Mapping[str, Floats]


class Measure(StrEnum):
    """What is watched of each series. Of two alerts of a series that begin at the same time, the
    first in this order explains the other."""

    UNCLEAR = "unclear"
    RECEIPTS = "receipts"
    CONFIRMED = "confirmed"
    WITHIN_60 = "within_60"
    CONVERSION = "conversion"
    TRAFFIC = "traffic"
    REFUSED = "refused"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class ShareMeasure:
    """A measure that is a share: of `n` attempts some are `bad`.

    An attempt is judged from the age of `after_ms` on. `usual_bad` counts, of ripe figures of past
    days, how many were bad at that age, at most: so both are compared at equal ripeness. Its second
    argument is the share of right codes that are entered before that age. `least`: so many bad
    attempts are needed for an alert. `margin`: the relative rise of the bad share that no alert is
    about. It hardly delays the alert of a failure, and keeps large series quiet, whose tests would
    see any small change; people vary more than routes. `remaining`: the assumed changes, as what is
    left of the good share. Each is nearly the fastest test for drops of about its size.
    `has_resends`: whether resends are counted; they are no attempts of their own. `of_carriers`:
    whether it is counted of carriers. `without_past`: the usual share of bad attempts that is
    assumed of a series without a past; NaN: such a series is not judged. The past of a measure with
    such a share begins with the first bad attempt: earlier days were perhaps not counted.
    """

    measure: Measure
    n: Callable[[Figures], Floats]
    bad: Callable[[Figures], Floats]
    usual_bad: Callable[[Figures, Floats], Floats]
    after_ms: int
    least: int = 3
    margin: float = 0.15
    remaining: tuple[float, ...] = (0.02, 0.5, 0.85)
    has_resends: bool = True
    of_carriers: bool = True
    without_past: float = math.nan


_MINUTE_MS = 60_000


def _late_receipts(figures: Figures) -> Floats:
    """The share of receipts that come later than 60 seconds."""
    delivered = figures["delivered"]
    in_time = np.divide(
        figures["within_60"], delivered, out=np.ones(delivered.shape), where=delivered > 0
    )
    return 1.0 - in_time


def _not_confirmed_yet(figures: Figures, entered: Floats) -> Floats:
    """Attempts without proof after 60 seconds: those never confirmed, those whose receipt comes
    later and whose code is not entered, and those whose receipt and code come later."""
    late = _late_receipts(figures)
    by_receipt = figures["confirmed"] - figures["verified"]
    waiting = late * (by_receipt + (1.0 - entered) * figures["verified"])
    return figures["requested"] - figures["confirmed"] + waiting


def _without_receipt_yet(figures: Figures, entered: Floats) -> Floats:
    """Verified attempts without a receipt after 60 seconds."""
    never = figures["confirmed"] - figures["delivered"]
    return never + _late_receipts(figures) * (figures["verified"] - never)


SHARES = (
    # At once: a send is unclear as soon as its answer is. The logs settle most within minutes, so
    # past figures hold too few: see `baseline.LEAST_UNCLEAR`.
    ShareMeasure(
        Measure.UNCLEAR,
        n=lambda f: f["requested"],
        bad=lambda f: f["unclear"],
        usual_bad=lambda f, _: f["unclear"],
        after_ms=-_MINUTE_MS,
        least=2,
    ),
    ShareMeasure(
        Measure.RECEIPTS,
        n=lambda f: f["verified"],
        bad=lambda f: np.clip(f["confirmed"] - f["delivered"], 0, f["verified"]),
        usual_bad=_without_receipt_yet,
        after_ms=_MINUTE_MS,
    ),
    ShareMeasure(
        Measure.CONFIRMED,
        n=lambda f: f["requested"],
        bad=lambda f: f["requested"] - f["confirmed"],
        usual_bad=_not_confirmed_yet,
        after_ms=_MINUTE_MS,
    ),
    ShareMeasure(
        Measure.WITHIN_60,
        n=lambda f: f["requested"],
        bad=lambda f: f["requested"] - f["within_60"],
        usual_bad=lambda f, _: f["requested"] - f["within_60"],
        after_ms=_MINUTE_MS,
    ),
    # After the default life of a code.
    ShareMeasure(
        Measure.CONVERSION,
        n=lambda f: f["started"],
        bad=lambda f: f["started"] - f["converted"],
        usual_bad=lambda f, _: f["started"] - f["converted"],
        after_ms=5 * _MINUTE_MS,
        margin=0.3,
        has_resends=False,
    ),
    # At once, and by people: who is refused again within the hour counts once. A person who tries
    # what the budgets do has few numbers, and an office that shares an address a handful: so 15.
    ShareMeasure(
        Measure.REFUSED,
        n=lambda f: f["requested"] - f["resends"] + f["refused"],
        bad=lambda f: f["refused"],
        usual_bad=lambda f, _: f["refused"],
        after_ms=-_MINUTE_MS,
        least=15,
        margin=1.0,
        remaining=(0.02, 0.5, 0.85, 0.95),
        has_resends=False,
        of_carriers=False,
        without_past=0.05,
    ),
)
SHARE_OF = {share.measure: share for share in SHARES}
