"""Phone numbers: values whose text is masked, so that logs and errors contain no full number."""

import re
from dataclasses import dataclass
from enum import Enum

import phonenumbers
from phonenumbers import PhoneNumberType

# A mask hides at least four digits, where the number is long enough.
_HIDDEN = 4
#: How many last digits the prefix of a number leaves out.
_OWN_DIGITS = 4


class NumberKind(Enum):
    """The kind of a number in the numbering plan. The values are those of `phonenumbers`."""

    FIXED_LINE = PhoneNumberType.FIXED_LINE
    MOBILE = PhoneNumberType.MOBILE
    FIXED_OR_MOBILE = PhoneNumberType.FIXED_LINE_OR_MOBILE  # North America: the plan cannot tell
    TOLL_FREE = PhoneNumberType.TOLL_FREE
    PREMIUM_RATE = PhoneNumberType.PREMIUM_RATE
    SHARED_COST = PhoneNumberType.SHARED_COST
    VOIP = PhoneNumberType.VOIP
    PERSONAL = PhoneNumberType.PERSONAL_NUMBER
    PAGER = PhoneNumberType.PAGER
    UAN = PhoneNumberType.UAN
    VOICEMAIL = PhoneNumberType.VOICEMAIL
    UNKNOWN = PhoneNumberType.UNKNOWN

    @property
    def words(self) -> str:
        """The kind in words, such as "mobile"."""
        return _KIND_WORDS.get(self, self.name.replace("_", " ").lower())

    @property
    def may_be_mobile(self) -> bool:
        return self in {
            NumberKind.MOBILE,
            NumberKind.FIXED_OR_MOBILE,
            NumberKind.VOIP,
            NumberKind.UNKNOWN,
        }


_KIND_WORDS = {
    NumberKind.FIXED_LINE: "landline",
    NumberKind.FIXED_OR_MOBILE: "mobile or landline",
    NumberKind.VOIP: "internet telephony",
    NumberKind.UNKNOWN: "kind of line not known",
}


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A number that a verification is for. Neither `repr` nor `str` shows it; `e164` does.

    `masked` is safe to show. `region` is ISO 3166-1 alpha-2, `country` its English name.
    """

    e164: str
    masked: str
    region: str
    country: str

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"

    def __str__(self) -> str:
        return self.masked

    @property
    def digits(self) -> str:
        """E.164 without the plus sign."""
        return self.e164[1:]

    @property
    def prefix(self) -> str:
        """The number without its last four digits: what it shares with its neighbours."""
        return self.e164[:-_OWN_DIGITS]


@dataclass(frozen=True, slots=True, repr=False)
class ParsedNumber(PhoneNumber):
    """A number that was parsed from typed text, with its facts in the numbering plan.
    `international` is its written form."""

    kind: NumberKind
    international: str

    @property
    def carrier(self) -> str:
        """The operator that the range was given to, "" where the plan does not name it. The number
        may have been ported since."""
        # Imported late: its tables take a third of a second to load. `warm` in core.services does.
        from phonenumbers import carrier

        return str(carrier.name_for_number(phonenumbers.parse(self.e164), "en"))


def mask(international: str) -> str:
    """A number for pages and logs, from its international format: `+1 415 ••• ••50`.

    The country code and the last two digits are kept, and the first group where that still hides
    four digits.
    """
    code, *groups = re.findall(r"\d+", international)
    digits = sum(len(group) for group in groups)
    visible_digits = len(groups[0]) if digits - len(groups[0]) - 2 >= _HIDDEN else 0
    place = 0
    masked_groups = [f"+{code}"]
    for group in groups:
        masked_groups.append(
            "".join(
                digit if at < visible_digits or at >= digits - 2 else "•"
                for at, digit in enumerate(group, place)
            )
        )
        place += len(group)
    return " ".join(masked_groups)
