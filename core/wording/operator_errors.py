"""The errors of the figures for the operator: a short name, the meaning, and what to do.

`core.wording.error_codes` advises the person whose code did not arrive. This advice is for the one
who runs the service and sees an error many times.
"""

from dataclasses import dataclass

from core.model.attempt import NO_ANSWER
from core.model.error_codes import hangup_cause, message_error_code
from core.wording.error_codes import hangup_text, message_error_text


@dataclass(frozen=True, slots=True)
class OperatorError:
    """`name` is a few words, `meaning` and `advice` a sentence each."""

    name: str
    meaning: str
    advice: str


_UNCLEAR = "Look at Plivo's status page. Plivo's logs settle which of these sends went out."
_CARRIER_FAULT = "Watch whether it passes. If it stays, report it to Plivo support with examples."
_NUMBER = "Validate numbers where they are typed. Many in one place are a sign of pumping."
_CREDIT = "Add credit in the Plivo console, and turn on automatic recharge."
_GEO = "Allow the country under geo permissions in the Plivo console, or take it out of COUNTRIES."
_SENDER = "Register a sender for this country with Plivo."
_ATTACHMENT = "Check SMS_TEMPLATE: a code needs no attachment."
_REGISTER = (
    "Register the sender and the template with Plivo for this country (such as 10DLC in the US)."
)
_BUSY = "Nothing is wrong here. Offer a message as the other way."

_MESSAGES = {
    "10": ("Unreadable message", "Check SMS_TEMPLATE and PLIVO_NUMBER."),
    "20": ("Carrier failure", _CARRIER_FAULT),
    "30": ("Refused as spam", _REGISTER),
    "40": ("Sender not allowed", _SENDER),
    "50": ("Not a mobile number", _NUMBER),
    "60": ("Routing loop", "Report it to Plivo support with examples."),
    "70": ("Number not in use", _NUMBER),
    "80": ("Phone off or unreachable", "Expect some. If it grows in one place, ask Plivo support."),
    "90": ("No route", _CARRIER_FAULT),
    "100": ("Message not allowed", _REGISTER),
    "110": ("Text too long", "Shorten SMS_TEMPLATE."),
    "120": ("Attachment too large", _ATTACHMENT),
    "130": ("Attachment not supported", _ATTACHMENT),
    "140": ("Attachment not processed", _ATTACHMENT),
    "200": ("Replied STOP", "Respect it. Say where the number is typed how START undoes it."),
    "201": ("Toll-free to Canada", "Use a Canadian sender for Canada."),
    "300": ("Not handed to a carrier", _CARRIER_FAULT),
    "420": ("Expired in the queue", "Send less at once, or ask Plivo to raise your rate."),
    "450": ("Country not permitted", _GEO),
    "451": ("Country blocked by Plivo", "Look for pumping there before you ask Plivo to unblock."),
    "452": ("Number known for fraud", "Look at what else its address and prefix have requested."),
    "900": ("Out of credit", _CREDIT),
    "910": ("Account disabled", "Ask Plivo support why."),
    "1000": ("No reason given", "If it grows in one place, send Plivo support some examples."),
}
_HANGUPS = {
    "1000": "Nothing is wrong here: this application or the person ended the call.",
    "1010": _CREDIT,
    "1020": "Check whether something requests two calls at once.",
    "2000": _NUMBER,
    "2010": _NUMBER,
    "2030": _GEO,
    "2040": "Ask Plivo support to allow these numbers, or send messages there.",
    "2050": "Ask Plivo support to allow these prefixes, or send messages there.",
    "2070": "Ask Plivo support to change the region of the calls.",
    "3000": _BUSY,
    "3010": _BUSY,
    "3020": _BUSY,
    "3030": "Use a caller ID that is verified with Plivo.",
    "3040": "Use a caller ID that this country's carriers accept.",
    "3050": _NUMBER,
    "3100": _BUSY,
    "3110": _BUSY,
    "3120": _NUMBER,
    "3130": "Ask Plivo support to clear your caller ID, or use another one.",
    "3140": "Use another caller ID: this one is listed as one that makes no calls.",
    "4000": "Expect some: people hang up. If it grows, listen to how the code is spoken.",
    "4010": "Nothing is wrong here: the call was over.",
    "5030": "Ask Plivo support to raise the limit.",
    "6010": _BUSY,
    "9100": "Nothing is wrong here: a voice mailbox must not get a code.",
}
_OWN_URLS = "Check PUBLIC_URL and the tunnel or proxy behind it."
_OWN_FAULTS = {"7": _OWN_URLS, "8": "Look for an error in the log of this application."}


def operator_error(channel: str, code: str) -> OperatorError:
    """The words for a code that attempts are counted under: a message's error, a call's hangup
    cause (a PHLO has either: those of calls have four digits, and 1000 is both), "refused" for a
    send that Plivo refused, the HTTP status of an unclear send or NO_ANSWER, or "unstated"."""
    if own := _without_code(code):
        return own
    is_call = channel == "voice" or (len(code) == 4 and code != "1000")
    return _call(code) if is_call else _message(code)


def _without_code(code: str) -> OperatorError | None:
    if code == "refused":
        return OperatorError(
            "Refused by Plivo", "Plivo refused the request.",
            "Open one of these attempts for its cause.",
        )  # fmt: skip
    if code == NO_ANSWER:
        return OperatorError(
            "No answer from Plivo", "Plivo did not answer the send, or not readably.", _UNCLEAR
        )
    if code == "429":
        return OperatorError(
            "Too many requests",
            "Plivo received too many requests from this account (HTTP 429).",
            "Send more slowly, or ask Plivo to raise the limit. Plivo's logs settle which of these "
            "sends went out.",
        )
    # No error of a message and no hangup cause is one of these.
    if len(code) == 3 and code.startswith("5"):
        words = f"Plivo answered the send with an error (HTTP {code})."
        return OperatorError("Plivo failed", words, _UNCLEAR)
    return None


def _message(code: str) -> OperatorError:
    text = message_error_text(code)
    known = message_error_code(code)
    if text is None or code == "unstated":
        return _UNSTATED
    name, advice = _MESSAGES.get(known or "", ("Unknown error", _MESSAGES["1000"][1]))
    return OperatorError(name, text.meaning, advice)


def _call(code: str) -> OperatorError:
    text, cause = hangup_text(code), hangup_cause(code)
    if text is None or cause is None or code == "unstated":
        return _UNSTATED
    advice = _HANGUPS.get(code) or _OWN_FAULTS.get(code[:1], _CARRIER_FAULT)
    return OperatorError(cause.name, text.meaning, advice)


_UNSTATED = OperatorError(
    "No cause stated", "No cause was stated.", "Open one of these attempts and ask Plivo."
)
