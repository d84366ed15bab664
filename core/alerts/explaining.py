"""Finds which alert explains which, so that an incident is reported once."""

from collections.abc import Mapping
from dataclasses import replace

from core.alerts.measures import Measure
from core.alerts.records import Place, StoredStatus
from core.alerts.wholes import depth_of, is_part
from core.model.series import Series

#: Measures that an incident can change through another one. Pumped codes are not entered, and often
#: sent to numbers that do not exist; a price is a thing of its own.
_RELATED = {
    Measure.UNCLEAR: {Measure.CONFIRMED, Measure.WITHIN_60, Measure.CONVERSION},
    Measure.RECEIPTS: {Measure.CONFIRMED, Measure.WITHIN_60},
    Measure.CONFIRMED: {
        *(Measure.UNCLEAR, Measure.RECEIPTS, Measure.WITHIN_60, Measure.CONVERSION),
    },
    Measure.WITHIN_60: {
        *(Measure.UNCLEAR, Measure.RECEIPTS, Measure.CONFIRMED, Measure.CONVERSION),
    },
    Measure.CONVERSION: {
        *(Measure.UNCLEAR, Measure.CONFIRMED, Measure.WITHIN_60, Measure.TRAFFIC),
    },
    Measure.TRAFFIC: {Measure.CONVERSION, Measure.CONFIRMED, Measure.WITHIN_60},
    Measure.PRICE: set(),
}
_ORDER = tuple(Measure)


def with_leaders(
    stored: Mapping[Place, StoredStatus], leads: Mapping[Place, Series]
) -> dict[Place, StoredStatus]:
    """The statuses, with `under` set for each alert that another one explains. `leads`: the series
    whose alert of the same measure explains that of a place.

    The alerts are put into one order, and each can be explained by an earlier one only: first those
    that no other series explains, the widest first; of one series that which fired first.
    """

    def rank(place: Place) -> tuple[object, ...]:
        series, measure = place
        lead = leads.get(place)
        is_led = lead is not None and not is_part(series, lead)
        began = stored[place].began_ms
        return is_led, depth_of(series), began, _ORDER.index(measure), series

    heads: list[Place] = []
    marked = dict(stored)
    for place in sorted((p for p in stored if stored[p].status.state.is_alert), key=rank):
        lead = leads.get(place)
        head = next((head for head in heads if _explains(head, place, lead)), None)
        if head is None:
            heads.append(place)
        else:
            status = replace(stored[place].status, under=head[0])
            marked[place] = replace(stored[place], status=status)
    return marked


def _explains(head: Place, place: Place, lead: Series | None) -> bool:
    """Whether the alert `head`, which no other one explains, explains the one of `place`."""
    (of, cause), (series, measure) = head, place
    if cause is not measure and measure not in _RELATED[cause]:
        return False
    if series == of or is_part(series, of):
        return series != of or cause is not measure
    # A part explains its whole where the whole is good without it.
    return is_part(of, series) and lead is not None and (of == lead or is_part(of, lead))
