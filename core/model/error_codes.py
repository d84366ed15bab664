"""Plivo's error codes of messages and its hangup causes of calls, as values.

Source: Plivo's pages on message error codes and hangup causes. What they mean to people is in
`core.wording.error_codes`.
"""

from dataclasses import dataclass, replace

_NO_ERROR = frozenset({"", "0", "000"})


@dataclass(frozen=True, slots=True)
class HangupCause:
    """Why a call ended. `name` is Plivo's. `reached`: the call got as far as the other phone or its
    carrier, whichever side ended it there; otherwise Plivo gave up before."""

    code: str
    name: str
    reached: bool


def message_error_code(code: str | None) -> str | None:
    """The error code of a message; None for Plivo's ways to state no error ("000", "0", "",
    nothing)."""
    if code is None or (code := code.strip()) in _NO_ERROR:
        return None
    return code


def hangup_cause(code: str | int | None) -> HangupCause | None:
    """Why a call ended; None where no cause is stated. An unknown code has the values of 0 and
    keeps its own code."""
    if code is None or (text := str(code).strip()) == "":
        return None
    return HANGUP_CAUSES.get(text) or replace(HANGUP_CAUSES["0"], code=text)


_NOT_REACHED = {
    "0": "Unknown",
    "1000": "Canceled",
    "1010": "Canceled (Out Of Credits)",
    "1020": "Canceled (Simultaneous dial limit reached)",
    "2000": "Invalid Destination Address",
    "2010": "Destination Out Of Service",
    "2020": "Endpoint Not Registered",
    "2030": "Destination Country Barred",
    "2040": "Destination Number Barred",
    "2050": "Destination Prefix Barred",
    "2060": "Loop Detected",
    "2070": "Violates Media Anchoring",
    "5000": "Network Error",
    "5010": "Internal Error",
    "5020": "Routing Error",
    "5030": "Concurrency Limit Breached (India)",
    "9000": "Lost Race",
}
_REACHED = {
    "3000": "No Answer",
    "3010": "Busy Line",
    "3020": "Rejected",
    "3030": "Unknown Caller ID",
    "3040": "Forbidden",
    "3050": "Unallocated number",
    "3070": "Request timeout",
    "3080": "Internal server error from carrier",
    "3090": "Network congestion from carrier",
    "3100": "Busy everywhere",
    "3110": "Declined",
    "3120": "User does not exist anywhere",
    "3130": "Spam block",
    "3140": "DNO Caller ID",
    "4000": "Normal Hangup",
    "4010": "End Of XML Instructions",
    "4020": "Multiparty Call Ended",
    "4030": "Kicked Out",
    "6000": "Scheduled Hangup",
    "6010": "Ring Timeout Reached",
    "6020": "Media Timeout",
    "9100": "Machine Detected",
    "9110": "Confirm Key Challenge Failed",
}
# Faults of this app's four kinds of URL. The call was answered by then. For the answer URL Plivo
# lists no code of the faults 702 and 703.
_SERVER_URLS = {1: "Answer", 2: "Action", 3: "Transfer", 4: "Redirect"}
_SERVER_FAULTS = {
    701: "Error reaching {} URL",
    702: "Invalid {} URL",
    703: "Invalid method for {} URL",
    801: "Invalid {} XML",
}
_NO_ANSWER_URL = {702, 703}
_OURS = {
    f"{fault}{which}": name.format(url)
    for fault, name in _SERVER_FAULTS.items()
    for which, url in _SERVER_URLS.items()
    if not (which == 1 and fault in _NO_ANSWER_URL)
}
HANGUP_CAUSES = {
    code: HangupCause(code, name, reached)
    for names, reached in ((_NOT_REACHED, False), (_REACHED, True), (_OURS, True))
    for code, name in names.items()
}
