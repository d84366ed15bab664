"""The lock of the log sync, and the cursor up to which the logs have been read.

Each turn has a token, which only grows. Progress is written by a script that compares the token
first, so that a reader whose turn has expired can no longer move the cursor.
"""

from datetime import datetime, timedelta

from core.model.clock import duration_ms, read_ms, to_ms
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

#: A reader without progress for this long has died.
TURN = timedelta(seconds=90)
_KEEP = timedelta(days=90)


class Turn:
    """The turn of a reader. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, scripts: Scripts, keys: Keys) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._token = ""

    def take(self) -> bool:
        """Begin a turn; False while another reader has it."""
        with self._client.pipeline() as pipe:
            pipe.incr(self._keys.log_token)
            pipe.expire(self._keys.log_token, _KEEP)
            number, _ = pipe.execute()
        token = str(number)
        is_free = self._client.set(self._keys.log_turn, token, nx=True, px=TURN)
        self._token = token if is_free else ""
        return bool(is_free)

    def note(self, **fields: str | int) -> bool:
        """Write progress and keep the turn; False if another reader has it by now."""
        return self._advance(TURN, fields)

    def end(self) -> None:
        """Give the turn back, unless another reader has it."""
        # It expires after 1 ms, in place of a deletion: comparison and end are then one step.
        self._advance(timedelta(milliseconds=1), {"stop": "0"})

    def _advance(self, turn: timedelta, fields: dict[str, str | int]) -> bool:
        """Write the fields and let the turn last that long; False if another reader has it."""
        written: int = self._scripts.run(
            "advance_logs",
            [self._keys.log_turn, self._keys.logs],
            {
                "token": self._token,
                "turn_ms": duration_ms(turn),
                "keep_ms": duration_ms(_KEEP),
                "fields": fields,
            },
        )
        return written == 1


def cursor_of(status: dict[str, str]) -> datetime | None:
    """Up to when the logs have been read; None if that is not known."""
    try:
        return read_ms(status.get("cursor", ""))
    except ValueError:
        return None


def cursor_field(moment: datetime) -> int:
    return to_ms(moment)
