"""Writes moments in the formats of Plivo's records and callbacks, and of the handset."""

from datetime import UTC, datetime, timezone


def zoned(moment: float | None, zone: timezone) -> str | None:
    """For log records: in the account's time zone, `2024-08-21 18:28:51.94772+05:30`.

    Trailing zeros of the fraction are trimmed, as Plivo's own examples show.
    """
    if moment is None:
        return None
    at = datetime.fromtimestamp(moment, zone)
    fraction = f".{at.microsecond:06}".rstrip("0").rstrip(".")
    offset = at.isoformat()[-6:]
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction}{offset}"


def naive_utc(moment: float) -> str:
    """For message callbacks: UTC without a zone, with microseconds."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S.%f}"


def naive_utc_second(moment: float | None) -> str:
    """For call callbacks: UTC without a zone, in whole seconds; empty for None."""
    return "" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"


def iso_utc(moment: float | None) -> str | None:
    """For the handset: `2024-08-21T12:58:51.947720Z`."""
    if moment is None:
        return None
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
