"""Values of the log sync: its outcome and its progress, and how they are stored."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.clock import duration_ms
from core.tracking.log_turn import cursor_of


class LogRunOutcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    STOPPED = "stopped"  # on request; the next run continues there
    BUSY = "busy"  # another process is reading
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has got. `left` is an estimate, None at first."""

    windows: int
    windows_done: int = 0
    rows: int = 0
    settled: int = 0
    foreign: int = 0
    left: timedelta | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class LogRun:
    """The result of a run. `cause` and `remedy` are sentences, "" unless it failed."""

    outcome: LogRunOutcome
    progress: Progress
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """The state of the log sync in all processes. `outcome` is that of the last run that ended."""

    is_running: bool
    through: datetime | None
    outcome: LogRunOutcome | None
    progress: Progress
    cause: str


_COUNTS = ("windows", "windows_done", "rows", "settled", "foreign")


def progress_fields(progress: Progress) -> dict[str, str | int]:
    """The fields of the stored status."""
    left_ms = "" if progress.left is None else duration_ms(progress.left)
    return {name: getattr(progress, name) for name in _COUNTS} | {"left_ms": left_ms}


def read_status(stored: dict[str, str], *, is_running: bool) -> LogStatus:
    """The status in its stored fields."""
    left_ms = stored.get("left_ms", "")
    progress = Progress(*(read_count(stored.get(name, "")) for name in _COUNTS))
    return LogStatus(
        is_running=is_running,
        through=cursor_of(stored),
        outcome=next((o for o in LogRunOutcome if o == stored.get("outcome")), None),
        progress=replace(
            progress, left=timedelta(milliseconds=read_count(left_ms)) if left_ms else None
        ),
        cause=stored.get("cause", ""),
    )


def read_count(stored: str) -> int:
    """A stored number; 0 for text that is not one, which the next run replaces."""
    return int(stored) if stored.isdecimal() and len(stored) < 16 else 0
