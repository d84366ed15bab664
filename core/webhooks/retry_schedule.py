"""When an event that was not taken is sent again, and when it is given up."""

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
#: By how much a wait may be longer, so that events which failed together do not return together.
SPREAD = 0.2
#: The longest wait that a receiver may ask for.
ASKED_MOST = timedelta(hours=2)


def next_wait(tries: int, asked: timedelta | None, chance: float) -> timedelta | None:
    """How long to wait after that many tries (from 1); None when that was the last one.

    `asked` is the answer's Retry-After: it can make a wait longer, up to ASKED_MOST, and never
    shorter. `chance`, from 0 to 1, places the wait within its spread.
    """
    if tries >= TRIES:
        return None
    wait = max(WAITS[tries - 1], min(asked or timedelta(), ASKED_MOST))
    return wait * (1 + SPREAD * chance)
