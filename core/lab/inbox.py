"""Reads the sandbox's inbox: what arrived on all its handsets."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.lab.sandbox_client import SandboxClient, SandboxError
from core.model.errors import SandboxUnavailable

_NOT_FOUND = 404


class TranscriptLine(BaseModel):
    """What was spoken in a call, or a key that was pressed. `kind` is that of the sandbox."""

    model_config = ConfigDict(frozen=True)
    at: datetime
    kind: str
    text: str = Field(repr=False)


class InboxItem(BaseModel):
    """A message or a call. `channel` is sms or call; `text` of a call is what was spoken."""

    model_config = ConfigDict(frozen=True)
    reference: str
    channel: str
    number: str = Field(repr=False)
    number_display: str = Field(repr=False)
    from_display: str
    text: str = Field(repr=False)
    transcript: tuple[TranscriptLine, ...] | None = Field(repr=False)
    code: str | None = Field(repr=False)
    state: str
    error_code: str | None
    hangup_cause_name: str | None
    requested_at: datetime
    arrived_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None

    @property
    def is_call(self) -> bool:
        return self.channel == "call"

    @property
    def state_words(self) -> str:
        """Its state in a few words."""
        match self.state:
            case "delivered":
                return "Delivered"
            case "queued" | "sent":
                return "Arrived; no receipt yet"
            case "ringing":
                return "Ringing"
            case "in-progress":
                return "In progress"
            case "ended":
                what = "Ended" if self.answered_at else "Missed"
                return f"{what}: {self.hangup_cause_name}" if self.hangup_cause_name else what
            case _:
                return f"Arrived, but reported as {self.state} (error {self.error_code})"


class InboxPage(BaseModel):
    """Entries, newest first. `next_before` requests the next page; None on the last one."""

    model_config = ConfigDict(frozen=True)
    entries: tuple[InboxItem, ...]
    next_before: int | None


class SandboxInbox:
    """The inbox of a sandbox. Every method raises SandboxUnavailable."""

    def __init__(self, sandbox: SandboxClient) -> None:
        self._sandbox = sandbox

    def page(self, search: str = "", before: int | None = None) -> InboxPage:
        """The newest entries that match, or those after `before`."""
        try:
            return InboxPage.model_validate(self._sandbox.inbox(search, before=before))
        except (SandboxError, ValidationError) as error:
            raise _unavailable() from error

    def item(self, reference: str) -> InboxItem | None:
        """The message or call with this UUID; None if the inbox does not have it."""
        try:
            return InboxItem.model_validate(self._sandbox.inbox_entry(reference))
        except SandboxError as error:
            if error.status == _NOT_FOUND:
                return None
            raise _unavailable() from error
        except ValidationError as error:
            raise _unavailable() from error


def _unavailable() -> SandboxUnavailable:
    return SandboxUnavailable("The sandbox did not answer.", "Start it, or check SANDBOX_URL.")
