"""Judges a range: whether codes arrive, and which incidents explain what is not as usual.

Each share is tested in every place (`shares`), and places are named (`attribution`) in an order in
which one incident explains the next: a send without a clear answer also costs verifications, a dead
carrier also sends no receipts. What a place's incident explains is not named again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.figures.catalogue import COLUMNS
from core.figures.rates import ENOUGH
from core.findings import sizing
from core.findings.attribution import (
    Excess,
    assessed,
    name_places,
    relative_excess,
    with_excess,
)
from core.findings.causes import Cause, CauseKind, DeliveryVerdict, Outcome
from core.findings.change_point import Interval
from core.findings.evidence import PlaceEvidence
from core.findings.places import Bools
from core.findings.prices import price_rises
from core.findings.shares import Expectation, Share, expectation
from core.findings.traffic import Traffic, gone_places, traffic
from core.model.clock import from_ms

#: The expected share of looks at usual traffic in which any place is named, for all tests together.
FALSE_LOOKS = 0.01
_TESTS = 12
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


#: The kinds of incidents that explain an excess of a share in their places.
_FAILING = {CauseKind.UNCLEAR, CauseKind.LOSES, CauseKind.PUMPING}
_RECEIPTS = {CauseKind.RECEIPTS_SILENT, CauseKind.RECEIPTS_UNTRUSTED, CauseKind.RECEIPTS_LATE}
_EXPLAINED_BY = {
    Share.UNCLEAR: {CauseKind.UNCLEAR},
    Share.FAILED: {CauseKind.LOSES, CauseKind.PUMPING, CauseKind.RECEIPTS_UNTRUSTED},
    Share.SLOW: {*_FAILING, CauseKind.SLOW, *_RECEIPTS},
    Share.UNCONVERTED: {*_FAILING, CauseKind.SLOW},
    Share.UNREPORTED: {*_FAILING, CauseKind.SLOW, *_RECEIPTS},
}


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Up to which request attempts are ripe, Unix ms."""

    answer: float
    arrival: float
    ripe: float

    def of(self, share: Share) -> float:
        match share:
            case Share.UNCLEAR | Share.FAILED:
                return self.answer
            case Share.SLOW:
                return self.arrival
            case Share.UNREPORTED | Share.UNCONVERTED:
                return self.ripe


def causes(evidence: PlaceEvidence, cutoffs: Cutoffs, known: Sequence[Cause] = ()) -> list[Cause]:
    """The incidents of a range, without what the `known` ones explain."""
    if not len(evidence.places.names) or not evidence.steps.size:
        return []
    return _Search(evidence, cutoffs, known).causes()


def outcome(
    confirmed: int, requested: int, causes: list[Cause], compared_days: int, too_new: int = 0
) -> DeliveryVerdict:
    """The verdict. `confirmed` of `requested` are of ripe attempts; `too_new`: the others."""
    at_least = any(
        cause.kind in _RECEIPTS and cause.until is None and cause.place.is_global
        for cause in causes
    )
    if causes:
        kind = Outcome.CAUSES
    elif not requested + too_new:
        kind = Outcome.NO_TRAFFIC
    else:
        kind = Outcome.CALM if requested >= ENOUGH else Outcome.TOO_FEW
    return DeliveryVerdict(
        kind, confirmed, requested, tuple(causes), compared_days, at_least, too_new
    )


class _Search:
    def __init__(self, evidence: PlaceEvidence, cutoffs: Cutoffs, known: Sequence[Cause]) -> None:
        self._evidence = evidence
        self._cutoffs = cutoffs
        self._rate = FALSE_LOOKS / _TESTS
        self._expected: Mapping[Share, Expectation] = {
            share: expectation(
                evidence, share, cutoffs.of(share), self._inside(known, _EXPLAINED_BY[share])
            )
            for share in Share
        }
        self._known_prices = self._inside(known, {CauseKind.PRICE})
        self._known_gone = self._inside(known, {CauseKind.TRAFFIC_GONE})
        self._started: Traffic = traffic(evidence, "started")

    def causes(self) -> list[Cause]:
        unclear = self._named(Share.UNCLEAR)
        failed = self._named(Share.FAILED)
        slow = self._named(Share.SLOW)
        unconverted = self._named(
            Share.UNCONVERTED,
            self._explained([*unclear, *failed], slow),
            [self._members(excess.place) for excess in slow],
        )
        unreported = self._named(
            Share.UNREPORTED,
            blocked=[self._members(excess.place) for excess in [*failed, *slow]],
        )
        named = [*unclear, *failed, *slow, *unconverted, *unreported]
        causes = [cause for excess in named if (cause := self._cause(excess))]
        return [*causes, *self._price_causes(), *self._gone_causes()]

    def _named(
        self,
        share: Share,
        expected: Expectation | None = None,
        blocked: list[Bools] | None = None,
    ) -> list[Excess]:
        expected = expected or self._expected[share]
        return name_places(self._evidence, share, expected, self._rate, blocked or [])

    def _explained(self, failing: list[Excess], slow: list[Excess]) -> Expectation:
        """The expected conversion, given what the incidents explain: at most one verification for
        each attempt that fails, and where codes are slow the whole difference."""
        expected = self._expected[Share.UNCONVERTED]
        for excess in failing:
            cause = self._expected[excess.share]
            share = np.divide(cause.k, cause.n, out=cause.q.copy(), where=cause.n > 0)
            relative = np.maximum((share - cause.q) / (1 - cause.q), 0)
            expected = with_excess(expected, self._members(excess.place), relative)
        for excess in slow:
            tested = assessed(self._evidence, expected)
            at = excess.place
            lost = relative_excess(tested.k[at], tested.n[at], tested.expected[at])
            expected = with_excess(expected, self._members(at), max(0.0, lost))
        return expected

    def _inside(self, known: Sequence[Cause], kinds: Collection[CauseKind]) -> Bools:
        places = (cause.place for cause in known if cause.kind in kinds)
        return self._evidence.places.inside(places)

    def _members(self, place: int) -> Bools:
        return self._evidence.places.members(place)

    def _usual(self, share: Share, place: int) -> float:
        return sizing.usual_share(self._expected[share], self._evidence, place)

    def _cause(self, excess: Excess) -> Cause | None:
        course = self._course(excess.place, excess.share)
        usual = self._usual(excess.share, excess.place)
        interval = sizing.share_interval(course, excess.share, usual)
        if interval is None:
            return None
        kind = self._kind(excess, course, interval)
        return self._sized(kind, excess.share, excess.place, interval, usual)

    def _sized(
        self,
        kind: CauseKind,
        share: Share,
        place: int,
        interval: Interval,
        usual: float,
    ) -> Cause:
        ripe = self._course(place, share)
        usuals = sizing.Usual(
            share=usual,
            unconverted=self._usual(Share.UNCONVERTED, place),
            waste=sizing.usual_waste(self._evidence, place),
            is_new=self._is_new(place, ripe, interval),
        )
        named = self._evidence.places.places[place]
        cause = sizing.size(ripe, kind, share, named, interval, usuals)
        if kind is CauseKind.SLOW:
            return sizing.with_seconds(cause, self._evidence, ripe, interval, place)
        return cause

    def _course(self, place: int, share: Share) -> sizing.Course:
        known = self._expected[share].known
        return sizing.course(self._evidence, place, self._cutoffs.of(share), known)

    def _kind(self, excess: Excess, course: sizing.Course, interval: Interval) -> CauseKind:
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
                if not self._is_entered(excess.place, total):
                    return CauseKind.LOSES
                reported = total["delivered"] + total["undelivered"] + total["failed"]
                if reported < _SILENT * total["accepted"]:
                    return CauseKind.RECEIPTS_SILENT
                return CauseKind.RECEIPTS_UNTRUSTED
            case Share.FAILED:
                without = total["confirmed"] - total["delivered"]
                if self._is_entered(excess.place, total) and without > _UNTRUSTED * max(
                    total["verified"], 1
                ):
                    return CauseKind.RECEIPTS_UNTRUSTED
            case Share.UNCONVERTED:
                pass
        is_pumped = self._has_grown(excess.place, course, interval, total)
        return CauseKind.PUMPING if is_pumped else CauseKind.LOSES

    def _is_entered(self, place: int, total: dict[str, float]) -> bool:
        """Whether codes are entered nearly as usual."""
        usual = 1 - self._usual(Share.UNCONVERTED, place)
        return total["converted"] >= 0.7 * usual * total["started"]

    def _has_grown(
        self, place: int, course: sizing.Course, interval: Interval, total: dict[str, float]
    ) -> bool:
        """Whether there are more verifications than usual, and not fewer that succeed."""
        span = float(course.ends[interval.last] - course.starts[interval.first])
        usual_rate = self._rate_before(place, course, interval)
        if usual_rate is None:
            return False
        usual = usual_rate * span
        is_burst = total["started"] >= max(_BURST * usual, usual + 20)
        succeeding = usual * (1 - self._usual(Share.UNCONVERTED, place))
        as_many = total["converted"] >= 0.5 * succeeding
        # So much more is no retry of those who got no code.
        is_flood = total["started"] >= _FLOOD * usual + 20
        return bool(is_flood or ((self._started.has_grown[place] or is_burst) and as_many))

    def _is_new(self, place: int, course: sizing.Course, interval: Interval) -> bool:
        """Whether nothing was requested there before the interval, though elsewhere."""
        if course.column("requested")[: interval.first].any():
            return False
        if self._started.days:
            return not self._started.usual[place]
        return self._rate_before(place, course, interval) is not None

    def _rate_before(self, place: int, course: sizing.Course, interval: Interval) -> float | None:
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

    def _price_causes(self) -> list[Cause]:
        causes = []
        for rise in price_rises(self._evidence, self._known_prices):
            course = sizing.course(self._evidence, rise.place, known=self._known_prices)
            dearer = sizing.price_interval(course, rise.expected / rise.priced, rise.ratio)
            if dearer is None:
                continue
            causes.append(
                Cause(
                    kind=CauseKind.PRICE,
                    place=self._evidence.places.places[rise.place],
                    since=course.since(dearer.interval),
                    until=course.until(dearer.interval),
                    k=dearer.cost,
                    n=dearer.priced,
                    usual=dearer.usual,
                    lost=0,
                    money=dearer.cost - dearer.priced * dearer.usual,
                )
            )
        return causes

    def _gone_causes(self) -> list[Cause]:
        causes = []
        requests = traffic(self._evidence, "requested")
        for place in gone_places(self._evidence, self._rate, self._known_gone):
            course = sizing.course(self._evidence, place)
            seen = np.flatnonzero(course.column("requested"))
            # Only what has not come back.
            last = int(seen[-1]) if len(seen) else -1
            since = int(course.ends[last]) if last >= 0 else int(course.starts[0])
            causes.append(
                Cause(
                    kind=CauseKind.TRAFFIC_GONE,
                    place=self._evidence.places.places[place],
                    since=from_ms(since),
                    until=None,
                    k=float(requests.number[place]),
                    n=float(requests.usual[place]),
                    usual=float(requests.usual[place]),
                    lost=0,
                    money=None,
                )
            )
        return causes
