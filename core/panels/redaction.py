"""Removes the number and the code of a verification from text, in every form.

Exchanges are masked when they are recorded, by rules that do not know the number. What leaves the
application as a file is masked again with both known: a text of Plivo's may have the number without
its country code, or the code in the answer to a later request.
"""

import re
import unicodedata
from typing import Any

import phonenumbers

from core.model.code import Code
from core.plivo.masking import DOTS, mask_text

# Between two digits of a number, and of a code: also what stands for a separator in a URL. A code
# must not be seen in the time of day.
_IN_NUMBER = r"(?:[\W_]|%2\w){0,3}"
_IN_CODE = r"(?:[\s,.\-]|%2[0Cc]){0,3}"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class Redaction:
    """For one verification: its number in E.164, and its code."""

    def __init__(self, e164: str, code: Code) -> None:
        number = phonenumbers.parse(e164)
        # In some countries the national format has other digits: +54 9 11 2345 becomes 011 15 2345.
        formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        national = phonenumbers.normalize_digits_only(formatted).lstrip("0")
        patterns = (
            _IN_NUMBER.join(e164[1:]),
            _IN_NUMBER.join(str(number.national_number)),
            _IN_NUMBER.join(national),
            rf"(?<!\d){_IN_CODE.join(code.reveal())}(?!\d)",
        )
        # A uuid stays, whatever digits it has.
        self._pattern = re.compile(rf"(?P<uuid>{_UUID})|{'|'.join(patterns)}")

    def text(self, text: str) -> str:
        """The text with dots in place of number and code, and masked as every exchange is."""
        text = mask_text(text)
        parts, end = [], 0
        for match in self._pattern.finditer(_with_ascii_digits(text)):
            if match["uuid"] is None:
                parts += [text[end : match.start()], DOTS]
                end = match.end()
        return "".join((*parts, text[end:]))

    def value(self, value: Any) -> Any:
        """A JSON value, redacted inside; a number that contains a secret becomes text."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(name): self.value(part) for name, part in value.items()}
            case list():
                return [self.value(part) for part in value]
            case bool() | None:
                return value
            case _:
                text = self.text(str(value))
                return value if text == str(value) else text


def _with_ascii_digits(text: str) -> str:
    """The text with each digit of another script as an ASCII digit, at its place."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
