"""The code of each verification: a fixed one for numbers of TEST_NUMBERS, else a derived one.

Fixed codes exist in the sandbox only: with TEST_NUMBERS set, a live start is refused. They need no
end date, as test numbers of other products do, because no live number can have one.
"""

from collections.abc import Mapping

from core.model.code import Code
from core.model.errors import NumberRefused, SettingsRefused
from core.model.way import Way
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.verification.code import code_of
from core.verification.numbers import Numbers
from core.verification.policy import ALWAYS_REFUSED


class Codes:
    """Returns codes. `fixed` has those of TEST_NUMBERS, by the digest of their number."""

    def __init__(self, keyring: Keyring, fixed: Mapping[str, Code]) -> None:
        self._keyring = keyring
        self._fixed = fixed

    def of(self, verification: str, digits: int, number_index: str) -> Code:
        """The code of a verification, `digits` long, of the number with this digest."""
        fixed = self._fixed.get(number_index)
        # After a change of CODE_LENGTH, an open verification keeps its own.
        if fixed is not None and len(fixed.reveal()) == digits:
            return fixed
        return code_of(self._keyring, verification, digits)


def read_fixed_codes(settings: Settings, numbers: Numbers) -> dict[str, Code]:
    """The codes of TEST_NUMBERS by the digest of their number. Raises SettingsRefused for a number
    that may not be verified in the sandbox."""
    if not settings.is_sandbox:
        return {}
    codes = {}
    for place, entry in enumerate(settings.test_numbers, 1):
        subject = f"Entry {place} of TEST_NUMBERS"
        try:
            number = numbers.read(entry.number, region=None, way=Way.VOICE)
        except NumberRefused as error:
            raise SettingsRefused(
                f"{subject} cannot be verified: {error.cause}", error.remedy
            ) from None
        if number.e164 != entry.number:
            raise SettingsRefused(
                f"{subject} is not in E.164.", "Write it with its country code and no other digits."
            )
        if number.digits.endswith(ALWAYS_REFUSED):
            raise SettingsRefused(
                f"{subject} ends in {ALWAYS_REFUSED}: every send to it is refused.",
                "Choose a number with another ending.",
            )
        codes[numbers.index(number.e164)] = Code(entry.code.get_secret_value())
    return codes
