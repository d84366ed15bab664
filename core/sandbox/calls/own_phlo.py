"""The sandbox's own PHLO, after Plivo's template for two-factor codes.

mode sms: a message with the code. mode call: a person must press 1 to hear the digits, so that a
machine records none. Every PHLO id runs it, but for one that ends in 404.
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
    """The Plivo XML of one node of the call."""
    if url == PHLO_START:
        return _GREETING.encode()
    return f"""<Response>
<Speak loop="3">Your verification code is {escape(", ".join(otp))}.</Speak>
</Response>""".encode()
