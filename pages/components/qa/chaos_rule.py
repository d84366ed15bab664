"""The form of one rule of chaos: which sends, how many, and what happens to them."""

from typing import Any

import phonenumbers
import streamlit as st

from core.lab.chaos_rules import PARAMETERS, Rule, carriers_in
from core.model.error_codes import HANGUP_CAUSES
from core.model.regions import country_of
from core.wording.chaos import ANY, CAUSES, EFFECTS, ONLY, cause_words, rule_words

CHANNELS = {ANY: "Messages and calls", "sms": "Messages", "call": "Calls"}
VIAS = {ANY: "API and PHLO", "api": "API only", "phlo": "PHLO only"}
STATUSES = [400, 401, 402, 403, 404, 429, 500, 502, 503, 504]
_TIMES = {
    "seconds": ("Seconds late", "Every send is late by at least this."),
    "spread_seconds": ("Spread, in seconds", "Added: evenly spread from 0 to this."),
    "tail_seconds": ("Slow tail, in seconds", "Added: little for most, much for a few; the mean."),
}


def rule_form(rule: Rule, *, key: str) -> Rule:
    """Draw the fields, filled in from `rule`, and return the rule as they are now."""
    first, second = st.columns(2, gap="medium")
    effect = first.selectbox(
        "What happens", list(EFFECTS), list(EFFECTS).index(rule["effect"]),
        format_func=EFFECTS.__getitem__, key=f"{key}_effect",
    )  # fmt: skip
    share = second.slider(
        "Share", 0, 100, round(100 * rule["probability"]), format="%d %%", key=f"{key}_share"
    )
    edited: dict[str, Any] = {"effect": effect, "probability": share / 100}
    first, second = st.columns(2, gap="medium")
    with first:
        edited["via"] = _choice("Sent by", VIAS, rule["via"], key)
    with second:
        edited["channel"] = (
            ANY if effect in ONLY else _choice("Affects", CHANNELS, rule["channel"], key)
        )
    edited |= _place(rule, key)
    edited |= _parameters(effect, rule, key)
    st.caption(rule_words({"state": "undelivered", **edited}))
    return edited


def _choice(label: str, names: dict[str, str], value: str, key: str) -> str:
    selected = st.segmented_control(
        label, list(names), format_func=names.__getitem__, default=value, required=True,
        key=f"{key}_{label}",
    )  # fmt: skip
    return str(selected)


def _place(rule: Rule, key: str) -> dict[str, str | None]:
    regions = sorted(phonenumbers.SUPPORTED_REGIONS, key=country_of)
    first, second = st.columns(2, gap="medium")
    country = first.selectbox(
        "Country", regions, regions.index(rule["country"]) if rule["country"] else None,
        format_func=country_of, placeholder="Any country", key=f"{key}_country",
    )  # fmt: skip
    carriers = carriers_in(country)
    is_listed = rule["carrier"] in carriers
    carrier = second.selectbox(
        "Carrier", carriers, carriers.index(rule["carrier"]) if is_listed else None,
        placeholder="Any carrier", key=f"{key}_carrier_{country}",
        help="As the numbering plan names it. Numbers of some countries, such as the United "
        "States, have no carrier in it.",
    )  # fmt: skip
    return {"country": country, "carrier": carrier}


def _parameters(effect: str, rule: Rule, key: str) -> dict[str, Any]:
    values = {**PARAMETERS.get(effect, {}), **{k: v for k, v in rule.items() if v is not None}}
    result: dict[str, Any] = {}
    for name in PARAMETERS.get(effect, {}):
        widget, value = f"{key}_{effect}_{name}", values[name]
        if name == "error_code":
            result[name] = st.number_input("Plivo's error code", 1, 9999, value, key=widget)
            if effect == rule["effect"] and result[name] == value and "state" in rule:
                result["state"] = rule["state"]
        elif name == "status":
            options = sorted({*STATUSES, value})
            result[name] = st.selectbox("HTTP status", options, options.index(value), key=widget)
        elif name == "hangup_cause_code":
            codes = list(dict.fromkeys([*CAUSES, *map(int, HANGUP_CAUSES)]))
            result[name] = st.selectbox(
                "Calls", codes, codes.index(value), format_func=cause_words, key=widget
            )
        else:
            label, explanation = _TIMES[name]
            result[name] = st.number_input(
                label, 0.0, 3600.0, float(value), key=widget, help=explanation
            )
    return result
