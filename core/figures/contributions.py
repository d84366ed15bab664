"""Computes what an attempt adds to the figures: the values of COLUMNS, and how long its legs took.

The figures are a function of the attempt's record. A change of the record adds the difference
between the record after it and before it, so no event counts twice, and one that corrects another
takes back what that had added.

What concerns a verification (started, converted, unattributed, time to verify) is counted on its
first attempt. `core.ledger.attribution` defines which attempt brought the right code.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.figures.catalogue import COLUMNS, Leg
from core.figures.journal_entries import ORIGINS
from core.figures.layout import HORIZON_MS
from core.figures.packing import INEXACT, Counts
from core.ledger.attribution import OTHER, SHARED, SOLE, UNATTRIBUTED
from core.model.attempt import RANKS, EventKind

_FIRST, _RESEND, _FALLBACK = map(ORIGINS.index, ("first", "resend", "fallback"))

Moments = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Span:
    """Milliseconds from one moment to another, cut to the horizon; `has`: both are known; `cut`:
    they had to be cut."""

    ms: Moments
    has: Bools
    cut: Bools

    @classmethod
    def between(cls, begin: Moments, end: Moments) -> "_Span":
        has = (begin >= 0) & (end >= 0)
        ms = end - begin
        inside = np.clip(ms, 0, HORIZON_MS)
        return cls(np.where(has, inside, 0), has, has & (inside != ms))


def _whole(values: NDArray[Any]) -> Moments:
    """Whole numbers; -1 for what no counted value can be, such as "nan"."""
    is_number = (values >= 0) & (values <= INEXACT)
    return np.where(is_number, values, -1).astype(np.int64)


def contributions(entries: NDArray[Any], images: NDArray[Any]) -> tuple[Counts, dict[Leg, Counts]]:
    """(entries, COLUMNS); and by leg (entries,) how long it took in ms, -1 where it has no end."""
    origin, requested = entries["origin"], entries["requested"].astype(np.int64)
    # By column: a field of a structured array is not contiguous.
    moment = {name: _whole(images[name]) for name in images.dtype.names or ()}
    rank, delivered, code = moment["rank"], moment["delivered"], moment["code"]
    cost = moment["cost_micros"]
    has = {name: values >= 0 for name, values in moment.items()}
    is_first = origin == _FIRST
    proof = np.where(has["code"], moment["proof"], OTHER)
    # A first attempt that was also the last one needs no attribution.
    brought = ((proof & 3) == SOLE) | ((proof == 0) & is_first)
    may_have_brought = (proof & 3) == SHARED
    is_rejected, is_failed, is_undelivered = (
        rank == RANKS[kind]
        for kind in (EventKind.REJECTED, EventKind.FAILED, EventKind.UNDELIVERED)
    )
    # Plivo charges neither what it refused or could not hand over, nor a call without an answer.
    is_free = is_rejected | is_failed
    is_free |= is_undelivered & (entries["is_sms"] == 0) & ~has["handed"]
    app = _Span.between(requested, moment["accepted"])
    queue = _Span.between(moment["queued"], moment["handed"])
    carrier = _Span.between(moment["handed"], delivered)
    ttd = _Span.between(requested, delivered)
    ttv = _Span.between(requested, np.where(is_first, code, -1))
    # A receipt may come after the person has entered the code: that is no time of theirs.
    has_person = brought & has["delivered"] & (code >= delivered)
    columns = {
        "requested": np.ones(len(entries), dtype=np.bool_),
        "started": is_first,
        "resends": origin == _RESEND,
        "fallbacks": origin == _FALLBACK,
        "rescued": brought & (origin == _FALLBACK),
        "skewed": app.cut | queue.cut | carrier.cut | ttd.cut | ttv.cut,
        "unclear": rank == RANKS[EventKind.UNCONFIRMED],
        "unreported": rank == RANKS[EventKind.UNREPORTED],
        "rejected": is_rejected,
        "failed": is_failed,
        "undelivered": is_undelivered,
        "entered": has["checked"],
        "verified": brought,
        "converted": has["code"] & is_first,
        "unattributed": (proof & UNATTRIBUTED) > 0,
        "n_person": has_person,
        "accepted": has["accepted"],
        "n_app": app.has,
        "units": np.where(has["units"], moment["units"], 0),
        # A carrier's refusal also proves that it had the message; of a call it proves nothing.
        "sent": has["handed"] | has["delivered"] | (has["undelivered"] & (entries["is_sms"] == 1)),
        "n_queue": queue.has,
        "delivered": rank == RANKS[EventKind.DELIVERED],
        "confirmed": has["delivered"] | brought,
        "within_10": ttd.has & (ttd.ms <= 10_000),
        "within_30": ttd.has & (ttd.ms <= 30_000),
        "within_60": ttd.has & (ttd.ms <= 60_000),
        "n_carrier": carrier.has,
        "priced": has["cost_micros"] | is_free,
        "cost_micros": np.where(has["cost_micros"], cost, 0),
        "carrier_ms": carrier.ms,
        "queue_ms": queue.ms,
        "app_ms": app.ms,
        "person_ms": np.where(has_person, code - delivered, 0),
        "cost_verified_micros": np.where(brought & has["cost_micros"], cost, 0),
        "cost_unattributed_micros": np.where(may_have_brought & has["cost_micros"], cost, 0),
    }
    values = np.empty((len(entries), len(COLUMNS)), dtype=np.int64)
    for place, name in enumerate(COLUMNS):
        values[:, place] = columns[name]
    legs = {Leg.TTD: ttd, Leg.TTV: ttv, Leg.QUEUE: queue, Leg.CARRIER: carrier}
    return values, {leg: np.where(span.has, span.ms, -1) for leg, span in legs.items()}
