"""Combines the incidents of several places and looks: each once, the worst first."""

from collections.abc import Sequence
from dataclasses import replace

from core.findings.causes import Cause, CauseKind
from core.findings.places import TrafficPlace
from core.findings.shares import Share

#: Which kinds an incident explains in its place and in the parts of it.
_EXPLAINS = {
    CauseKind.UNCLEAR: {
        *(CauseKind.SLOW, CauseKind.RECEIPTS_SILENT, CauseKind.RECEIPTS_LATE),
        CauseKind.RECEIPTS_UNTRUSTED,
    },
    CauseKind.LOSES: {
        *(CauseKind.SLOW, CauseKind.RECEIPTS_SILENT, CauseKind.RECEIPTS_LATE),
        CauseKind.RECEIPTS_UNTRUSTED,
    },
    CauseKind.PUMPING: {
        *(CauseKind.LOSES, CauseKind.SLOW, CauseKind.RECEIPTS_SILENT),
        *(CauseKind.RECEIPTS_LATE, CauseKind.RECEIPTS_UNTRUSTED),
    },
    CauseKind.SLOW: {CauseKind.LOSES, CauseKind.RECEIPTS_SILENT, CauseKind.RECEIPTS_LATE},
    CauseKind.RECEIPTS_SILENT: {CauseKind.SLOW, CauseKind.RECEIPTS_LATE},
    CauseKind.RECEIPTS_UNTRUSTED: {CauseKind.SLOW, CauseKind.RECEIPTS_LATE},
    CauseKind.RECEIPTS_LATE: {CauseKind.SLOW, CauseKind.RECEIPTS_SILENT},
    CauseKind.PRICE: set(),
    CauseKind.TRAFFIC_GONE: set(),
}


def combined(causes: list[Cause], known: Sequence[Cause] = ()) -> list[Cause]:
    """Each incident once, the worst first: one of all countries before the others, then by lost
    verifications, by the attempts concerned and by money. The `known` ones are kept in any case:
    they were found in a longer range, so there is more evidence of their place and size."""
    wide_first = sorted(_joined(causes), key=_dimensions)
    kept = list(known)
    for cause in wide_first:
        if not any(_is_same(other, cause) for other in kept):
            kept.append(cause)
    return sorted(kept, key=_badness, reverse=True)


def _dimensions(cause: Cause) -> tuple[int, int]:
    place = cause.place
    named = sum(part is not None for part in (place.channel, place.country, place.carrier))
    return named, list(CauseKind).index(cause.kind)


def _joined(causes: list[Cause]) -> list[Cause]:
    """One cause in place of those of the same kind that are in several channels of a place."""
    joined: list[Cause] = []
    for cause in causes:
        for at, other in enumerate(joined):
            if _are_siblings(other, cause):
                joined[at] = _sum(other, cause)
                break
        else:
            joined.append(cause)
    everywhere = [replace(c, place=replace(c.place, channel=None)) for c in joined if c.is_joined]
    return [*everywhere, *(cause for cause in joined if not cause.is_joined)]


def _are_siblings(cause: Cause, other: Cause) -> bool:
    place, another = cause.place, other.place
    return (
        place.country is not None
        and (place.country, place.carrier) == (another.country, another.carrier)
        and None not in (place.channel, another.channel)
        and place.channel != another.channel
        and (cause.kind, cause.seconds) == (other.kind, other.seconds)
        and _overlap(cause, other)
    )


def _sum(cause: Cause, other: Cause) -> Cause:
    n = cause.n + other.n
    costs = [money for money in (cause.money, other.money) if money is not None]
    ends = [until for until in (cause.until, other.until) if until is not None]
    return replace(
        cause,
        is_joined=True,
        since=min(cause.since, other.since),
        until=max(ends) if len(ends) == 2 else None,
        k=cause.k + other.k,
        n=n,
        usual=(cause.usual * cause.n + other.usual * other.n) / n,
        lost=cause.lost + other.lost,
        money=sum(costs) if costs else None,
        is_new=cause.is_new and other.is_new,
        requested=cause.requested + other.requested,
        converted=cause.converted + other.converted,
    )


def _contains(wide: TrafficPlace, narrow: TrafficPlace) -> bool:
    pairs = zip(
        (wide.channel, wide.country, wide.carrier),
        (narrow.channel, narrow.country, narrow.carrier),
        strict=True,
    )
    return all(a is None or a == b for a, b in pairs)


def _is_same(named: Cause, other: Cause) -> bool:
    """Whether an incident that is named explains another cause."""
    if not _contains(named.place, other.place) or not _overlap(named, other):
        return False
    if named.kind is CauseKind.SLOW and other.measure is Share.FAILED:
        # A code that comes too late is not entered; but no report says that it did not arrive.
        return False
    return other.kind is named.kind or other.kind in _EXPLAINS[named.kind]


def _overlap(cause: Cause, other: Cause) -> bool:
    return (cause.until is None or other.since < cause.until) and (
        other.until is None or cause.since < other.until
    )


def _badness(cause: Cause) -> tuple[bool, int, float, float]:
    return cause.place.is_global, cause.lost, cause.k - cause.usual * cause.n, cause.money or 0.0
