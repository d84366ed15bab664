"""When a failed event is sent again, and when it becomes a dead letter."""

from datetime import timedelta

#: Waits after the first, second, … try: eleven tries in about a day.
WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=6),
    timedelta(hours=10),
)
TRIES = len(WAITS) + 1
#: By how much a wait may be longer, so that events which failed together spread out.
SPREAD = 0.2
#: The longest wait that a receiver may request.
MOST_RETRY_AFTER = timedelta(hours=2)


def next_wait(tries: int, retry_after: timedelta | None, chance: float) -> timedelta | None:
    """How long to wait after that many tries (from 1); None after the last one.

    `retry_after` is that of the answer: it can make a wait longer, up to MOST_RETRY_AFTER, and
    never shorter. `chance`, from 0 to 1, places the wait within its spread.
    """
    if tries >= TRIES:
        return None
    wait = max(WAITS[tries - 1], min(retry_after or timedelta(), MOST_RETRY_AFTER))
    return wait * (1 + SPREAD * chance)
