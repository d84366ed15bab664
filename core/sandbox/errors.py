"""The sandbox's exceptions.

SandboxFailure
├── Refusal         a request that is answered with an HTTP error status and a sentence
│   ├── Unauthorized  wrong credentials
│   └── NotSimulated  something that Plivo has and the sandbox does not
├── InvalidXml      a document that is not Plivo XML, or has elements the sandbox does not support
├── NotRunning      a request outside `Sandbox.running()`
├── StorageFailed   the state file cannot be read or written, for example on a full disk
└── FileInUse       another process has locked the state file
"""


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
