"""Computes every figure from the list of all received events, with plain pandas.

The rules are those of the product's definitions, written anew. Nothing here imports the product,
apart from the names of events.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from core.model.attempt import EventKind as Kind

HORIZON_MS = 72 * 3_600_000
#: The state of an attempt is that of its highest kind.
RANKS = {
    Kind.REQUESTED: 0, Kind.UNCONFIRMED: 1, Kind.ACCEPTED: 2, Kind.QUEUED: 3, Kind.RINGING: 3,
    Kind.SENT: 4, Kind.ANSWERED: 4, Kind.UNREPORTED: 5, Kind.REJECTED: 6, Kind.FAILED: 7,
    Kind.UNDELIVERED: 8, Kind.DELIVERED: 9,
}  # fmt: skip
LOST = {Kind.REJECTED, Kind.FAILED, Kind.UNDELIVERED}
#: Fields of the request, which no later event changes.
PLACE = {"channel", "mode", "region", "carrier", "origin", "first_channel", "first_ms"}
SETTLED = {"cost_micros", "units"}
STATES = {
    "delivered": Kind.DELIVERED, "undelivered": Kind.UNDELIVERED, "failed": Kind.FAILED,
    "rejected": Kind.REJECTED, "unreported": Kind.UNREPORTED, "unclear": Kind.UNCONFIRMED,
}  # fmt: skip
COUNTS = [
    "requested", "accepted", "sent", "delivered", "within_10", "within_30", "within_60", "entered",
    "verified", "confirmed", "undelivered", "failed", "rejected", "unreported", "unclear", "started",
    "converted", "unattributed", "resends", "fallbacks", "rescued", "priced", "units",
    "cost_micros", "cost_verified_micros", "skewed", "n_app", "n_queue", "n_carrier", "n_person",
    "app_ms", "queue_ms", "carrier_ms", "person_ms", "pending",
]  # fmt: skip
LEGS = ["ttd", "ttv", "queue", "carrier"]


class Record:
    """One attempt as its events make it."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.id: str = event["attempt"]
        self.verification: str = event["verification"]
        self.moments: dict[str, int] = {}
        self.fields: dict[str, str] = {}
        self.state = Kind.REQUESTED
        self._is_settled: set[str] = set()

    def apply(self, event: dict[str, Any]) -> str:
        """Apply one event; returns what it was: applied, late or repeated."""
        kind = Kind(event["kind"])
        outcome, moves = "repeated", False
        if kind not in self.moments:
            is_first = not self.moments
            self.moments[kind] = event["at_ms"]
            outcome = "applied"
            if kind in RANKS:
                moves = is_first or RANKS[kind] > RANKS[self.state]
                outcome = "applied" if moves else "late"
        if moves:
            self.state = kind
        is_log = event["source"] == "log"
        for name, value in event["fields"].items():
            if name in PLACE and kind is not Kind.REQUESTED:
                continue
            # The price of the log has the last word; else the event that sets the state, else the
            # first that has a value.
            settles = is_log and name in SETTLED
            if settles or (name not in self._is_settled and (moves or name not in self.fields)):
                self.fields[name] = value
            if settles:
                self._is_settled.add(name)
        return outcome

    @property
    def is_call(self) -> bool:
        return self.fields["mode"] == "call"

    def ms(self, *kinds: Kind) -> int | None:
        return next((self.moments[kind] for kind in kinds if kind in self.moments), None)

    @property
    def error(self) -> str:
        if self.state is Kind.UNCONFIRMED:
            return self.fields.get("send_status") or "no answer"
        if self.state not in LOST:
            return ""
        stated = self.fields.get("error_code") or self.fields.get("hangup_cause")
        return stated or ("refused" if self.state is Kind.REJECTED else "unstated")


@dataclass(frozen=True)
class Place:
    """Filters: None is all."""

    channel: str | None = None
    country: str | None = None
    carrier: str | None = None


class Expected:
    """The figures after these events, which are in the order of their receipt."""

    def __init__(self, events: Sequence[dict[str, Any]]) -> None:
        self.outcomes: dict[str, int] = defaultdict(int)
        self.records: dict[str, Record] = {}
        for event in events:
            self.add(event)
        self.rows = self._rows()

    def add(self, event: dict[str, Any]) -> None:
        record = self.records.get(event["attempt"])
        if record is None and event["kind"] != Kind.REQUESTED:
            self.outcomes["orphan"] += 1
            return
        if record is None:
            record = self.records[event["attempt"]] = Record(event)
        self.outcomes[record.apply(event)] += 1

    def _rows(self) -> pd.DataFrame:
        by_verification: defaultdict[str, list[Record]] = defaultdict(list)
        for record in self.records.values():
            by_verification[record.verification].append(record)
        rows = [row for records in by_verification.values() for row in _verification_rows(records)]
        frame = pd.DataFrame(rows)
        frame[COUNTS] = frame[COUNTS].fillna(0).astype(np.int64)
        return frame

    # What is asked of it.

    def within(self, start_ms: int, end_ms: int, place: Place = Place()) -> pd.DataFrame:
        rows = self.rows
        keep = (rows["at_ms"] >= start_ms) & (rows["at_ms"] < end_ms)
        for name in ("channel", "country", "carrier"):
            value = getattr(place, name)
            if value is not None:
                keep &= rows[name] == value
        return rows[keep]


def totals(rows: pd.DataFrame) -> dict[str, int]:
    return {name: int(value) for name, value in rows[COUNTS].sum().items()}


def by_step(rows: pd.DataFrame, edges: Sequence[int]) -> pd.DataFrame:
    """The sums of each step; `edges` are the starts of the steps and the end of the last."""
    starts = np.asarray(edges[:-1])
    inside = rows[rows["at_ms"] < edges[-1]]
    step = starts[np.searchsorted(starts, inside["at_ms"], side="right") - 1]
    return inside.groupby(step)[COUNTS].sum().reindex(starts, fill_value=0)


def by_channel(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby("channel")[COUNTS].sum()


def by_country(rows: pd.DataFrame) -> pd.DataFrame:
    """By country (carrier "") and carrier."""
    keys = ["country", "carrier"]
    wholes = rows.assign(carrier="")
    return pd.concat([wholes.groupby(keys)[COUNTS].sum(), rows.groupby(keys)[COUNTS].sum()])


def errors(rows: pd.DataFrame) -> dict[tuple[str, str], int]:
    lost = rows[rows["error"] != ""]
    return lost.groupby(["channel", "error"]).size().to_dict()  # type: ignore[return-value]


def durations(rows: pd.DataFrame, leg: str) -> "pd.Series[float]":
    """How long the leg took, ms, sorted."""
    return rows[f"took_{leg}"].dropna().sort_values()


def quantile(sorted_ms: Sequence[float], q: float) -> float:
    """By rank; nan where fewer than ten values lie above it."""
    n = len(sorted_ms)
    if n < round(10 / (1 - q)):
        return nan
    return float(sorted_ms[max(1, ceil(q * n)) - 1])


def wilson(k: int, n: int) -> tuple[float, float]:
    z = 1.959963984540054
    if not n:
        return nan, nan
    p = k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def country_name(region: str) -> str:
    return region or "ZZ"


def carrier_name(carrier: str) -> str:
    return "unknown" if carrier.strip() in {"", "?"} else carrier.strip()


def can_have_brought(record: Record, entered_ms: int) -> bool:
    """Whether this attempt can have brought the code that was entered at this moment: it did not
    end as lost, a call was answered, and it was not requested later."""
    if record.state in LOST or record.moments[Kind.REQUESTED] > entered_ms:
        return False
    return True


def _verification_rows(records: list[Record]) -> list[dict[str, Any]]:
    entered = [r.moments[Kind.VERIFIED] for r in records if Kind.VERIFIED in r.moments]
    bringer = None
    if entered:
        moment = min(entered)
        able = [record for record in records if can_have_brought(record, moment)]
        bringer = able[0] if len(able) == 1 else None
    rows = [_attempt_row(record, record is bringer, entered) for record in records]
    if entered:
        # Counted where and when the verification was started.
        later = records[0].fields
        first = next((r for r in records if r.fields["origin"] == "first"), None)
        at_ms = first.moments[Kind.REQUESTED] if first else int(later["first_ms"])
        rows.append(
            _place_of(records[0].fields)
            | {
                "channel": later.get("first_channel", later["channel"]),
                "at_ms": at_ms, "error": "", "converted": 1, "unattributed": int(bringer is None),
            }
        )  # fmt: skip
    return rows


def _place_of(fields: dict[str, str]) -> dict[str, str]:
    return {
        "channel": fields["channel"],
        "country": country_name(fields["region"]),
        "carrier": carrier_name(fields["carrier"]),
    }


def _attempt_row(record: Record, is_verified: bool, entered: list[int]) -> dict[str, Any]:
    fields, state = record.fields, record.state
    requested = record.moments[Kind.REQUESTED]
    delivered = record.ms(Kind.DELIVERED)
    handed = record.ms(Kind.SENT, Kind.ANSWERED)
    verified = min(entered) if is_verified else None
    spans = {
        "app": (requested, record.ms(Kind.ACCEPTED)),
        "queue": (record.ms(Kind.QUEUED, Kind.RINGING), handed),
        "carrier": (handed, delivered),
        "ttd": (requested, delivered),
        "ttv": (requested, verified),
    }
    took = {
        name: end - begin if begin is not None and end is not None else None
        for name, (begin, end) in spans.items()
    }
    cut = {n: None if t is None else min(max(t, 0), HORIZON_MS) for n, t in took.items()}
    person = None
    if delivered is not None and verified is not None and verified >= delivered:
        person = verified - delivered
    cost = fields.get("cost_micros")
    row: dict[str, Any] = {name: int(state is kind) for name, kind in STATES.items()}
    row |= _place_of(fields) | {
        "at_ms": requested,
        "error": record.error,
        "requested": 1,
        "pending": int(state not in STATES.values()),
        "accepted": int(Kind.ACCEPTED in record.moments),
        "sent": int(
            handed is not None
            or delivered is not None
            or (Kind.UNDELIVERED in record.moments and not record.is_call)
        ),
        "entered": int(Kind.CHECKED in record.moments or Kind.VERIFIED in record.moments),
        "verified": int(is_verified),
        "confirmed": int(delivered is not None or is_verified),
        "started": int(fields["origin"] == "first"),
        "resends": int(fields["origin"] == "resend"),
        "fallbacks": int(fields["origin"] == "fallback"),
        "rescued": int(fields["origin"] == "fallback" and is_verified),
        "priced": int(cost is not None),
        "units": int(fields.get("units", 0)),
        "cost_micros": int(cost or 0),
        "cost_verified_micros": int(cost or 0) if is_verified else 0,
        "skewed": int(any(took[name] != cut[name] for name in took)),
        "n_person": int(person is not None),
        "person_ms": person or 0,
    }
    for seconds in (10, 30, 60):
        row[f"within_{seconds}"] = int(cut["ttd"] is not None and cut["ttd"] <= 1000 * seconds)
    for leg in ("app", "queue", "carrier"):
        row[f"n_{leg}"], row[f"{leg}_ms"] = int(cut[leg] is not None), cut[leg] or 0
    return row | {f"took_{leg}": nan if cut[leg] is None else float(cut[leg] or 0) for leg in LEGS}
