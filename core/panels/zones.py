"""The time zones in which a page can show times."""

from functools import cache
from zoneinfo import available_timezones


def zone_of(value: object, viewer: object) -> str:
    """The chosen zone, else the viewer's, else UTC."""
    return next((str(zone) for zone in (value, viewer) if zone in _all_zones()), "UTC")


def zones(viewer: str | None) -> list[str]:
    """The zones on offer, the viewer's and UTC first."""
    return list(dict.fromkeys([zone_of(None, viewer), "UTC", *_all_zones()]))


@cache
def _all_zones() -> dict[str, None]:
    """All zones, sorted. Cached: listing them reads a whole folder."""
    return dict.fromkeys(sorted(available_timezones()))
