"""A manual test session: who tested which build, the checklist, and the verifications behind it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from core.model.attempt import verification_of
from core.model.way import Way


class Mark(StrEnum):
    """The tester's verdict on an item. An item without a mark is open."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class ItemMark:
    """A mark, when it was set, and what was seen then, in words: attempts are kept for a shorter
    time than sessions, and can be reset."""

    mark: Mark
    at: datetime
    seen: str = ""


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of a checklist. `way` and `ending` (the suffix of a row of the sandbox's table) are
    set where the item was made from that table; then `expected_state` and `expected_code` are the
    values that an attempt must end with, "" where the ending does not decide them.

    `phone` is the label of one of the team's own handsets, "" for other items: the number itself is
    in no item.

    `attempt` is the id of the attempt that it was seen on, `refusal` the id of a refused send in
    its place; both "" while there is none.
    """

    id: str
    title: str
    expected: str = ""
    way: Way | None = None
    ending: str = ""
    expected_state: str = ""
    expected_code: str = ""
    phone: str = ""
    attempt: str = ""
    refusal: str = ""
    marked: ItemMark | None = None
    note: str = ""

    @property
    def verification(self) -> str:
        """The verification of the attempt; "" while there is none."""
        return verification_of(self.attempt)


@dataclass(frozen=True, slots=True)
class CollectedVerification:
    """A verification that was started while the session was active."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefusedSend:
    """A send that the product refused, so there is no attempt. `verification` is set for a refused
    resend. The number is masked, "" where none could be read."""

    id: str
    at: datetime
    way: Way
    to_masked: str
    cause: str
    remedy: str
    verification: str = ""


@dataclass(frozen=True, slots=True)
class ChecklistProgress:
    """How many items have which mark."""

    items: int
    passed: int
    failed: int
    blocked: int

    @property
    def marked(self) -> int:
        return self.passed + self.failed + self.blocked


@dataclass(frozen=True, slots=True)
class TestSession:
    """A session with all of its content. Items are in the order of the checklist, verifications and
    refused sends the oldest first. Moments are aware, in UTC."""

    #: pytest collects classes with this prefix.
    __test__: ClassVar[bool] = False

    id: str
    name: str
    tester: str
    build: str
    started_at: datetime
    ended_at: datetime | None = None
    items: tuple[ChecklistItem, ...] = ()
    verifications: tuple[CollectedVerification, ...] = ()
    refusals: tuple[RefusedSend, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def progress(self) -> ChecklistProgress:
        return progress_of(self.items)

    @property
    def unassigned(self) -> tuple[CollectedVerification, ...]:
        """The verifications that no item was seen on."""
        used = {item.verification for item in self.items}
        return tuple(each for each in self.verifications if each.id not in used)

    @property
    def unassigned_refusals(self) -> tuple[RefusedSend, ...]:
        """The refused sends that no item was seen on."""
        used = {item.refusal for item in self.items}
        return tuple(each for each in self.refusals if each.id not in used)

    def item(self, item_id: str) -> ChecklistItem | None:
        return next((item for item in self.items if item.id == item_id), None)

    def refusal(self, refusal_id: str) -> RefusedSend | None:
        return next((each for each in self.refusals if each.id == refusal_id), None)


def progress_of(items: Sequence[ChecklistItem]) -> ChecklistProgress:
    marks = Counter(item.marked.mark for item in items if item.marked)
    return ChecklistProgress(
        len(items), marks[Mark.PASSED], marks[Mark.FAILED], marks[Mark.BLOCKED]
    )
