"""The sandbox's errors, as one tree.

SandboxError
├── Refusal         a request is answered with an HTTP error and a sentence
│   └── Unauthorized  the credentials are wrong; Plivo says so in plain text
├── InvalidXml      an answer is no Plivo XML that the sandbox can follow
├── NotRunning      the carrier was asked for something outside `Sandbox.running()`
├── StorageFailed   the state file cannot be written or read at the moment, such as on a full disk
└── FileInUse       another process has the state file
"""


class SandboxError(Exception):
    """Something the sandbox says no to."""


class Refusal(SandboxError):
    """`status` is the HTTP status; the text is what the caller reads under `error`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Unauthorized(Refusal):
    """No credentials, or not this account's."""

    def __init__(self) -> None:
        super().__init__(401, "invalid credentials")


class InvalidXml(SandboxError):
    """The text says what is wrong with the document; it quotes none of it."""


class NotRunning(SandboxError):
    """The state file is closed."""


class StorageFailed(SandboxError):
    """Nothing was written. The text is SQLite's own, and quotes no value."""


class FileInUse(SandboxError):
    """One process at a time may work on a state file."""
