"""What a caller may do with verifications. `access` decides it, `verification` enforces it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `limit` sends in all; they are counted under `name` and kept for `keep`."""

    name: str
    limit: int
    keep: timedelta


@dataclass(frozen=True, slots=True)
class Grant:
    """The rights of one caller, as of now: make a new one for each request.

    `owner` is kept with every verification that is started under it. `refusal` is the cause and
    the remedy of a send that is not allowed; None: the budgets alone decide.
    """

    owner: str
    touches_all: bool = False
    refusal: tuple[str, str] | None = None
    #: ISO codes of the countries that may be verified, within COUNTRIES; None: all of those.
    countries: frozenset[str] | None = None
    allowance: Allowance | None = None

    def may_touch(self, owner: str) -> bool:
        """Whether they may look at, check, resend and cancel what `owner` has started."""
        return self.touches_all or (self.owner != "" and self.owner == owner)

    def covers(self, region: str) -> bool:
        """Whether they may send to this country."""
        return self.countries is None or region in self.countries


#: The product itself, such as a call that Plivo asks about with a signed callback.
INTERNAL = Grant("", touches_all=True)
OPERATOR = Grant("operator", touches_all=True)

#: Cause and remedy where an allowance is used up.
NO_SENDS_LEFT = (
    "This invite has no sends left.",
    "Ask the person who gave you the link for a new one.",
)
