"""Reads typed numbers by the settings, gives their digests, and shows example numbers."""

import phonenumbers

from core.model.errors import NumberRefused
from core.model.phone_number import ParsedNumber
from core.model.way import Way
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.verification.number.numbering_plan import example_for
from core.verification.number.parse import parse_number


class Numbers:
    """Reads numbers: which countries and which kinds of numbers are accepted is in the settings."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._settings = settings
        self._keyring = keyring

    def read(self, typed: str, *, region: str | None, way: Way) -> ParsedNumber:
        """The number that was typed, if it may be verified that way. Raises NumberRefused."""
        return parse_number(
            typed,
            default_region=region,
            allowed=self._settings.allowed_countries,
            sender=self._settings.sender,
            for_sms=not way.is_call,
            accept_fictional=self._settings.is_sandbox,
        )

    def find(self, typed: str, *, region: str | None) -> ParsedNumber:
        """The number that was typed, whether or not it may be verified now: for finding its
        attempts. Raises NumberRefused."""
        return parse_number(
            typed,
            default_region=region,
            for_sms=False,
            accept_fictional=self._settings.is_sandbox,
        )

    def index(self, e164: str) -> str:
        """The digest by which the attempts to a number are found."""
        return self._keyring.number_index(e164)

    def example(self, region: str | None, *, ending: str = "") -> str:
        """An example of a number that may be verified; "" if none has that `ending`."""
        example = example_for(region, self._settings.allowed_countries)
        if not ending:
            return example
        digits = phonenumbers.normalize_digits_only(example)
        try:
            number = self.read(
                f"+{digits[: -len(ending)]}{ending}",
                region=None,
                way=Way.SMS,
            )
        except NumberRefused:
            return ""
        return number.international

    def example_e164(self) -> str:
        """The example for programs: of DEFAULT_REGION where that may be verified."""
        example = self.example(self._settings.default_region)
        return f"+{phonenumbers.normalize_digits_only(example)}"

    def index_of_typed(self, typed: str) -> str:
        """The digest of a typed number, "" for text that cannot be a number."""
        try:
            number = self.find(typed, region=None)
        except NumberRefused:
            return ""
        return self.index(number.e164)
