"""The incidents of price, and of traffic that is missing: no share of attempts shows them."""

import numpy as np

from core.findings import sizing
from core.findings.causes import Cause, CauseKind
from core.findings.evidence import PlaceEvidence
from core.findings.places import Bools
from core.findings.prices import price_rises
from core.findings.traffic import gone_places, traffic
from core.model.clock import from_ms


def price_causes(evidence: PlaceEvidence, known: Bools) -> list[Cause]:
    """Where a message or call costs more. `known`: series that are left out."""
    causes = []
    for rise in price_rises(evidence, known):
        course = sizing.course(evidence, rise.place, known=known)
        expensive = sizing.price_interval(course, rise.expected / rise.priced, rise.ratio)
        if expensive is None:
            continue
        causes.append(
            Cause(
                kind=CauseKind.PRICE,
                place=evidence.places.places[rise.place],
                since=course.since(expensive.interval),
                until=course.until(expensive.interval),
                k=expensive.cost,
                n=expensive.priced,
                usual=expensive.usual,
                lost=0,
                money=expensive.cost - expensive.priced * expensive.usual,
            )
        )
    return causes


def gone_causes(evidence: PlaceEvidence, rate: float, known: Bools) -> list[Cause]:
    """Where traffic is missing. `rate`, `known`: as of `traffic.gone_places`."""
    causes = []
    requests = traffic(evidence, "requested")
    for place in gone_places(evidence, rate, known):
        course = sizing.course(evidence, place)
        seen = np.flatnonzero(course.column("requested"))
        # Only what has not come back.
        last = int(seen[-1]) if len(seen) else -1
        since = int(course.ends[last]) if last >= 0 else int(course.starts[0])
        causes.append(
            Cause(
                kind=CauseKind.TRAFFIC_GONE,
                place=evidence.places.places[place],
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
