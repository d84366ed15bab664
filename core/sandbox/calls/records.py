"""Writes calls as Plivo's log records, live-call records and callbacks."""

import math
from datetime import timezone
from typing import Any

from core.sandbox.calls.log import BILLING_STEP, SandboxCall
from core.sandbox.clock import SandboxClock
from core.sandbox.facts.hangups import HANGUP_CAUSES
from core.sandbox.facts.moments import naive_utc, naive_utc_second, zoned
from core.sandbox.facts.pricing import dollars, price_of


def record(call: SandboxCall, auth_id: str, zone: timezone, clock: SandboxClock) -> dict[str, Any]:
    """The log record of an ended call. Durations are simulated seconds; moments are real."""
    cause = HANGUP_CAUSES[call.hangup_code or 0]
    talked = call.talked(clock)
    return {
        "call_uuid": call.call_uuid,
        "call_direction": "outbound",
        "call_state": "ANSWER" if call.answered_at else "HANGUP",
        "from_number": call.from_number,
        "to_number": call.to_number,
        "initiation_time": zoned(call.initiated_at, zone),
        "answer_time": zoned(call.answered_at, zone),
        "end_time": zoned(call.ended_at, zone),
        "call_duration": talked,
        "bill_duration": talked,
        "billed_duration": math.ceil(talked / BILLING_STEP) * BILLING_STEP,
        "total_amount": dollars(call.cost(clock)),
        "total_rate": dollars(call.rate),
        "hangup_cause_code": cause.code,
        "hangup_cause_name": cause.name,
        "hangup_source": call.hangup_source,
        "parent_call_uuid": None,
        "conference_uuid": None,
        "resource_uri": f"/v1/Account/{auth_id}/Call/{call.call_uuid}/",
        "stir_verification": "Not Applicable",
        "stir_attestation": "",
        "voice_network_group": price_of(call.country).network,
        "source_ip": None,
        "cnam_lookup": None,
    }


def live_record(call: SandboxCall, zone: timezone) -> dict[str, Any]:
    """The record of a call that has not ended."""
    return {
        "call_status": call.status,
        "call_uuid": call.call_uuid,
        "caller_name": call.caller_name,
        "direction": "outbound",
        "from": call.from_number,
        "to": call.to_number,
        "request_uuid": call.call_uuid,
        "session_start": zoned(call.initiated_at, zone),
    }


def call_form(call: SandboxCall, auth_id: str, event: str) -> dict[str, str]:
    """The fields of every request about a call."""
    status = call.status if call.ended_at is None else HANGUP_CAUSES[call.hangup_code or 0].status
    return {
        "CallUUID": call.call_uuid,
        "RequestUUID": call.call_uuid,
        "ALegUUID": call.call_uuid,
        "ALegRequestUUID": call.call_uuid,
        "From": call.from_number,
        "To": call.to_number,
        "Direction": "outbound",
        "CallStatus": status,
        "Event": event,
        "ParentAuthID": auth_id,
        "BillRate": f"{call.rate:f}",
        "SessionStart": naive_utc(call.initiated_at),
    }


def hangup_form(call: SandboxCall, auth_id: str, clock: SandboxClock) -> dict[str, str]:
    """The form of the hangup callback; `call` has ended."""
    cause = HANGUP_CAUSES[call.hangup_code or 0]
    talked = str(call.talked(clock))
    return {
        **call_form(call, auth_id, "Hangup"),
        "Duration": talked,
        "BillDuration": talked,
        "HangupCause": cause.legacy_cause,
        "HangupCauseName": cause.name,
        "HangupCauseCode": str(cause.code),
        "HangupSource": call.hangup_source,
        "TotalCost": dollars(call.cost(clock)),
        "StartTime": naive_utc_second(call.initiated_at),
        "AnswerTime": naive_utc_second(call.answered_at),
        "EndTime": naive_utc_second(call.ended_at),
    }
