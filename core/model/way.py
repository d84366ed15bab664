"""How an attempt travels, and the pair of channel and mode that stands for it outside the code.

REST, webhooks, CSV, `/metrics`, Redis and page addresses name a channel and a mode. `Way` is the
one place that converts between them.
"""

from enum import Enum, StrEnum


class Channel(StrEnum):
    """What sends the attempt: a message, a call, or a PHLO."""

    SMS = "sms"
    VOICE = "voice"
    PHLO = "phlo"


class Mode(StrEnum):
    """Whether the attempt reaches the phone as a message or as a call."""

    SMS = "sms"
    CALL = "call"


class Way(Enum):
    """How an attempt travels. The value is its channel and its mode."""

    SMS = (Channel.SMS, Mode.SMS)
    VOICE = (Channel.VOICE, Mode.CALL)
    PHLO_SMS = (Channel.PHLO, Mode.SMS)
    PHLO_CALL = (Channel.PHLO, Mode.CALL)

    def __init__(self, channel: Channel, mode: Mode) -> None:
        self.channel = channel
        self.mode = mode

    @classmethod
    def of(cls, channel: str, mode: str) -> "Way":
        """The way of a channel and a mode; a channel with one way only ignores the mode. Raises
        ValueError for an unknown channel or mode."""
        return _WAYS[Channel(channel), Mode(mode)]

    @property
    def is_call(self) -> bool:
        return self.mode is Mode.CALL

    def in_mode(self, mode: Mode) -> "Way":
        """The way of this mode that may replace this one: by the PHLO where this one is, else
        without it."""
        if self.channel is Channel.PHLO:
            return Way.of(Channel.PHLO, mode)
        return Way.VOICE if mode is Mode.CALL else Way.SMS

    @property
    def other(self) -> "Way":
        """A call in place of a message, a message in place of a call."""
        return self.in_mode(Mode.SMS if self.is_call else Mode.CALL)

    @property
    def fields(self) -> dict[str, str]:
        """Channel and mode by name, as they are stored and sent."""
        return {"channel": self.channel, "mode": self.mode}


_WAYS = {(way.channel, mode): way for way in Way for mode in Mode} | {way.value: way for way in Way}
