"""Why a typed number is refused: a reason for programs, sentences for people."""

from enum import StrEnum

from core.model.errors import NumberRefused


class NumberRefusal(StrEnum):
    """Why a number may not be verified."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    NO_COUNTRY = "no_country"
    AMBIGUOUS = "ambiguous"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID = "invalid"
    NOT_A_MOBILE = "not_a_mobile"
    PREMIUM_RATE = "premium_rate"
    NOT_REACHABLE_KIND = "not_reachable_kind"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    SAME_AS_SENDER = "same_as_sender"


class UnfitNumber(NumberRefused):
    """`reason` is for programs; `cause` and `remedy` are for people and never repeat the number."""

    def __init__(self, reason: NumberRefusal, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.reason = reason
