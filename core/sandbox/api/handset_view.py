"""The JSON of one handset: its messages, its calls, its auto-answer."""

from typing import Any

from core.sandbox.api.transcripts import transcript_lines
from core.sandbox.calls.log import CallLog, SandboxCall
from core.sandbox.facts.hangups import HANGUP_CAUSES
from core.sandbox.facts.moments import iso_utc
from core.sandbox.facts.numbers import display
from core.sandbox.handsets import Handsets
from core.sandbox.messages.log import MessageLog

MAX_LISTED = 50


class HandsetView:
    """Builds the JSON of a handset from what the sandbox has stored."""

    def __init__(self, handsets: Handsets, messages: MessageLog, calls: CallLog) -> None:
        self._handsets = handsets
        self._messages = messages
        self._calls = calls

    def of_number(self, number: str, since: float = 0) -> dict[str, Any]:
        """Newest first, at most 50 messages and 50 calls, after `since` (Unix seconds)."""
        since = max(since, self._handsets.cleared_at(number))
        auto = self._handsets.auto_answer(number)
        return {
            "number": number,
            "messages": [
                {
                    "message_uuid": message.message_uuid,
                    "from": message.from_number,
                    "from_display": display(message.from_number),
                    "text": message.text,
                    "received_at": iso_utc(message.received_at),
                }
                for message in self._messages.received_since(number, since, MAX_LISTED)
            ],
            "calls": [
                self._call(call) for call in self._calls.rang_since(number, since, MAX_LISTED)
            ],
            "auto_answer": {"on": auto.on, "press": auto.press},
        }

    def _call(self, call: SandboxCall) -> dict[str, Any]:
        cause = HANGUP_CAUSES.get(call.hangup_code or -1)
        return {
            "call_uuid": call.call_uuid,
            "from": call.from_number,
            "from_display": display(call.from_number),
            "status": call.status,
            "started_at": iso_utc(call.rang_at),
            "answered_at": iso_utc(call.answered_at),
            "ended_at": iso_utc(call.ended_at),
            "hangup_cause_code": cause.code if cause else None,
            "hangup_cause_name": cause.name if cause else None,
            "waits_for_key": call.waits_for_key,
            "transcript": transcript_lines(self._calls, call.call_uuid),
        }
