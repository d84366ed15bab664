"""Rules of chaos for the QA page: presets, new rules, and changes of a document.

Rules and documents are JSON objects as in core/sandbox/README.md, section Chaos. The sandbox checks
them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import phonenumbers

Rule = Mapping[str, Any]
Document = Mapping[str, Any]

_TIMES: Rule = {"seconds": 5, "spread_seconds": 0, "tail_seconds": 0}
#: The fields that only some effects have, with what the form begins with.
PARAMETERS: Mapping[str, Rule] = {
    "not_delivered": {"error_code": 20},
    "false_undelivered": {"error_code": 20},
    "http_status": {"status": 503},
    "hangup": {"hangup_cause_code": 3010},
    "delay": _TIMES,
    "receipt_late": _TIMES,
}
#: The fields of every rule.
_COMMON: Rule = {
    "channel": "any", "via": "any", "country": None, "carrier": None, "probability": 1,
}  # fmt: skip

PRESETS: Mapping[str, Rule] = {
    "A carrier loses 30 %": {
        "effect": "not_delivered", "error_code": 20, "country": "DE", "carrier": "Vodafone",
        "probability": 0.3,
    },
    "A slow carrier": {
        "effect": "delay", "channel": "sms", "country": "DE", "carrier": "Vodafone",
        "seconds": 5, "spread_seconds": 15, "tail_seconds": 20,
    },
    "No receipts": {"effect": "no_receipt"},
    "Callbacks twice": {"effect": "callbacks_doubled"},
    "Plivo answers 503": {"effect": "http_status", "status": 503},
    "Plivo is silent": {"effect": "silence", "probability": 0.2},
    "Calls are busy": {"effect": "hangup", "hangup_cause_code": 3010},
    "Voicemail answers": {"effect": "hangup", "hangup_cause_code": 9100, "probability": 0.5},
    "Keys are not heard": {"effect": "keys_lost"},
}  # fmt: skip


def complete(rule: Rule) -> Rule:
    """The rule with every field that its effect has."""
    return {**_COMMON, **PARAMETERS.get(rule["effect"], {}), **rule}


def with_rule(document: Document, rule: Rule, at: int | None = None) -> Document:
    """The document with one more rule, and chaos on; or with this rule in place of rule `at`."""
    rules: Sequence[Rule] = document["rules"]
    if at is None:
        return {**document, "on": True, "rules": [*rules, rule]}
    return {**document, "rules": [*rules[:at], rule, *rules[at + 1 :]]}


def without_rule(document: Document, at: int) -> Document:
    rules: Sequence[Rule] = document["rules"]
    return {**document, "rules": [*rules[:at], *rules[at + 1 :]]}


def carriers_in(region: str | None) -> list[str]:
    """The carriers that the numbering plan names for a country, or for all countries."""
    # Imported late: its tables are slow to load.
    from phonenumbers.carrierdata import CARRIER_DATA

    code = str(phonenumbers.country_code_for_region(region)) if region else ""
    names = {
        names["en"]
        for prefix, names in CARRIER_DATA.items()
        if "en" in names and prefix.startswith(code)
    }
    return sorted(names, key=str.lower)
