"""How single attempts are listed and told on the Attempts page."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from core.ledger.explorer import table
from core.ledger.ledger import Applied
from core.model.attempt import Attempt, EventKind, State
from core.model.clock import CLOCKS_DIFFER, elapsed, from_ms
from core.panels.query_state import EVERY
from core.verification.number.parse import country_of
from core.wording.formats import channel_name, counted, dollars
from core.wording.marks import VERIFIED, marked

_SOURCES = {
    "app": "this app",
    "callback": "a callback",
    "poll": "asking Plivo",
    "log": "Plivo's logs",
}
_ORIGINS = {
    "first": "the first attempt of its verification",
    "resend": "a resend, the same way",
    "fallback": "a second way, in place of the first",
}
_OUTCOMES = {
    Applied.LATE: "came late: kept, changed nothing",
    Applied.REPEATED: "heard before: changed nothing",
}


def attempt_list(attempts: Sequence[Attempt], zone: ZoneInfo) -> pd.DataFrame:
    """`explorer.COLUMNS`, one row an attempt, in words: `requested` in the zone, names of channel
    and country, and the `state` with its sign."""
    made = table(list(attempts))
    made["requested"] = pd.to_datetime(made["requested"], utc=True).dt.tz_convert(zone)
    made["channel"] = [channel_name(one.way.channel) for one in attempts]
    made["country"] = [country_of(one.region) for one in attempts]
    made["state"] = [state_words(one) for one in attempts]
    return made


def state_words(attempt: Attempt) -> str:
    """ "● delivered", and "✔ verified" beside it once the code was entered."""
    if EventKind.VERIFIED in attempt.moments:
        return f"{marked(attempt.state)}, {VERIFIED} verified"
    return marked(attempt.state)


def states() -> dict[str, str]:
    """The states to filter by, and how they are shown."""
    return {EVERY: "All"} | {str(one): marked(one) for one in State}


def left_out_words(count: int) -> str:
    """That records are missing from a list."""
    are = "is" if count == 1 else "are"
    return (
        f"{counted(count, 'attempt')} of this page {are} left out: the stored record cannot be "
        "read. The log names it."
    )


def facts(attempt: Attempt) -> dict[str, str]:
    """What is known of an attempt, by name; what is not known is not listed."""
    units = str(attempt.units) if attempt.units else ""
    told = {
        "State": state_words(attempt),
        "Country": country_of(attempt.region),
        "Carrier": attempt.carrier or "not known",
        "Network (MCC MNC)": f"{attempt.mcc} {attempt.mnc}".strip(),
        "Sent as": _ORIGINS.get(attempt.origin, attempt.origin),
        "Parts": units,
        "Cost": dollars(attempt.cost_micros / 1e6) if attempt.cost_micros else "",
        "Plivo's uuid": attempt.reference,
        "Verification": attempt.verification,
    }
    return {name: value for name, value in told.items() if value}


def heard_table(heard: Sequence[dict[str, str]], attempt: Attempt, zone: ZoneInfo) -> pd.DataFrame:
    """All that `Ledger.heard` tells, oldest first: `what` happened, `at` (in the zone),
    `after_s` the request, `from` whom, `heard_s` after the request, and a `note` on what came late
    or again, and on clocks that differ: a moment before the request is no time after it."""
    began = attempt.moments[EventKind.REQUESTED]
    at = [from_ms(one["at_ms"]) for one in heard]
    heard_at = [from_ms(one["heard_ms"]) for one in heard]
    return pd.DataFrame(
        {
            "what": [one["kind"] for one in heard],
            "at": [f"{one.astimezone(zone):%d %b %H:%M:%S.%f}"[:-3] for one in at],
            "after_s": [_seconds(began, one) for one in at],
            "from": [_SOURCES.get(one["source"], one["source"]) for one in heard],
            "heard_s": [_seconds(began, one) for one in heard_at],
            "note": [
                _note(one["outcome"], differ=min(moments) < began)
                for one, *moments in zip(heard, at, heard_at, strict=True)
            ],
        }
    )


def _seconds(began: datetime, at: datetime) -> float:
    took = elapsed(began, at)
    return float("nan") if took is None else took.total_seconds()


def _note(outcome: str, *, differ: bool) -> str:
    notes = [_OUTCOMES.get(outcome, ""), CLOCKS_DIFFER if differ else ""]  # type: ignore[call-overload]
    return "; ".join(note for note in notes if note)
