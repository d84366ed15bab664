"""Judges a range: whether codes arrive, and which incidents explain what is not as usual.

Each share is tested in every place (`shares`), and places are named (`attribution`) in an order in
which one incident explains the next: a send without a clear answer also costs verifications, a dead
carrier also sends no receipts. What a place's incident explains is not named again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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
from core.findings.kinds import KindsOfIncidents
from core.findings.places import Bools
from core.findings.price_and_traffic import gone_causes, price_causes
from core.findings.shares import Expectation, Share, expectation

#: The expected share of looks at usual traffic in which any place is named, for all tests together.
FALSE_POSITIVE_RATE = 0.01
_TESTS = 12
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
    confirmed: int,
    requested: int,
    causes: list[Cause],
    compared_days: int,
    too_new: int = 0,
    *,
    is_loading: bool = False,
) -> DeliveryVerdict:
    """The verdict. `confirmed` of `requested` are of ripe attempts; `too_new`: the others.
    `is_loading`: the days before are not all there, so nothing was searched."""
    at_least = any(
        cause.kind in _RECEIPTS and cause.until is None and cause.place.is_global
        for cause in causes
    )
    if causes:
        kind = Outcome.CAUSES
    elif not requested + too_new:
        kind = Outcome.NO_TRAFFIC
    elif is_loading:
        kind = Outcome.LOADING
    else:
        kind = Outcome.CALM if requested >= ENOUGH else Outcome.TOO_FEW
    return DeliveryVerdict(
        kind, confirmed, requested, tuple(causes), compared_days, at_least, too_new
    )


class _Search:
    def __init__(self, evidence: PlaceEvidence, cutoffs: Cutoffs, known: Sequence[Cause]) -> None:
        self._evidence = evidence
        self._cutoffs = cutoffs
        self._rate = FALSE_POSITIVE_RATE / _TESTS
        self._expected: Mapping[Share, Expectation] = {
            share: expectation(
                evidence, share, cutoffs.of(share), self._inside(known, _EXPLAINED_BY[share])
            )
            for share in Share
        }
        self._known_prices = self._inside(known, {CauseKind.PRICE})
        self._known_gone = self._inside(known, {CauseKind.TRAFFIC_GONE})
        self._kinds = KindsOfIncidents(evidence)

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
        price_rises = price_causes(self._evidence, self._known_prices)
        return [*causes, *price_rises, *gone_causes(self._evidence, self._rate, self._known_gone)]

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
        unconverted = self._usual(Share.UNCONVERTED, excess.place)
        kind = self._kinds.kind(excess, course, interval, unconverted)
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
            is_new=self._kinds.is_new(place, ripe, interval),
        )
        named = self._evidence.places.places[place]
        cause = sizing.size(ripe, kind, share, named, interval, usuals)
        if kind is CauseKind.SLOW:
            return sizing.with_seconds(cause, self._evidence, ripe, interval, place)
        return cause

    def _course(self, place: int, share: Share) -> sizing.Course:
        known = self._expected[share].known
        return sizing.course(self._evidence, place, self._cutoffs.of(share), known)
