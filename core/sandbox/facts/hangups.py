"""Plivo's hangup causes: their names, and the phase of a call in which the sandbox applies them.

Source of codes and names: Plivo's page on hangup causes. The values of `HangupCause` and
`CallStatus` were seen in public code for the common causes only; the others are our choice.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """When a call to a number with this hangup cause ends."""

    AT_ONCE = "at once"  # the call never rings
    RINGING = "ringing"  # not answered
    DECLINED = "declined"  # the person declines
    ANSWERED = "answered"  # after the answer
    MACHINE = "machine"  # answered by a machine


@dataclass(frozen=True, slots=True)
class SimulatedHangup:
    """`legacy_cause` and `status` are `HangupCause` and `CallStatus` of the hangup callback."""

    code: int
    name: str
    phase: Phase
    legacy_cause: str = "NORMAL_TEMPORARY_FAILURE"
    status: str = "failed"


CANCELED = 1000
REJECTED = 3020
NORMAL = 4000
END_OF_XML = 4010
INTERNAL_ERROR = 5010
SCHEDULED = 6000
RING_TIMEOUT = 6010
MACHINE_DETECTED = 9100

_NAMES = {
    1000: "Canceled",
    1010: "Canceled (Out Of Credits)",
    1020: "Canceled (Simultaneous dial limit reached)",
    2000: "Invalid Destination Address",
    2010: "Destination Out Of Service",
    2020: "Endpoint Not Registered",
    2030: "Destination Country Barred",
    2040: "Destination Number Barred",
    2050: "Destination Prefix Barred",
    2060: "Loop Detected",
    2070: "Violates Media Anchoring",
    3000: "No Answer",
    3010: "Busy Line",
    3020: "Rejected",
    3030: "Unknown Caller ID",
    3040: "Forbidden",
    3050: "Unallocated number",
    3070: "Request timeout",
    3080: "Internal server error from carrier",
    3090: "Network congestion from carrier",
    3100: "Busy everywhere",
    3110: "Declined",
    3120: "User does not exist anywhere",
    3130: "Spam block",
    3140: "DNO Caller ID",
    4000: "Normal Hangup",
    4010: "End Of XML Instructions",
    4020: "Multiparty Call Ended",
    4030: "Kicked Out",
    5000: "Network Error",
    5010: "Internal Error",
    5020: "Routing Error",
    5030: "Concurrency Limit Breached",
    6000: "Scheduled Hangup",
    6010: "Ring Timeout Reached",
    6020: "Media Timeout",
    7011: "Error Reaching Answer URL",
    7012: "Error Reaching Action URL",
    7013: "Error Reaching Transfer URL",
    7014: "Error Reaching Redirect URL",
    7022: "Invalid Action URL",
    7023: "Invalid Transfer URL",
    7024: "Invalid Redirect URL",
    7032: "Invalid Method For Action URL",
    7033: "Invalid Method For Transfer URL",
    7034: "Invalid Method For Redirect URL",
    8011: "Invalid Answer XML",
    8012: "Invalid Action XML",
    8013: "Invalid Transfer XML",
    8014: "Invalid Redirect XML",
    9000: "Lost Race",
    9100: "Machine Detected",
    9110: "Confirm Key Challenge Failed",
}

_PHASES = {
    3000: Phase.RINGING,
    6010: Phase.RINGING,
    3020: Phase.DECLINED,
    3110: Phase.DECLINED,
    6000: Phase.ANSWERED,
    6020: Phase.ANSWERED,
    9100: Phase.MACHINE,
    9110: Phase.ANSWERED,
}

# (HangupCause, CallStatus) where they differ from the defaults of SimulatedHangup
_LEGACY_CAUSES = {
    1000: ("ORIGINATOR_CANCEL", "cancel"),
    3000: ("NO_ANSWER", "no-answer"),
    3010: ("USER_BUSY", "busy"),
    3020: ("CALL_REJECTED", "busy"),
    3100: ("USER_BUSY", "busy"),
    3110: ("CALL_REJECTED", "busy"),
    6000: ("NORMAL_CLEARING", "completed"),
    6010: ("NO_ANSWER", "timeout"),
    9100: ("NORMAL_CLEARING", "completed"),
}


def _cause(code: int, name: str) -> SimulatedHangup:
    after_answer = code // 1000 in (4, 7, 8)
    phase = _PHASES.get(code, Phase.ANSWERED if after_answer else Phase.AT_ONCE)
    if code in _LEGACY_CAUSES:
        return SimulatedHangup(code, name, phase, *_LEGACY_CAUSES[code])
    if after_answer:
        return SimulatedHangup(code, name, phase, "NORMAL_CLEARING", "completed")
    return SimulatedHangup(code, name, phase)


HANGUP_CAUSES = {code: _cause(code, name) for code, name in _NAMES.items()}
