"""The seconds of the header `Retry-After`."""

from datetime import timedelta


def retry_after_seconds(wait: timedelta) -> int:
    """Rounded up, so that a caller who waits that long is not refused again; at least 1."""
    return max(1, -(-wait // timedelta(seconds=1)))
