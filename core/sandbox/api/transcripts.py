"""The JSON of the transcript of a call."""

from typing import Any

from core.sandbox.calls.log import CallLog
from core.sandbox.facts.moments import iso_utc

#: The newest lines of a transcript: a call may speak for ever.
MAX_LINES = 200


def transcript_lines(calls: CallLog, call_uuid: str, limit: int = -1) -> list[dict[str, Any]]:
    """The lines, oldest first; with a limit, only the newest ones."""
    return [
        {"at": iso_utc(row["at"]), "kind": row["kind"], "text": row["text"]}
        for row in calls.transcript(call_uuid, limit)
    ]
