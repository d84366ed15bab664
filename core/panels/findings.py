"""The view of an incident: the values of the Delivery page's controls that show it."""

from datetime import datetime, timedelta

from core.figures.ranges import Preset
from core.findings.causes import Cause
from core.panels.query_state import EVERY, QueryState

#: How many days back each preset certainly reaches.
_LENGTHS = {Preset.WEEK: 6, Preset.MONTH: 29, Preset.SEASON: 89}


def cause_values(cause: Cause, state: QueryState, now: datetime) -> dict[str, str]:
    """Filters by the place of the cause. The range, too, where it does not reach back to the
    beginning."""
    place = cause.place
    values = {
        "channel": place.channel,
        "country": place.country,
        "carrier": place.carrier,
    }
    filters = {name: EVERY if value is None else value for name, value in values.items()}
    if cause.since >= state.range.start:
        return filters
    presets = [name for name, days in _LENGTHS.items() if cause.since >= now - timedelta(days=days)]
    return filters | ({"range": str(presets[0])} if presets else {})
