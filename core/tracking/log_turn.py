"""Whose turn it is to read the logs, and how far they have been read.

A turn has a token that only grows. Every note of progress is written by a script that compares the
token first: a reader that slept through its turn can no longer move the cursor.
"""

from datetime import datetime, timedelta

from core.model.clock import read_ms, to_ms
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

#: A reader that is silent for so long has died.
TURN = timedelta(seconds=90)
_KEEP = timedelta(days=90)


class Turn:
    """The turn of one reader."""

    def __init__(self, client: Client, scripts: Scripts, keys: Keys) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._token = ""

    def take(self) -> bool:
        """Begin a turn; False while somebody else has it. Raises StoreUnavailable."""
        with self._client.pipeline() as pipe:
            pipe.incr(self._keys.log_token)
            pipe.expire(self._keys.log_token, _KEEP)
            token = str(pipe.execute()[0])
        taken = self._client.set(self._keys.log_turn, token, nx=True, px=TURN)
        self._token = token if taken else ""
        return bool(taken)

    def note(self, **fields: str | int) -> bool:
        """Write progress down and keep the turn; False when it is another one's by now."""
        flat = [part for pair in fields.items() for part in pair]
        answer: int = self._scripts.run(
            "advance_logs",
            [self._keys.log_turn, self._keys.logs],
            [self._token, _ms(TURN), _ms(_KEEP), *flat],
        )
        return answer == 1

    def end(self) -> None:
        """Give the turn back, if it is still ours."""
        # Kept for a moment instead of deleted: the comparison and the end are then one step.
        self._scripts.run(
            "advance_logs",
            [self._keys.log_turn, self._keys.logs],
            [self._token, 1, _ms(_KEEP), "stop", "0"],
        )


def cursor_of(status: dict[str, str]) -> datetime | None:
    """Up to when the logs have been read; None where that is not known."""
    try:
        return read_ms(status.get("cursor", ""))
    except ValueError:
        return None


def cursor_field(moment: datetime) -> int:
    return to_ms(moment)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
