"""The request to send an attempt."""

from dataclasses import dataclass

from core.model.code import Code
from core.model.phone_number import PhoneNumber
from core.model.way import Way


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """A message or call to send; `minutes` is the lifetime in the text."""

    attempt: str
    way: Way
    to: PhoneNumber
    code: Code
    minutes: int
