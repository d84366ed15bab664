"""Which text format a scraper wants (RFC 9110, 12.5.1, as far as two media types need it)."""

from enum import Enum, auto


class Format(Enum):
    """How the answer is written."""

    OPENMETRICS = auto()
    TEXT = auto()  # Prometheus' own, version 0.0.4


_OPENMETRICS, _TEXT = "application/openmetrics-text", "text/plain"


def preferred(accept: str | None) -> Format:
    """The format for an `Accept` header: OpenMetrics, unless the older one is liked better.

    A scraper that accepts neither is answered all the same: it would rather have something to
    complain of than nothing to read.
    """
    ranges = [_range(part) for part in (accept or "*/*").lower().split(",")]
    if _liking(ranges, _TEXT) > _liking(ranges, _OPENMETRICS):
        return Format.TEXT
    return Format.OPENMETRICS


def _range(part: str) -> tuple[str, float]:
    """A media range and how much it is liked, 0 to 1. What cannot be read is not liked."""
    media, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media, float(value)
            except ValueError:
                return media, 0.0
    return media, 1.0


def _liking(ranges: list[tuple[str, float]], media: str) -> float:
    """How much a media type is liked; the range that names it most closely decides."""
    for name in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if found := [q for one, q in ranges if one == name]:
            return max(found)
    return 0.0
