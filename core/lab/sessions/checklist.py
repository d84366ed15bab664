"""Makes checklist items: from the sandbox's table of endings, or from lines of text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.lab.endings import EndingEffect, SandboxEnding
from core.lab.sessions.model import ChecklistItem
from core.lab.sessions.store import MAX_LINE
from core.model.attempt import State
from core.model.error_codes import hangup_cause, message_error_code
from core.model.way import Channel, Mode, Way

#: The `expected_state` of a send that the product itself refuses: there is no attempt then.
REFUSED = "refused"
_REFUSED_BY_APP = "refused by the app"
#: In front of a pasted line: "- ", "* ", "3. ", "[ ] ".
_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)?(?:\[[ xX]?\]\s+)?")
_SEPARATOR = "=>"
#: HTTP statuses with which Plivo certainly sent nothing.
_REJECTED = range(400, 429)


@dataclass(frozen=True, slots=True)
class ChecklistPreset:
    """A selection of the table; without `groups`, all of them."""

    name: str
    groups: tuple[str, ...]
    ways: tuple[Way, ...]


PRESETS = (
    ChecklistPreset("Delivered paths", ("delivered",), tuple(Way)),
    ChecklistPreset("Refused messages", ("refused by the carrier", "refused by Plivo"), (Way.SMS,)),
    ChecklistPreset("Calls that fail", ("calls that fail",), (Way.VOICE,)),
    ChecklistPreset("Everything", (), (Way.SMS, Way.VOICE)),
)


def items_of_endings(
    endings: Iterable[SandboxEnding], groups: Iterable[str], ways: Sequence[Way]
) -> list[ChecklistItem]:
    """An item for each ending of the groups and each of the ways that it affects."""
    selected = set(groups)
    return [
        _item(ending, way)
        for ending in endings
        if ending.group in selected
        for way in ways
        if way.mode in ending.channels
    ]


def items_of_lines(text: str) -> list[ChecklistItem]:
    """An item for each line that is not empty, as `title` or `title => expected`. Bullets, numbers
    and boxes in front of a line are removed."""
    items = []
    for line in text.splitlines():
        title, _, expected = _BULLET.sub("", line, count=1).partition(_SEPARATOR)
        if title.strip() or expected.strip():
            items.append(ChecklistItem("", title.strip(), expected.strip()))
    return items


def _item(ending: SandboxEnding, way: Way) -> ChecklistItem:
    effect = ending.sms if way.mode is Mode.SMS else ending.call
    state, code = _expected(ending, effect, way)
    happens = effect.happens[:1].upper() + effect.happens[1:]
    codes = {Mode.SMS: "error", Mode.CALL: "hangup cause"}
    expected = f"{happens} ({codes[way.mode]} {code})" if code else happens
    return ChecklistItem(
        id="",
        title=f"{ending.suffix} {_title(ending)}"[:MAX_LINE],
        expected=expected[:MAX_LINE],
        way=way,
        ending=ending.suffix,
        expected_state=state,
        expected_code=code,
    )


def _title(ending: SandboxEnding) -> str:
    """The row for all delays, "Late by SS seconds", has the delay of its example."""
    is_delay = ending.pattern.endswith("SS")
    return ending.title.replace("SS", str(int(ending.suffix[-2:]))) if is_delay else ending.title


def _expected(ending: SandboxEnding, effect: EndingEffect, way: Way) -> tuple[str, str]:
    """The state and the code that an attempt must end with, "" where they are not decided."""
    if ending.group == _REFUSED_BY_APP:
        return REFUSED, ""
    if effect.http_status is not None:
        rejected = effect.http_status in _REJECTED
        return (State.REJECTED if rejected else State.UNCLEAR), ""
    if way.mode is Mode.SMS:
        # A PHLO whose answer never came names no message that could be followed.
        if way.channel is Channel.PHLO and effect.state and "answered only after" in effect.happens:
            return State.UNCLEAR, ""
        return effect.state or "", message_error_code(effect.code) or ""
    cause = hangup_cause(effect.code)
    if cause is None:
        return "", ""
    return (State.UNDELIVERED if cause.reached else State.FAILED), cause.code
