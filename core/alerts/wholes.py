"""Which series is a part of which: carriers of countries, these of channels, these of all traffic.

With one channel in use there is no series of all traffic: it would be the same as the channel.
"""

from core.model.series import ALL_TRAFFIC, NO_SERIES, Series


def whole_of(series: Series) -> Series:
    """The series that includes this one and is the next larger; NO_SERIES for all traffic."""
    if series == ALL_TRAFFIC:
        return NO_SERIES
    return series.parent or ALL_TRAFFIC


def is_part(series: Series, of: Series) -> bool:
    """Whether a series is a part of another one, and not that itself."""
    return series != of and (of == ALL_TRAFFIC or series.startswith(f"{of}/"))


def depth_of(series: Series) -> int:
    """0 for all traffic, 1 for a channel, 2 for a country, 3 for a carrier."""
    return 0 if series == ALL_TRAFFIC else len(series.parts)
