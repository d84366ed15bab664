"""Sentences on the rules of chaos, and the names of its effects. A rule is a JSON object as in the
sandbox's document (core/sandbox/README.md, section Chaos)."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.model.error_codes import HANGUP_CAUSES
from core.model.regions import country_of

SMS, CALL, ANY = "sms", "call", "any"

#: The effects in the order of the form: name, and what they act on.
EFFECTS = {
    "not_delivered": "Not delivered",
    "delay": "Late",
    "held": "Held until a status is pushed",
    "no_receipt": "No receipt",
    "receipt_late": "Receipt late",
    "false_delivered": "Reported as delivered, but does not arrive",
    "false_undelivered": "Reported as undelivered, but arrives",
    "callbacks_lost": "Callbacks lost",
    "callbacks_doubled": "Callbacks doubled",
    "callbacks_out_of_order": "Callbacks out of order",
    "callbacks_forged": "A forged callback",
    "http_status": "Plivo answers with an error",
    "silence": "Plivo does not answer in time",
    "hangup": "Call fails",
    "keys_lost": "Keys are not heard",
}
#: The effects that act on one kind of send only.
ONLY = {
    "not_delivered": SMS, "held": SMS, "no_receipt": SMS, "false_delivered": SMS,
    "false_undelivered": SMS, "hangup": CALL, "keys_lost": CALL,
}  # fmt: skip
#: Hangup causes that the form offers first.
CAUSES = {
    3010: "are busy",
    3000: "are not answered",
    3020: "are declined",
    9100: "reach a voicemail",
    2010: "do not reach the phone",
    5000: "fail in the network",
}

_NOUNS = {SMS: "messages", CALL: "calls", ANY: "messages and calls"}
_VIAS = {"api": " by the API", "phlo": " by PHLO"}
_CALLBACKS = {
    "callbacks_lost": "get no callbacks",
    "callbacks_doubled": "get every callback twice",
    "callbacks_out_of_order": "get the last callback first",
    "callbacks_forged": "get a forged callback",
}


def effects_words(effects: Sequence[Mapping[str, Any]]) -> str:
    """Of the effects on a send, as `GET /sends` lists them: "Late by 7.3 s, Callbacks doubled"."""
    return ", ".join(map(_effect_words, effects))


def _effect_words(effect: Mapping[str, Any]) -> str:
    name = EFFECTS.get(effect["effect"], str(effect["effect"]))
    return f"{name} by {effect['seconds']:.1f} s" if effect["seconds"] else name


def rule_words(rule: Mapping[str, Any]) -> str:
    """ "30 % of messages to Vodafone in Germany are lost (error 50)"."""
    noun = _NOUNS[channel_of(rule)]
    share = float(rule["probability"])
    subject = f"All {noun}" if share >= 1 else f"{100 * share:.3g} % of {noun}"
    return f"{subject}{_where(rule)} {_happens(rule)}"


def band_words(rules: Sequence[Mapping[str, Any]]) -> str:
    """The first rule, and how many more there are."""
    rest = len(rules) - 1
    more = f" · and {rest} more rule{'s' if rest > 1 else ''}" if rest else ""
    return f"{rule_words(rules[0])}{more}"


def channel_of(rule: Mapping[str, Any]) -> str:
    """What the rule acts on: "sms", "call" or "any"."""
    return ONLY.get(rule["effect"], str(rule["channel"]))


def cause_words(code: int) -> str:
    """What happens to calls that end with this hangup cause: "are busy"."""
    cause = HANGUP_CAUSES.get(str(code))
    name = cause.name if cause else "hangup cause"
    return CAUSES.get(code) or f"end as “{name}” ({code})"


def _where(rule: Mapping[str, Any]) -> str:
    carrier, country = rule["carrier"], rule["country"]
    place = country_of(country) if country else ""
    to = " in ".join(part for part in (carrier, place) if part)
    return f"{_VIAS.get(rule['via'], '')}{f' to {to}' if to else ''}"


def _happens(rule: Mapping[str, Any]) -> str:
    effect, channel = rule["effect"], channel_of(rule)
    if effect in _CALLBACKS:
        return _CALLBACKS[effect]
    match effect:
        case "not_delivered" if rule["state"] == "failed":
            return f"fail before they are sent (error {rule['error_code']})"
        case "not_delivered":
            return f"are lost (error {rule['error_code']})"
        case "held":
            return "are held until a status is pushed"
        case "no_receipt":
            return "arrive without a receipt"
        case "false_delivered":
            return "do not arrive, but are reported as delivered"
        case "false_undelivered":
            return f"arrive, but are reported as undelivered (error {rule['error_code']})"
        case "hangup":
            return cause_words(rule["hangup_cause_code"])
        case "keys_lost":
            return "do not hear keys"
        case "http_status":
            return f"are refused by Plivo with HTTP status {rule['status']}"
        case "silence":
            return "get no answer from Plivo in time"
        case "receipt_late":
            return f"are reported {_late(rule)}"
        case _:
            verb = {SMS: "arrive", CALL: "ring", ANY: "arrive or ring"}[channel]
            return f"{verb} {_late(rule)}"


def _late(rule: Mapping[str, Any]) -> str:
    """ "2 to 5 s late, with a slow tail of 10 s"."""
    least, tail = rule["seconds"], rule["tail_seconds"]
    most = least + rule["spread_seconds"]
    span = f"{least:g} to {most:g} s late" if most > least else f"{least:g} s late"
    if not tail:
        return span
    return f"{span}, with a slow tail of {tail:g} s" if most else f"late, by {tail:g} s on average"
