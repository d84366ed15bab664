"""Decides which kind of incident an excess is."""

import numpy as np

from core.figures.catalogue import COLUMNS
from core.findings.attribution import Excess
from core.findings.causes import CauseKind
from core.findings.change_point import Interval
from core.findings.evidence import PlaceEvidence
from core.findings.shares import Share
from core.findings.sizing import Course
from core.findings.traffic import Traffic, traffic

#: Codes are entered before most of their receipts come.
_LATE = 0.5
#: Receipts are silent if less than this share comes, and not to be trusted if codes are entered for
#: at least this share of the attempts without one.
_SILENT, _UNTRUSTED = 0.1, 0.2
#: Sends in an interval are growth from this multiple of the usual number on: a day has busy hours.
_BURST, _FLOOD = 3.0, 5.0
_STARTED = COLUMNS.index("started")
#: What is usual is known from so many steps with traffic before an interval.
_LEAST_BEFORE = 3


class KindsOfIncidents:
    """The kinds of the incidents of one range."""

    def __init__(self, evidence: PlaceEvidence) -> None:
        self._evidence = evidence
        self._started: Traffic = traffic(evidence, "started")

    def kind(
        self, excess: Excess, course: Course, interval: Interval, unconverted: float
    ) -> CauseKind:
        """`unconverted`: the usual share of verifications in the place that do not succeed."""
        inside = slice(interval.first, interval.last + 1)
        total = {
            name: course.column(name)[inside].sum()
            for name in (
                *("requested", "accepted", "delivered", "confirmed", "verified", "n_person"),
                *("undelivered", "failed", "started", "converted"),
            )
        }
        match excess.share:
            case Share.UNCLEAR:
                return CauseKind.UNCLEAR
            case Share.SLOW:
                both = total["verified"] + total["delivered"] - total["confirmed"]
                is_late = both > 0 and 1 - total["n_person"] / both >= _LATE
                return CauseKind.RECEIPTS_LATE if is_late else CauseKind.SLOW
            case Share.UNREPORTED:
                if not _is_entered(total, unconverted):
                    return CauseKind.LOSES
                reported = total["delivered"] + total["undelivered"] + total["failed"]
                if reported < _SILENT * total["accepted"]:
                    return CauseKind.RECEIPTS_SILENT
                return CauseKind.RECEIPTS_UNTRUSTED
            case Share.FAILED:
                without = total["confirmed"] - total["delivered"]
                if _is_entered(total, unconverted) and without > _UNTRUSTED * max(
                    total["verified"], 1
                ):
                    return CauseKind.RECEIPTS_UNTRUSTED
            case Share.UNCONVERTED:
                pass
        is_pumped = self._has_grown(excess.place, course, interval, total, unconverted)
        return CauseKind.PUMPING if is_pumped else CauseKind.LOSES

    def _has_grown(
        self,
        place: int,
        course: Course,
        interval: Interval,
        total: dict[str, float],
        unconverted: float,
    ) -> bool:
        """Whether there are more verifications than usual, and not fewer that succeed."""
        span = float(course.ends[interval.last] - course.starts[interval.first])
        usual_rate = self._rate_before(place, course, interval)
        if usual_rate is None:
            return False
        usual = usual_rate * span
        is_burst = total["started"] >= max(_BURST * usual, usual + 20)
        succeeding = usual * (1 - unconverted)
        as_many = total["converted"] >= 0.5 * succeeding
        # Retries of people without a code do not explain so much more.
        is_flood = total["started"] >= _FLOOD * usual + 20
        return bool(is_flood or ((self._started.has_grown[place] or is_burst) and as_many))

    def is_new(self, place: int, course: Course, interval: Interval) -> bool:
        """Whether nothing was requested there before the interval, though elsewhere."""
        if course.column("requested")[: interval.first].any():
            return False
        if self._started.days:
            return not self._started.usual[place]
        return self._rate_before(place, course, interval) is not None

    def _rate_before(self, place: int, course: Course, interval: Interval) -> float | None:
        """The usual number of verifications in a millisecond: from the days of the past, or from
        the steps before the interval; None if both have too little traffic."""
        evidence = self._evidence
        if self._started.days:
            range_ms = float(evidence.edges[-1] - evidence.edges[0])
            return float(self._started.usual[place]) / range_ms
        started = evidence.steps[:, : interval.first - course.begins, _STARTED].sum(axis=0)
        begun = np.flatnonzero(started)
        if len(begun) < _LEAST_BEFORE:
            return None
        first = course.begins + int(begun[0])
        span = float(course.starts[interval.first] - course.starts[first])
        return float(course.column("started")[first : interval.first].sum()) / span


def _is_entered(total: dict[str, float], unconverted: float) -> bool:
    """Whether codes are entered nearly as usual."""
    return total["converted"] >= 0.7 * (1 - unconverted) * total["started"]
