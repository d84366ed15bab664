"""The document of `GET` and `PUT /chaos`: parse it, check it, write it.

Every refusal is a 400 that names the field.
"""

import dataclasses
import difflib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.sandbox.errors import Refusal
from core.sandbox.facts.effects import EffectChannel, EffectKind
from core.sandbox.facts.message_errors import MESSAGE_ERRORS
from core.sandbox.facts.numbers import carriers_in, is_country
from core.sandbox.json_values import choice, hangup_cause, number, whole_number

MAX_RULES = 50
MAX_SECONDS = 3600
MAX_ERROR_CODE = 9999
#: JSON numbers are exact up to here in every language.
MAX_SEED = 2**53 - 1

ANY = "any"
CHANNELS = (ANY, *EffectChannel)
VIAS = (ANY, "api", "phlo")
STATES = ("undelivered", "failed")
NETWORK_ERROR = 20

_TIMES = ("seconds", "spread_seconds", "tail_seconds")
#: The fields of a rule that an effect has; the other fields are those of every rule.
PARAMETERS: Mapping[EffectKind, tuple[str, ...]] = {
    EffectKind.HTTP_STATUS: ("status",),
    EffectKind.NOT_DELIVERED: ("error_code", "state"),
    EffectKind.FALSE_UNDELIVERED: ("error_code",),
    EffectKind.HANGUP: ("hangup_cause_code",),
    EffectKind.DELAY: _TIMES,
    EffectKind.RECEIPT_LATE: _TIMES,
}
COMMON = ("channel", "via", "country", "carrier", "probability", "effect")


@dataclass(frozen=True, slots=True)
class ChaosRule:
    """Which sends it affects, with which probability, and its effect. None: any."""

    effect: EffectKind
    probability: float = 1.0
    channel: str = ANY
    via: str = ANY
    country: str | None = None
    carrier: str | None = None
    status: int = 0
    error_code: int = NETWORK_ERROR
    state: str = "undelivered"
    hangup_cause_code: int = 0
    seconds: float = 0.0
    spread_seconds: float = 0.0
    tail_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        names = (*COMMON, *PARAMETERS.get(self.effect, ()))
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class ChaosDocument:
    """`revision` increases with every change. Chaos acts on sends only while it `is_active`."""

    revision: int = 0
    on: bool = False
    seed: int = 0
    rules: tuple[ChaosRule, ...] = ()

    @property
    def is_active(self) -> bool:
        return self.on and bool(self.rules)

    def to_json(self) -> dict[str, Any]:
        return {
            "on": self.on,
            "seed": self.seed,
            "revision": self.revision,
            "rules": [rule.to_json() for rule in self.rules],
        }


def parse_document(body: Mapping[str, Any], revision: int) -> ChaosDocument:
    """The document of a request, with its new revision. Without a seed, one is chosen."""
    _refuse_unknown(body, {field.name for field in dataclasses.fields(ChaosDocument)}, "")
    on, rules = body.get("on", True), body.get("rules", [])
    if not isinstance(on, bool):
        raise Refusal(400, "on must be true or false")
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise Refusal(400, f"rules must be a list of at most {MAX_RULES} rules")
    seed = body.get("seed")
    if seed is None:
        seed = secrets.randbelow(10**6)
    if body.get("revision") is not None:
        whole_number(body["revision"], "revision", 0, MAX_SEED)
    parsed = tuple(_parse_rule(rule, f"rules[{at}]") for at, rule in enumerate(rules))
    return ChaosDocument(revision, on, whole_number(seed, "seed", 0, MAX_SEED), parsed)


def _parse_rule(rule: object, where: str) -> ChaosRule:
    if not isinstance(rule, dict):
        raise Refusal(400, f"{where} must be an object")
    effect = EffectKind(choice(rule.get("effect"), f"{where}.effect", tuple(EffectKind)))
    parameters = PARAMETERS.get(effect, ())
    _refuse_unknown(rule, {*COMMON, *parameters}, f"{where}.", f" in a rule with effect {effect}")
    values = {
        name: _READERS[name](value, f"{where}.{name}")
        for name, value in rule.items()
        if name != "effect" and value is not None
    }
    if effect is EffectKind.NOT_DELIVERED and "state" not in values:
        error = MESSAGE_ERRORS.get(values.get("error_code", NETWORK_ERROR))
        values["state"] = error.state if error else "undelivered"
    parsed = ChaosRule(effect, **values)
    _check(parsed, where)
    return dataclasses.replace(parsed, carrier=_carrier(parsed, where))


def _check(rule: ChaosRule, where: str) -> None:
    """What depends on several fields."""
    parameters = PARAMETERS.get(rule.effect, ())
    if rule.channel != ANY and rule.channel not in rule.effect.channels:
        (possible,) = rule.effect.channels
        raise Refusal(400, f"{where}.channel must be {possible} with effect {rule.effect}")
    if parameters == _TIMES and not any(getattr(rule, name) for name in _TIMES):
        raise Refusal(400, f"{where}.seconds must be above 0, or another of {', '.join(_TIMES)}")
    for name in ("status", "hangup_cause_code"):
        if name in parameters and not getattr(rule, name):
            raise Refusal(400, f"{where}.{name} is missing")


def _carrier(rule: ChaosRule, where: str) -> str | None:
    """The carrier as the numbering plan writes it."""
    if rule.carrier is None:
        return None
    names = {name.lower(): name for name in carriers_in(rule.country)}
    if name := names.get(rule.carrier.lower()):
        return name
    close = difflib.get_close_matches(rule.carrier.lower(), names, 1)
    hint = f"; did you mean {names[close[0]]}?" if close else ""
    country = f" in {rule.country}" if rule.country else ""
    raise Refusal(400, f"{where}.carrier is no carrier of the numbering plan{country}{hint}")


def _refuse_unknown(
    body: Mapping[str, Any], names: set[str], where: str, context: str = ""
) -> None:
    for name in body:
        if name not in names:
            known = ", ".join(sorted(names))
            raise Refusal(400, f"{where}{name[:40]} is not a field{context}: {known}")


def _country(value: object, where: str) -> str:
    if not isinstance(value, str) or not is_country(value.upper()):
        raise Refusal(400, f"{where} must be the ISO code of a country, such as DE")
    return value.upper()


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 100:
        raise Refusal(400, f"{where} must be a text")
    return value


def _seconds(value: object, where: str) -> float:
    return number(value, where, 0, MAX_SECONDS)


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "channel": lambda value, where: choice(value, where, CHANNELS),
    "via": lambda value, where: choice(value, where, VIAS),
    "country": _country,
    "carrier": _text,
    "probability": lambda value, where: number(value, where, 0, 1),
    "status": lambda value, where: whole_number(value, where, 400, 599),
    "error_code": lambda value, where: whole_number(value, where, 1, MAX_ERROR_CODE),
    "state": lambda value, where: choice(value, where, STATES),
    "hangup_cause_code": hangup_cause,
    "seconds": _seconds,
    "spread_seconds": _seconds,
    "tail_seconds": _seconds,
}
