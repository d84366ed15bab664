"""Why a message failed and why a call ended: Plivo's codes in plain words, each with what to do.

Source of the codes: Plivo's pages on message error codes and hangup causes. The words and the
advice are ours. 120, 130 and 140 (MMS) rest on one weak source. 160, 210, 950 and 960 are
UNVERIFIED; they and any other unknown code are treated as 1000.
"""

from dataclasses import dataclass, replace

_NO_ERROR = frozenset({"", "0", "000"})


@dataclass(frozen=True, slots=True)
class MessageError:
    """`meaning` is one sentence, `advice` one instruction. `retry`: the same message may arrive a
    little later. `call_instead`: a call at once is sensible."""

    code: str
    meaning: str
    advice: str
    retry: bool
    call_instead: bool

    @property
    def words(self) -> str:
        """ "The carrier refused it as spam (error 30). Change the text, or call instead." """
        return f"{self.meaning.removesuffix('.')} (error {self.code}). {self.advice}"


@dataclass(frozen=True, slots=True)
class HangupCause:
    """`name` is Plivo's. `reached`: the call got as far as the other phone or its carrier, whoever
    ended it there; without it Plivo gave up before."""

    code: str
    name: str
    meaning: str
    advice: str
    reached: bool

    @property
    def words(self) -> str:
        """ "The line was busy (hangup cause 3010). Try again in a minute." """
        return f"{self.meaning.removesuffix('.')} (hangup cause {self.code}). {self.advice}"


def message_error(code: str | None) -> MessageError | None:
    """The error of a message, None for Plivo's ways of saying that there is none ("000", "0", "",
    nothing). A code that we do not know reads as 1000 and keeps its own code."""
    if code is None or (code := code.strip()) in _NO_ERROR:
        return None
    return MESSAGE_ERRORS.get(code) or replace(MESSAGE_ERRORS["1000"], code=code)


def hangup_cause(code: str | int | None) -> HangupCause | None:
    """Why a call ended, None while nothing is said of it. A code that we do not know reads as 0
    and keeps its own code."""
    if code is None or (text := str(code).strip()) == "":
        return None
    return HANGUP_CAUSES.get(text) or replace(HANGUP_CAUSES["0"], code=text)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error of the figures means, and what to do about it."""

    meaning: str
    advice: str


def error_meaning(channel: str, code: str) -> Meaning:
    """The meaning of a code that attempts are counted under: a message's error, a call's hangup
    cause (a PHLO has either: those of calls have four digits, and 1000 is both), "refused" for a
    send that Plivo refused, or "unstated"."""
    if code == "refused":
        return Meaning("Plivo refused the request.", "Open one of these attempts for its cause.")
    is_call = channel == "voice" or (len(code) == 4 and code != "1000")
    found = hangup_cause(code) if is_call else message_error(code)
    if code == "unstated" or found is None:
        return Meaning("No cause was stated.", "Open one of these attempts and ask Plivo.")
    return Meaning(found.meaning, found.advice)


# The same message may arrive a little later: what stood in its way passes.
_RETRY = {"20", "80", "90", "300", "420", "1000"}
# The number may still take a call. Not where the number is wrong or the phone off, where the
# person said no, where fraud is likely, or where the account cannot call either.
_CALL_INSTEAD = {"20", "30", "40", "50", "60", "90", "100", "201", "300", "420", "1000"}

_MESSAGES = {
    "10": ("Plivo could not read the message.", "Check the text and the sender."),
    "20": (
        "The carrier's network failed for a moment.",
        "Send it again in a minute, or call instead.",
    ),
    "30": ("The carrier refused it as spam.", "Change the text, or call instead."),
    "40": (
        "The sender is not one that may send to this number.",
        "Choose a sender that Plivo lists for your account, or call instead.",
    ),
    "50": (
        "This number takes no text messages: it is wrong, or a fixed line.",
        "Check the number, or call instead.",
    ),
    "60": (
        "The carriers passed the message round in a circle.",
        "Tell Plivo support, and call instead.",
    ),
    "70": ("This number is no longer in use.", "Ask for another number."),
    "80": (
        "The phone is off or has no signal.",
        "Ask for it to be switched on, and send again.",
    ),
    "90": (
        "Plivo found no way to this carrier.",
        "Send it again in a few minutes, or call instead.",
    ),
    "100": ("The carrier does not allow this message.", "Call instead."),
    "110": ("The message is too long.", "Shorten the template."),
    "120": ("The attachment is too large.", "Send the code as plain text."),
    "130": ("The phone cannot show this kind of attachment.", "Send the code as plain text."),
    "140": ("Plivo could not process the attachment.", "Send the code as plain text."),
    "200": (
        "The owner of this number has replied STOP to this sender.",
        "Write to it again only after the owner has sent START.",
    ),
    "201": (
        "A US toll-free sender may not write to Canada.",
        "Use a Canadian sender, or call instead.",
    ),
    "300": (
        "Plivo could not hand the message to a carrier.",
        "Send it again in a few minutes, or call instead.",
    ),
    "420": (
        "The message waited in Plivo's queue until it was too old, and was not charged.",
        "Send it again, or call instead.",
    ),
    "450": (
        "Your Plivo account may not send to this country.",
        "Allow the country under geo permissions in the Plivo console.",
    ),
    "451": (
        "Plivo has blocked this country for some hours, because too much was sent to it.",
        "Look for fraud before you send there again.",
    ),
    "452": (
        "Plivo holds this number for one that is used to run up costs.",
        "Ask for another number.",
    ),
    "900": ("Your Plivo account has run out of credit.", "Add credit in the Plivo console."),
    "910": ("Your Plivo account is disabled.", "Ask Plivo support why."),
    "1000": (
        "It was not delivered, and no reason was given.",
        "Send it again once, or call instead.",
    ),
}
MESSAGE_ERRORS = {
    code: MessageError(code, meaning, advice, code in _RETRY, code in _CALL_INSTEAD)
    for code, (meaning, advice) in _MESSAGES.items()
}

_TRY_AGAIN = "Call again in a minute."
_BY_MESSAGE = "Send a message instead."
_SUPPORT = "Call again once, and tell Plivo support if it stays so."

# Plivo's name, the meaning, the advice.
_NOT_REACHED = {
    "0": ("Unknown", "The call ended, and no reason was given.", _TRY_AGAIN),
    "1000": ("Canceled", "The call was cancelled before anybody answered.", "Call again."),
    "1010": (
        "Canceled (Out Of Credits)",
        "Your Plivo account has run out of credit.",
        "Add credit in the Plivo console.",
    ),
    "1020": (
        "Canceled (Simultaneous dial limit reached)",
        "Another call to this number was placed at the same moment.",
        _TRY_AGAIN,
    ),
    "2000": ("Invalid Destination Address", "This number cannot be called.", "Check the number."),
    "2010": ("Destination Out Of Service", "This number is out of service.", "Check the number."),
    "2020": ("Endpoint Not Registered", "No phone is signed in at this address.", _BY_MESSAGE),
    "2030": (
        "Destination Country Barred",
        "Your Plivo account may not call this country.",
        "Allow the country under geo permissions in the Plivo console.",
    ),
    "2040": (
        "Destination Number Barred",
        "Your Plivo account may not call this number.",
        _BY_MESSAGE,
    ),
    "2050": (
        "Destination Prefix Barred",
        "Your Plivo account may not call numbers that begin like this one.",
        _BY_MESSAGE,
    ),
    "2060": ("Loop Detected", "The call was passed round in a circle.", _BY_MESSAGE),
    "2070": (
        "Violates Media Anchoring",
        "The sound of the call would have to leave the region it is kept to.",
        "Ask Plivo support to change the region of the call.",
    ),
    "5000": ("Network Error", "Plivo's network failed.", _TRY_AGAIN),
    "5010": ("Internal Error", "Plivo failed.", _TRY_AGAIN),
    "5020": ("Routing Error", "Plivo found no way to this number.", _BY_MESSAGE),
    "5030": (
        "Concurrency Limit Breached (India)",
        "Your Plivo account has too many calls to India at once.",
        _TRY_AGAIN,
    ),
    "9000": ("Lost Race", "Another phone answered first.", "Use the call that was answered."),
}
_REACHED = {
    "3000": ("No Answer", "Nobody answered.", "Call again, or send a message instead."),
    "3010": ("Busy Line", "The line was busy.", _TRY_AGAIN),
    "3020": ("Rejected", "The call was declined.", "Call again when you can take it."),
    "3030": (
        "Unknown Caller ID",
        "The carrier does not accept the number we call from.",
        "Call from another number.",
    ),
    "3040": ("Forbidden", "The carrier does not allow this call.", _BY_MESSAGE),
    "3050": ("Unallocated number", "This number belongs to nobody.", "Check the number."),
    "3070": ("Request timeout", "The carrier did not answer in time.", _TRY_AGAIN),
    "3080": ("Internal server error from carrier", "The carrier's equipment failed.", _TRY_AGAIN),
    "3090": (
        "Network congestion from carrier",
        "The carrier's network is overloaded.",
        "Call again in a few minutes.",
    ),
    "3100": ("Busy everywhere", "Every line of this number was busy.", _TRY_AGAIN),
    "3110": ("Declined", "The call was declined.", "Call again when you can take it."),
    "3120": (
        "User does not exist anywhere",
        "The carrier does not know this number.",
        "Check the number.",
    ),
    "3130": (
        "Spam block",
        "The carrier blocked the call as spam.",
        "Call from another number, or send a message instead.",
    ),
    "3140": (
        "DNO Caller ID",
        "The number we call from is listed as one that never makes calls.",
        "Call from another number.",
    ),
    "4000": ("Normal Hangup", "The phone was hung up.", "Call again if the code was not heard."),
    "4010": (
        "End Of XML Instructions",
        "The call was over.",
        "Call again if the code was not heard.",
    ),
    "4020": ("Multiparty Call Ended", "The conference ended.", "Call again."),
    "4030": ("Kicked Out", "The phone was removed from the conference.", "Call again."),
    "6000": ("Scheduled Hangup", "The call had reached its longest duration.", "Call again."),
    "6010": (
        "Ring Timeout Reached",
        "It rang, and nobody answered in time.",
        "Call again, or send a message instead.",
    ),
    "6020": ("Media Timeout", "No sound came from the phone.", _TRY_AGAIN),
    "9100": (
        "Machine Detected",
        "A machine answered, so the code was not read out.",
        "Call again when somebody can answer.",
    ),
    "9110": (
        "Confirm Key Challenge Failed",
        "The key that was asked for was not pressed.",
        "Call again, and press the key.",
    ),
}
# Four of our addresses, each of which can fail in four ways. Somebody has answered by then, and
# hears nothing. For the Answer URL Plivo lists no code of the ways 702 and 703.
_SERVER_URLS = {1: "Answer", 2: "Action", 3: "Transfer", 4: "Redirect"}
_SERVER_FAULTS = {
    701: (
        "Error reaching {} URL",
        "Plivo could not reach this app to ask what to say.",
        "Check PUBLIC_URL and the tunnel.",
    ),
    702: (
        "Invalid {} URL",
        "Plivo was given an address that it cannot use.",
        "Check PUBLIC_URL.",
    ),
    703: (
        "Invalid method for {} URL",
        "Plivo was told to ask in a way it does not know.",
        _SUPPORT,
    ),
    801: (
        "Invalid {} XML",
        "Plivo could not read what this app told it to say.",
        "Check the log of this app for an error.",
    ),
}
_NO_ANSWER_URL = {702, 703}
_OURS = {
    f"{fault}{which}": (name.format(url), meaning, advice)
    for fault, (name, meaning, advice) in _SERVER_FAULTS.items()
    for which, url in _SERVER_URLS.items()
    if not (which == 1 and fault in _NO_ANSWER_URL)
}
HANGUP_CAUSES = {
    code: HangupCause(code, name, meaning, advice, reached)
    for causes, reached in ((_NOT_REACHED, False), (_REACHED, True), (_OURS, True))
    for code, (name, meaning, advice) in causes.items()
}
