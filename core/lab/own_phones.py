"""Makes checklist items for the team's own handsets, which TEST_PHONES lists."""

from collections.abc import Iterable

from core.lab.sessions.model import ChecklistItem
from core.model.way import Way
from core.settings.own_phones import OwnPhone

#: The `expected_state` of an item that passes once its right code was entered.
VERIFIED = "verified"


def items_of_phones(sends: Iterable[tuple[str, Way]]) -> list[ChecklistItem]:
    """An item for each label and way. It has the label only: the number stays in the settings."""
    return [
        ChecklistItem(
            id="",
            title=label,
            expected="A call reads the code out" if way.is_call else "A message with the code",
            way=way,
            expected_state=VERIFIED,
            phone=label,
        )
        for label, way in sends
    ]


def number_of(phones: Iterable[OwnPhone], label: str) -> str:
    """The number of a handset in E.164; "" if TEST_PHONES has it no longer."""
    return next((phone.number for phone in phones if phone.label == label), "")
