"""Chooses the text format that a scraper prefers, from its `Accept` header (RFC 9110, 12.5.1).

`prometheus_client.exposition.choose_encoder` (0.26.0) is no replacement: it ignores `q`, and
without `Accept` or with `*/*` it chooses the older format instead of OpenMetrics.
"""

from enum import Enum, auto


class Format(Enum):
    """A text format of `/metrics`."""

    OPENMETRICS = auto()
    TEXT = auto()  # Prometheus' own, version 0.0.4


_OPENMETRICS, _TEXT = "application/openmetrics-text", "text/plain"


def preferred_format(accept: str | None) -> Format:
    """OpenMetrics, unless the `Accept` header prefers the older format.

    A scraper that accepts neither is answered too: it can then report what it received.
    """
    ranges = [_media_range(part) for part in (accept or "*/*").lower().split(",")]
    if _quality(ranges, _TEXT) > _quality(ranges, _OPENMETRICS):
        return Format.TEXT
    return Format.OPENMETRICS


def _media_range(part: str) -> tuple[str, float]:
    """A media range and its quality, 0 to 1; 0 if the quality cannot be read."""
    media, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media, float(value)
            except ValueError:
                return media, 0.0
    return media, 1.0


def _quality(ranges: list[tuple[str, float]], media: str) -> float:
    """The quality of a media type. The most specific range decides."""
    for name in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if qualities := [quality for range_, quality in ranges if range_ == name]:
            return max(qualities)
    return 0.0
