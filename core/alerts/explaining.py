"""Finds which alert explains which, so that an incident is reported once."""

from collections.abc import Mapping
from dataclasses import replace

from core.alerts.measures import Measure
from core.alerts.records import AlertStatus, Place, StoredStatus
from core.alerts.states import AlertState
from core.alerts.wholes import depth_of, is_part
from core.model.clock import from_ms
from core.model.series import NO_SERIES, Series

#: Measures that an incident can change through another one. Pumped codes are not entered, and often
#: sent to numbers that do not exist, and budgets refuse many. People who get no code try again
#: until a budget refuses. Where budgets refuse all, the traffic stops. A price is a thing of its
#: own.
_RELATED = {
    Measure.UNCLEAR: {
        *(Measure.CONFIRMED, Measure.WITHIN_60, Measure.CONVERSION, Measure.TRAFFIC),
        Measure.REFUSED,
    },
    Measure.RECEIPTS: {Measure.CONFIRMED, Measure.WITHIN_60},
    Measure.CONFIRMED: {
        *(Measure.UNCLEAR, Measure.RECEIPTS, Measure.WITHIN_60, Measure.CONVERSION),
        *(Measure.TRAFFIC, Measure.REFUSED),
    },
    Measure.WITHIN_60: {
        *(Measure.UNCLEAR, Measure.RECEIPTS, Measure.CONFIRMED, Measure.CONVERSION),
        *(Measure.TRAFFIC, Measure.REFUSED),
    },
    Measure.CONVERSION: {
        *(Measure.UNCLEAR, Measure.CONFIRMED, Measure.WITHIN_60, Measure.TRAFFIC),
        Measure.REFUSED,
    },
    Measure.TRAFFIC: {
        *(Measure.CONVERSION, Measure.CONFIRMED, Measure.WITHIN_60, Measure.REFUSED),
    },
    Measure.REFUSED: {Measure.CONVERSION, Measure.TRAFFIC},
    Measure.PRICE: set(),
}
_ORDER = tuple(Measure)
#: From this multiple of the usual traffic on, retries of people without a code do not explain it.
_FLOOD, _LEAST_FLOOD = 5.0, 20


def without_ended_leaders(
    before: Mapping[Place, StoredStatus], stored: Mapping[Place, StoredStatus], now_ms: int
) -> dict[Place, StoredStatus]:
    """The statuses after the end of alerts that no other one explains: what such an alert explains,
    or would when its attempts are old enough to be judged, ends with it. What is still wrong then
    fires by the attempts from now on."""
    ended = [
        place
        for place, was in before.items()
        if was.is_head and not (place in stored and stored[place].status.state.is_alert)
    ]
    left = dict(stored)
    for place, entry in stored.items() if ended else ():
        is_own = place in before and before[place].is_head
        if is_own or not any(_is_seen(head, place) for head in ended):
            continue
        left[place] = replace(entry, cleared_ms=now_ms)
        if entry.status.state.is_alert:
            status = replace(entry.status, state=AlertState.OK, since=from_ms(now_ms), chance=None)
            left[place] = replace(left[place], status=status, began_ms=0)
    return left


def is_related(cause: Measure, measure: Measure) -> bool:
    """Whether an incident of one measure can change the other."""
    return measure is cause or measure in _RELATED[cause]


def _is_seen(head: Place, place: Place) -> bool:
    """Whether an incident of one can be seen in the other."""
    (of, cause), (series, measure) = head, place
    is_near = series == of or is_part(series, of) or is_part(of, series)
    return is_near and is_related(cause, measure)


def with_leaders(
    stored: Mapping[Place, StoredStatus], leads: Mapping[Place, Series]
) -> dict[Place, StoredStatus]:
    """The statuses, with `under` set for each alert that another one explains. `leads`: the series
    whose alert of the same measure explains that of a place.

    The alerts are put into one order, and each can be explained by an earlier one only: first those
    that no other series explains, the widest first; of one series that which fired first.
    """

    def lead_of(place: Place) -> Series | None:
        # Without new evidence an alert is explained by what explained it before.
        return _lead_of(place, leads) or stored[place].status.under or None

    def rank(place: Place) -> tuple[object, ...]:
        series, measure = place
        lead = lead_of(place)
        is_led = lead is not None and not is_part(series, lead)
        began = stored[place].began_ms
        return is_led, depth_of(series), began, _ORDER.index(measure), series

    heads: list[Place] = []
    marked = dict(stored)
    for place in sorted((p for p in stored if stored[p].status.state.is_alert), key=rank):
        lead = lead_of(place)
        is_flood = _is_flood(stored[place].status)
        head = next((h for h in heads if _explains(h, place, lead, is_flood=is_flood)), None)
        if head is None:
            heads.append(place)
        status = replace(stored[place].status, under=head[0] if head else NO_SERIES)
        marked[place] = replace(stored[place], status=status)
    return marked


def _lead_of(place: Place, leads: Mapping[Place, Series]) -> Series | None:
    """Refused sends are not counted by carrier. So a carrier that explains another alert of the
    country explains refused sends too, if that measure can cause them."""
    series, measure = place
    if place in leads or measure is not Measure.REFUSED:
        return leads.get(place)
    causes = (leads.get((series, cause)) for cause in _ORDER if measure in _RELATED[cause])
    return next((lead for lead in causes if lead and is_part(lead, series)), None)


def _is_flood(status: AlertStatus) -> bool:
    """Whether there is more traffic than retries can explain."""
    if status.measure is not Measure.TRAFFIC or not status.observed:
        return False
    usual = (status.baseline or 0.0) * status.n / status.observed
    return status.n >= _FLOOD * usual + _LEAST_FLOOD


def _explains(head: Place, place: Place, lead: Series | None, *, is_flood: bool) -> bool:
    """Whether the alert `head`, which no other one explains, explains the one of `place`."""
    (of, cause), (series, measure) = head, place
    if cause is not measure and (measure not in _RELATED[cause] or is_flood):
        return False
    if series == of or is_part(series, of):
        return series != of or cause is not measure
    # A part explains its whole where the whole is good without it.
    return is_part(of, series) and lead is not None and (of == lead or is_part(of, lead))
