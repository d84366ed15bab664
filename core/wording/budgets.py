"""What budgets that refuse sends are about, and the settings that change them, for the operator."""

from collections.abc import Sequence

#: The budgets of `core.verification.policy` that refuse sends, in words.
BUDGETS = {
    "sends_per_10_minutes": "One number, too often in 10 minutes",
    "sends_per_day": "One number, too often in a day",
    "refused_sends_per_hour": "One number that Plivo keeps refusing",
    "failed_checks_per_hour": "One number, too many wrong codes from one address in an hour",
    "failed_checks_per_day": "One number, too many wrong codes in a day",
    "guesses_per_day": "One number, too many codes checked in a day",
    "sends_per_prefix": "Neighbouring numbers",
    "sends_per_address": "One client address",
    "sends_without_address": "Clients whose address is not known",
    "sends_per_country": "One country",
    "spend_per_day": "The spending limit of the day",
}
_PER_ADDRESS = "SENDS_PER_ADDRESS_PER_HOUR"
_SETTINGS = {name: name.upper() for name in BUDGETS} | {
    "guesses_per_day": "FAILED_CHECKS_PER_DAY",
    "sends_per_prefix": "SENDS_PER_PREFIX_PER_HOUR",
    "sends_per_address": _PER_ADDRESS,
    "sends_without_address": f"{_PER_ADDRESS}, X-Forwarded-For of the proxy",
    "sends_per_country": "SENDS_PER_COUNTRY_PER_HOUR",
}
_MOST_NAMED = 3


def refusing_words(budgets: Sequence[str]) -> str:
    """Budgets with their settings, for advice: "one country (SENDS_PER_COUNTRY_PER_HOUR)"."""
    names = [name for name in budgets if name in BUDGETS][:_MOST_NAMED]
    return "; ".join(
        f"{BUDGETS[name][0].lower()}{BUDGETS[name][1:]} ({_SETTINGS[name]})" for name in names
    )
