"""The sandbox's exceptions.

SandboxFailure
├── Refusal         a request that is answered with an HTTP error status and a sentence
│   ├── Unauthorized  wrong credentials
│   ├── CannotFollow  a status that cannot follow that of a message or call
│   └── NotSimulated  something that Plivo has and the sandbox does not
├── InvalidXml      a document that is not Plivo XML, or has elements the sandbox does not support
├── NotRunning      a request outside `Sandbox.running()`
├── StorageFailed   the state file cannot be read or written: a full disk, or a damaged file
└── FileInUse       another process has locked the state file
"""

from collections.abc import Sequence


class SandboxFailure(Exception):
    """Base of all exceptions of the sandbox."""


class Refusal(SandboxFailure):
    """`status` is the HTTP status of the answer, `text` the value of its field `error`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Unauthorized(Refusal):
    """Credentials are missing or wrong, or the path names another account."""

    def __init__(self) -> None:
        super().__init__(401, "invalid credentials")


class CannotFollow(Refusal):
    """`possible` are the statuses that can follow `current`, that of a message or call."""

    def __init__(self, noun: str, current: str, possible: Sequence[str]) -> None:
        rest = f"only {' or '.join(possible)} can follow" if possible else "nothing can follow"
        super().__init__(409, f"this {noun} is {current}; {rest}")


class NotSimulated(Refusal):
    """`what` is a resource or a parameter, by its name at Plivo."""

    def __init__(self, what: str) -> None:
        super().__init__(501, f"{what} is not simulated by the sandbox")


class InvalidXml(SandboxFailure):
    """The text names the problem and quotes no text of the document, which can hold a code."""


class NotRunning(SandboxFailure):
    """The state file is not open."""


class StorageFailed(SandboxFailure):
    """Nothing was written. The text is SQLite's message, which quotes no value."""


class FileInUse(SandboxFailure):
    """Only one process at a time may open a state file."""
