"""The content of the Attempts page: the list, and the facts and events of one attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import pandas as pd

from core.ledger.attempts import ReceivedEvent
from core.ledger.ledger import EventOutcome
from core.model.attempt import Attempt, EventKind, Proof, State
from core.model.clock import CLOCKS_DIFFER, elapsed
from core.model.regions import country_of
from core.model.series import UNKNOWN_CARRIER
from core.panels.query_state import EVERY
from core.wording.formats import channel_name, counted, dollars, duration
from core.wording.marks import VERIFIED, mark, marked

_UTC = ZoneInfo("UTC")
_COLUMNS = {
    "requested": "Requested",
    "to": "To",
    "state": "State",
    "channel": "Channel",
    "country": "Country",
    "carrier": "Carrier",
    "error": "Error",
    "seconds": "Delivered after",
    "note": "Note",
    "sample": "Traffic",
}
#: The columns of `attempt_frame`, whose docstring describes them.
ATTEMPT_COLUMNS = (
    "requested",
    "to",
    "channel",
    "country",
    "carrier",
    "state",
    "error",
    "seconds",
    "note",
    "sample",
    "attempt",
)
#: How an attempt of sample traffic is marked in a list.
_SAMPLE = "sample"
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
_PROOFS = {
    Proof.SOLE: "this attempt brought it",
    Proof.SHARED: "this attempt or another one of the verification brought it",
    Proof.OTHER: "another attempt of the verification brought it",
}
_OUTCOMES = {
    EventOutcome.LATE: "late: stored, no change",
    EventOutcome.REPEATED: "repeated: no change",
}


def attempt_frame(attempts: Sequence[Attempt], zone: ZoneInfo) -> pd.DataFrame:
    """A row for each attempt, with ATTEMPT_COLUMNS, in words. `requested` is in the zone; `to` is
    masked; `state` has its sign; `error` is the code; `attempt` is the id. `seconds` is the time
    from the request to the delivery report: NaN without a report, and if clocks differ, which the
    `note` states. `sample` is "sample" for sample traffic, else ""."""
    rows = []
    for attempt in attempts:
        requested = attempt.moments[EventKind.REQUESTED]
        delivered = attempt.moments.get(EventKind.DELIVERED)
        took = elapsed(requested, delivered) if delivered else None
        rows.append(
            (
                requested,
                attempt.to_masked,
                channel_name(attempt.way.channel),
                country_of(attempt.region),
                attempt.carrier,
                state_words(attempt),
                attempt.error,
                took.total_seconds() if took is not None else float("nan"),
                CLOCKS_DIFFER if delivered and took is None else "",
                _SAMPLE if attempt.is_sample else "",
                attempt.id,
            )
        )
    frame = pd.DataFrame(rows, columns=list(ATTEMPT_COLUMNS))
    frame["requested"] = pd.to_datetime(frame["requested"], utc=True).dt.tz_convert(zone)
    return frame


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """A row of the list as text: `cells` by the names of `list_columns`; `mark` is the sign of the
    state."""

    attempt: str
    state: State
    mark: str
    cells: dict[str, str]


def list_columns(attempts: Sequence[Attempt]) -> dict[str, str]:
    """The columns of the list and their headings. Carrier, note and traffic are there if a row has
    one: many numbering plans name no carrier, a note says that clocks differ, and only sample
    traffic is marked."""
    frame = attempt_frame(attempts, _UTC)
    optional = {name for name in ("carrier", "note", "sample") if not frame[name].any()}
    if (frame["carrier"] == UNKNOWN_CARRIER).all():
        optional.add("carrier")
    return {name: heading for name, heading in _COLUMNS.items() if name not in optional}


def list_rows(attempts: Sequence[Attempt], zone: ZoneInfo) -> list[AttemptRow]:
    """The rows of the list, with times in the zone."""
    frame = attempt_frame(attempts, zone)
    rows = []
    for attempt, row in zip(attempts, frame.to_dict("records"), strict=True):
        took = row["seconds"]
        words = row["state"].removeprefix(f"{mark(attempt.state)} ")
        cells = {name: str(row[name]) for name in _COLUMNS} | {
            "requested": f"{row['requested']:%d %b %H:%M:%S}",
            "state": words,
            "seconds": "" if isnan(took) else duration(timedelta(seconds=took)),
        }
        rows.append(AttemptRow(attempt.id, attempt.state, mark(attempt.state), cells))
    return rows


def state_words(attempt: Attempt) -> str:
    """ "● delivered", and "✔ verified" beside it if this attempt brought the code that was entered,
    "✔ perhaps verified" if another one may have brought it."""
    if attempt.proof is Proof.SHARED:
        return f"{marked(attempt.state)}, {VERIFIED} perhaps verified"
    if EventKind.VERIFIED in attempt.moments:
        return f"{marked(attempt.state)}, {VERIFIED} verified"
    return marked(attempt.state)


def states() -> dict[str, str]:
    """The states to filter by, with their sign and word."""
    return {EVERY: "All"} | {str(state): marked(state) for state in State}


def left_out_words(count: int) -> str:
    """A sentence about records that are missing from a list."""
    are = "is" if count == 1 else "are"
    return (
        f"{counted(count, 'attempt')} of this page {are} left out: the stored record cannot be "
        "read. The log names it."
    )


def facts(attempt: Attempt) -> dict[str, str]:
    """The known facts of an attempt, by name."""
    units = str(attempt.units) if attempt.units else ""
    values = {
        "State": state_words(attempt),
        "Country": country_of(attempt.region),
        "Carrier": "" if attempt.carrier == UNKNOWN_CARRIER else attempt.carrier,
        "Network": attempt.network,
        "Network (MCC MNC)": f"{attempt.mcc} {attempt.mnc}".strip(),
        "Right code": _PROOFS[attempt.proof] if attempt.proof else "",
        "Sent as": _ORIGINS.get(attempt.origin, attempt.origin),
        "Parts": units,
        "Cost": dollars(attempt.cost_micros / 1e6) if attempt.cost_micros else "",
        "Plivo's uuid": attempt.reference,
        "Verification": attempt.verification,
    }
    return {name: value for name, value in values.items() if value}


def event_table(events: Sequence[ReceivedEvent], attempt: Attempt, zone: ZoneInfo) -> pd.DataFrame:
    """The events of an attempt, in their order: `what` happened, `at` (in the zone), `after_s` the
    request, `from` which source, and `received_s`, the time from the request until it was received.
    The `note` marks late and repeated events, and differing clocks: an event before the request has
    no `after_s`."""
    requested = attempt.moments[EventKind.REQUESTED]
    return pd.DataFrame(
        {
            "what": [str(event.kind) for event in events],
            "at": [f"{event.at.astimezone(zone):%d %b %H:%M:%S.%f}"[:-3] for event in events],
            "after_s": [_seconds(requested, event.at) for event in events],
            "from": [_SOURCES.get(event.source, event.source) for event in events],
            "received_s": [_seconds(requested, event.received_at) for event in events],
            "note": [
                _note(event.outcome, differ=min(event.at, event.received_at) < requested)
                for event in events
            ],
        }
    )


def _seconds(start: datetime, end: datetime) -> float:
    took = elapsed(start, end)
    return float("nan") if took is None else took.total_seconds()


def _note(outcome: str, *, differ: bool) -> str:
    notes = [_OUTCOMES.get(outcome, ""), CLOCKS_DIFFER if differ else ""]  # type: ignore[call-overload]
    return "; ".join(note for note in notes if note)
