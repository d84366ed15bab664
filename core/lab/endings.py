"""Reads the sandbox's table of endings over HTTP, with a number for each that may be verified."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from core.lab.sandbox_client import SandboxClient, SandboxError
from core.model.errors import NumberRefused, SandboxUnavailable
from core.model.way import Channel, Mode, Way


class EndingEffect(BaseModel):
    """What happens to a message or a call; None where the ending does not decide it."""

    model_config = ConfigDict(frozen=True)
    happens: str
    state: str | None
    code: str | None
    http_status: int | None


class SandboxEnding(BaseModel):
    """One row of the table. `channels` are the modes of an attempt that it affects."""

    model_config = ConfigDict(frozen=True)
    suffix: str
    pattern: str
    group: str
    title: str
    channels: tuple[Mode, ...]
    example: str
    sms: EndingEffect
    call: EndingEffect

    @property
    def summary(self) -> str:
        """What it affects, and what happens there, in one line."""
        effects = {Mode.SMS: self.sms.happens, Mode.CALL: self.call.happens}
        texts = {effects[channel] for channel in self.channels}
        if len(texts) > 1:
            return "; ".join(f"{_NOUNS[each]}: {effects[each]}" for each in self.channels)
        return f"{' and '.join(_NOUNS[each] for each in self.channels)} · {texts.pop()}"


class SandboxEndingGroup(BaseModel):
    """A group of rows, with a sentence on what they have in common."""

    model_config = ConfigDict(frozen=True)
    name: str
    summary: str


class EndingsTable(BaseModel):
    """The answer of `GET /endings`."""

    model_config = ConfigDict(frozen=True)
    groups: tuple[SandboxEndingGroup, ...]
    endings: tuple[SandboxEnding, ...]


_NOUNS = {Mode.SMS: "message", Mode.CALL: "call"}


class NumberReader(Protocol):
    """What is needed of the numbers that may be verified."""

    def example(self, region: str | None, *, ending: str = "") -> str:
        """An example of a number that may be verified; "" if none has that `ending`."""
        ...

    def read(self, typed: str, *, region: str | None, way: Way) -> object:
        """Raises NumberRefused if a number may not be verified that way."""
        ...


class SandboxEndings:
    """The endings of the sandbox. The table is read once: it does not change while the sandbox
    runs."""

    def __init__(self, sandbox: SandboxClient, numbers: NumberReader) -> None:
        self._sandbox = sandbox
        self._numbers = numbers
        self._table: EndingsTable | None = None
        self._numbers_of: dict[str | None, Mapping[str, str]] = {}

    def table(self) -> EndingsTable:
        """Raises SandboxUnavailable."""
        if self._table is None:
            try:
                self._table = EndingsTable.model_validate(self._sandbox.endings())
            except (SandboxError, ValidationError) as error:
                raise SandboxUnavailable(
                    "The sandbox did not answer.", "Start it, or check SANDBOX_URL."
                ) from error
        return self._table

    def numbers(self, region: str | None) -> Mapping[str, str]:
        """By suffix a number that may be verified: of the region, else the table's example; ""
        where neither may be. Raises SandboxUnavailable."""
        if region not in self._numbers_of:
            self._numbers_of[region] = {
                ending.suffix: self._number(ending, region) for ending in self.table().endings
            }
        return self._numbers_of[region]

    def _number(self, ending: SandboxEnding, region: str | None) -> str:
        if number := self._numbers.example(region, ending=ending.suffix):
            return number
        try:
            self._numbers.read(ending.example, region=None, way=Way.SMS)
        except NumberRefused:
            return ""
        return ending.example


def way_to(ending: SandboxEnding, way: Way) -> Way:
    """The way to try an ending: `way` if the ending affects it, else its message or its call."""
    if way.mode in ending.channels:
        return way
    mode = ending.channels[0]
    if way.channel is Channel.PHLO:
        return Way.of(Channel.PHLO, mode)
    return Way.VOICE if mode is Mode.CALL else Way.SMS
