"""The meaning of Plivo's error codes and hangup causes, each with advice.

The texts are ours. 120, 130 and 140 (MMS) rest on one weak source. 160, 210, 950 and
960 are UNVERIFIED; they and any other unknown code have the text of 1000.
"""

from dataclasses import dataclass, replace

from core.model.error_codes import HANGUP_CAUSES, hangup_cause, message_error_code


@dataclass(frozen=True, slots=True)
class MessageErrorText:
    """`meaning` is one sentence, `advice` one instruction."""

    code: str
    meaning: str
    advice: str

    @property
    def words(self) -> str:
        """ "The carrier refused it as spam (error 30). Change the text, or call instead." """
        return f"{self.meaning.removesuffix('.')} (error {self.code}). {self.advice}"


@dataclass(frozen=True, slots=True)
class HangupText:
    """`meaning` is one sentence, `advice` one instruction."""

    code: str
    meaning: str
    advice: str

    @property
    def words(self) -> str:
        """ "The line was busy (hangup cause 3010). Try again in a minute." """
        return f"{self.meaning.removesuffix('.')} (hangup cause {self.code}). {self.advice}"


def message_error_text(code: str | None) -> MessageErrorText | None:
    """The text for a message's error; None if `code` states no error. An unknown code has the text
    of 1000 and keeps its own code."""
    if (error_code := message_error_code(code)) is None:
        return None
    return MESSAGE_TEXTS.get(error_code) or replace(MESSAGE_TEXTS["1000"], code=error_code)


def hangup_text(code: str | int | None) -> HangupText | None:
    """The text for why a call ended; None if no cause is stated. An unknown code has the text of 0
    and keeps its own code."""
    if (cause := hangup_cause(code)) is None:
        return None
    return HANGUP_TEXTS.get(cause.code) or replace(HANGUP_TEXTS["0"], code=cause.code)


# Only a temporary cause is a reason to send again. A call is advised where it may still work: not
# for a wrong number, a phone that is off, likely fraud, or an account that cannot call either.
_MESSAGES = {
    "10": ("Plivo could not read the message.", "Check the text and the sender."),
    "20": (
        "The carrier's network failed for a moment.",
        "Send it again in a minute, or call instead.",
    ),
    "30": ("The carrier refused it as spam.", "Change the text, or call instead."),
    "40": (
        "The sender may not send to this number.",
        "Choose a sender that Plivo lists for your account, or call instead.",
    ),
    "50": (
        "This number takes no text messages: it is wrong, or a fixed line.",
        "Check the number, or call instead.",
    ),
    "60": (
        "The carriers routed the message in a loop.",
        "Report it to Plivo support, and call instead.",
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
        "Plivo lists this number as one that is used to run up costs.",
        "Ask for another number.",
    ),
    "900": ("Your Plivo account has run out of credit.", "Add credit in the Plivo console."),
    "910": ("Your Plivo account is disabled.", "Ask Plivo support why."),
    "1000": (
        "It was not delivered, and no reason was given.",
        "Send it again once, or call instead.",
    ),
}
MESSAGE_TEXTS = {
    code: MessageErrorText(code, meaning, advice) for code, (meaning, advice) in _MESSAGES.items()
}

_TRY_AGAIN = "Call again in a minute."
_BY_MESSAGE = "Send a message instead."
_SUPPORT = "Call again once, and report it to Plivo support if that fails too."

_HANGUPS = {
    "0": ("The call ended, and no reason was given.", _TRY_AGAIN),
    "1000": ("The call was cancelled before it was answered.", "Call again."),
    "1010": ("Your Plivo account has run out of credit.", "Add credit in the Plivo console."),
    "1020": ("Another call to this number was placed at the same moment.", _TRY_AGAIN),
    "2000": ("This number cannot be called.", "Check the number."),
    "2010": ("This number is out of service.", "Check the number."),
    "2020": ("No phone is signed in at this address.", _BY_MESSAGE),
    "2030": (
        "Your Plivo account may not call this country.",
        "Allow the country under geo permissions in the Plivo console.",
    ),
    "2040": ("Your Plivo account may not call this number.", _BY_MESSAGE),
    "2050": ("Your Plivo account may not call numbers that begin like this one.", _BY_MESSAGE),
    "2060": ("The call was routed in a loop.", _BY_MESSAGE),
    "2070": (
        "The audio of the call would leave the region it is limited to.",
        "Ask Plivo support to change the region of the call.",
    ),
    "5000": ("Plivo's network failed.", _TRY_AGAIN),
    "5010": ("Plivo failed.", _TRY_AGAIN),
    "5020": ("Plivo found no way to this number.", _BY_MESSAGE),
    "5030": ("Your Plivo account has too many calls to India at once.", _TRY_AGAIN),
    "9000": ("Another phone answered first.", "Use the call that was answered."),
    "3000": ("The call was not answered.", "Call again, or send a message instead."),
    "3010": ("The line was busy.", _TRY_AGAIN),
    "3020": ("The call was declined.", "Call again when you can take it."),
    "3030": ("The carrier does not accept the number we call from.", "Call from another number."),
    "3040": ("The carrier does not allow this call.", _BY_MESSAGE),
    "3050": ("This number is not in use.", "Check the number."),
    "3070": ("The carrier did not answer in time.", _TRY_AGAIN),
    "3080": ("The carrier's equipment failed.", _TRY_AGAIN),
    "3090": ("The carrier's network is overloaded.", "Call again in a few minutes."),
    "3100": ("Every line of this number was busy.", _TRY_AGAIN),
    "3110": ("The call was declined.", "Call again when you can take it."),
    "3120": ("The carrier does not know this number.", "Check the number."),
    "3130": (
        "The carrier blocked the call as spam.",
        "Call from another number, or send a message instead.",
    ),
    "3140": (
        "The number we call from is listed as a number that makes no calls.",
        "Call from another number.",
    ),
    "4000": ("The phone was hung up.", "Call again if the code was not heard."),
    "4010": ("The call was over.", "Call again if the code was not heard."),
    "4020": ("The conference ended.", "Call again."),
    "4030": ("The phone was removed from the conference.", "Call again."),
    "6000": ("The call had reached its longest duration.", "Call again."),
    "6010": ("It rang, and was not answered in time.", "Call again, or send a message instead."),
    "6020": ("No sound came from the phone.", _TRY_AGAIN),
    "9100": (
        "A machine answered, so the code was not read out.",
        "Call again when a person can answer.",
    ),
    "9110": ("The requested key was not pressed.", "Call again, and press the key."),
}
# By the first three digits of the code.
_SERVER_FAULTS = {
    "701": (
        "Plivo could not reach this app for instructions.",
        "Check PUBLIC_URL and the tunnel.",
    ),
    "702": ("Plivo cannot use the address that this app sent.", "Check PUBLIC_URL."),
    "703": ("Plivo does not know the method that this app sent.", _SUPPORT),
    "801": (
        "Plivo could not read the instructions of this app.",
        "Check the log of this app for an error.",
    ),
}
HANGUP_TEXTS = {
    code: HangupText(code, *(_HANGUPS.get(code) or _SERVER_FAULTS[code[:3]]))
    for code in HANGUP_CAUSES
}
