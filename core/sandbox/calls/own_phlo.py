"""The only PHLO of the sandbox, modelled on Plivo's template for two-factor codes.

mode sms sends a message with the code. mode call speaks the digits after a person presses 1, so no
answering machine records them. Every PHLO id runs it; ids that end in 404 do not exist.
"""

from html import escape

PHLO_SCHEME = "phlo:"
PHLO_START = "phlo:start"
_PHLO_CODE = "phlo:code"

_GREETING = f"""<Response>
<GetDigits numDigits="1" validDigits="1" timeout="10" retries="3" action="{_PHLO_CODE}">
<Speak>This is your verification call. Press 1 to hear your code.</Speak>
</GetDigits>
</Response>"""


def phlo_exists(phlo_id: str) -> bool:
    return not phlo_id.endswith("404")


def phlo_text(otp: str) -> str:
    """The text of the message."""
    return f"Your verification code is {otp}."


def phlo_document(url: str, otp: str) -> bytes:
    """The Plivo XML of a node of the call; `url` names the node."""
    if url == PHLO_START:
        return _GREETING.encode()
    return f"""<Response>
<Speak loop="3">Your verification code is {escape(", ".join(otp))}.</Speak>
</Response>""".encode()
