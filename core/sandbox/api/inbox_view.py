"""The JSON of the inbox: an entry for each message and call, with the same fields for both."""

import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from core.sandbox.api.transcripts import MAX_LINES, transcript_lines
from core.sandbox.calls.log import CallLog, SandboxCall
from core.sandbox.facts.hangups import HANGUP_CAUSES
from core.sandbox.facts.moments import iso_utc
from core.sandbox.facts.numbers import display
from core.sandbox.inbox import InboxChannel
from core.sandbox.messages.log import Message, MessageLog


class InboxView:
    """Builds the JSON of entries from what the sandbox has stored."""

    def __init__(self, messages: MessageLog, calls: CallLog) -> None:
        self._messages = messages
        self._calls = calls

    def of_rows(self, rows: Iterable[sqlite3.Row]) -> list[dict[str, Any]]:
        """An entry for each row of `Inbox`."""
        entries = []
        for row in rows:
            if row["channel"] == InboxChannel.SMS:
                message = self._messages.find(row["reference"])
                facts = _message(message) if message else None
            else:
                call = self._calls.find(row["reference"])
                facts = self._call(call) if call else None
            if facts is not None:
                number = _display(row["number"])
                keys = ("reference", "channel", "number", "code")
                entries.append(
                    {**{key: row[key] for key in keys}, "number_display": number, **facts}
                )
        return entries

    def _call(self, call: SandboxCall) -> dict[str, Any]:
        cause = HANGUP_CAUSES.get(call.hangup_code or -1)
        transcript = transcript_lines(self._calls, call.call_uuid, MAX_LINES)
        return {
            "from": call.from_number,
            "from_display": _display(call.from_number),
            "text": "\n".join(line["text"] for line in transcript if line["kind"] == "spoken"),
            "transcript": transcript,
            "state": call.status,
            "error_code": None,
            "hangup_cause_code": cause.code if cause else None,
            "hangup_cause_name": cause.name if cause else None,
            "requested_at": iso_utc(call.initiated_at),
            "arrived_at": iso_utc(call.rang_at),
            "answered_at": iso_utc(call.answered_at),
            "ended_at": iso_utc(call.ended_at),
        }


def _message(message: Message) -> dict[str, Any]:
    return {
        "from": message.from_number,
        "from_display": _display(message.from_number),
        "text": message.text,
        "transcript": None,
        "state": message.state,
        "error_code": message.error_code,
        "hangup_cause_code": None,
        "hangup_cause_name": None,
        "requested_at": iso_utc(message.message_time),
        "arrived_at": iso_utc(message.received_at),
        "answered_at": None,
        "ended_at": None,
    }


#: A page has up to 100 numbers, and formatting one costs as much as reading its message.
_display = lru_cache(maxsize=1000)(display)
