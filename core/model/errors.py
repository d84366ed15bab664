"""The product's errors, as one tree. Each has a cause and a remedy.

    ProductError
    ├── SettingsRefused      a setting is missing or wrong; nothing was started
    ├── StoreUnavailable     Redis did not answer; nothing was sent, nothing was approved
    │   ├── StoreReadOnly    Redis takes no writes at present; it can be read
    │   └── StoreForbidden   the user of REDIS_URL lacks a right
    ├── NumberRefused        the typed text is not a number that may be verified
    ├── SampleRefused        sample traffic may not be made like that, or not here
    ├── ResetRefused         the sandbox may not be reset like that, or not here
    ├── SandboxUnavailable   the sandbox did not answer; nothing changed
    ├── CursorRefused        the cursor of a list is malformed
    ├── TokenRefused         a token may not be made or ended like that
    ├── InviteRefused        an invite may not be made like that
    ├── SessionRefused       a test session may not be made or changed like that
    ├── SnoozeRefused        there is no such alert to snooze
    └── ProviderError        Plivo, or the way to it
        ├── AttemptRejected  Plivo refused the send: nothing was sent
        ├── AttemptUnknown   no clear answer: it may have been sent, so it stays counted
        └── ProviderRead     a record could not be read; nothing changed

Expected endings of a verification (wrong code, too soon, expired) are outcomes, not errors.
"""

from core.model.unreadable import Unreadable


class ProductError(Exception):
    """`cause` is safe to log and to show: no code, no secret, no full number. `remedy` is one
    sentence, an instruction to the reader."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy


class SettingsRefused(ProductError):
    """A setting is missing or wrong."""


class StoreUnavailable(ProductError):
    """Redis did not answer, or could not be started."""


class StoreReadOnly(StoreUnavailable):
    """Redis takes no writes at present; what it holds can be read."""


class StoreForbidden(StoreUnavailable):
    """The user of REDIS_URL may not run a command, or use a key or a channel."""


class NumberRefused(ProductError):
    """The typed text is not a number that may be verified."""


class SampleRefused(ProductError):
    """Sample traffic was requested where it is not allowed, or too much of it."""


class ResetRefused(ProductError):
    """A reset outside the sandbox, or of an unknown kind of data."""


class SandboxUnavailable(ProductError):
    """The sandbox did not answer the request of a page."""


class CursorRefused(ProductError):
    """The cursor of a list is malformed."""


class TokenRefused(ProductError):
    """A token of the HTTP routes may not be made like that, or does not exist."""


class InviteRefused(ProductError):
    """An invite may not be made like that."""


class SessionRefused(ProductError):
    """A test session may not be made or changed like that."""


class SnoozeRefused(ProductError):
    """There is no such alert to snooze."""


class ProviderError(ProductError):
    """Plivo answered with an error, or did not answer.

    `status` is the HTTP status, None where there was no answer.
    """

    def __init__(self, cause: str, remedy: str, status: int | None = None) -> None:
        super().__init__(cause, remedy)
        self.status = status


class AttemptRejected(ProviderError):
    """Definitely not sent: the budget is returned."""


class AttemptUnknown(ProviderError):
    """Perhaps sent: the budget stays spent and the logs decide later. `unreadable` are the values
    of a good answer that could not be read."""

    unreadable: tuple[Unreadable, ...] = ()


class ProviderRead(ProviderError):
    """A message, call or account record could not be read."""
