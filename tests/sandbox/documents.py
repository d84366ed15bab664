"""Plivo XML that tests of calls share."""

SPEAK = "<Response><Speak>Your code is 4, 7, 1, 1.</Speak></Response>"
LISTEN = """<Response>
<GetDigits numDigits="{most}" action="{action}" validDigits="{valid}" timeout="{timeout}"
 retries="{retries}"><Speak>Press a key.</Speak></GetDigits>
<Speak>You pressed nothing.</Speak></Response>"""


def listening(
    action: str, most: int = 1, valid: str = "0123456789", timeout: int = 600, retries: int = 1
) -> str:
    return LISTEN.format(action=action, most=most, valid=valid, timeout=timeout, retries=retries)
