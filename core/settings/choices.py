"""Values of the settings that have a fixed set of values."""

from enum import StrEnum


class SandboxBudgets(StrEnum):
    """Whether the budgets refuse in the sandbox. When live, they always do."""

    WARN = "warn"
    ENFORCE = "enforce"


class PlivoMode(StrEnum):
    """The simulated or the real Plivo. The value is also a part of every Redis key."""

    SANDBOX = "sandbox"
    LIVE = "live"


class VerifyAccess(StrEnum):
    """Who may send from the Verify page."""

    PASSWORD = "password"  # noqa: S105  the operator only
    INVITE = "invite"  # the operator, and people with a valid invite
    OPEN = "open"  # every visitor of the page
