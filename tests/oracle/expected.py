"""Computes every figure from the list of all received events, with plain pandas.

The rules are those of the product's definitions, written a second time. Nothing here imports the
product, apart from the names of events.
"""

from collections import Counter, defaultdict
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
    "requested", "accepted", "sent", "delivered", "within_10", "within_30", "within_60",
    "entered", "verified", "confirmed", "undelivered", "failed", "rejected", "unreported",
    "unclear", "started", "converted", "unattributed", "resends", "fallbacks", "rescued",
    "priced", "units", "cost_micros", "cost_verified_micros", "cost_unattributed_micros",
    "skewed", "n_app", "n_queue", "n_carrier", "n_person", "app_ms", "queue_ms", "carrier_ms",
    "person_ms", "pending",
]  # fmt: skip
_TEXT = ["channel", "country", "carrier", "error"]
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

    @property
    def of_all_carriers(self) -> "Place":
        """Of whom errors and times are, which are not kept by carrier."""
        return Place(self.channel, self.country)


ALL = Place()


class Expected:
    """The figures after the events that were added, in the order of their receipt. `rows` has a
    row for each attempt, and one for each verification that succeeded."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self.rows = pd.DataFrame()
        self._places: dict[str, Any] = {}
        self._read: dict[tuple[int, int, Place], pd.DataFrame] = {}

    def add_all(self, events: Sequence[dict[str, Any]]) -> Counter[str]:
        """Add events; returns how many were applied, late, repeated or orphans."""
        outcomes = Counter(self._add(event) for event in events)
        self.rows = self._rows()
        self._places = {name: self.rows[name].to_numpy() for name in _TEXT if name != "error"}
        self._read.clear()
        return outcomes

    def _add(self, event: dict[str, Any]) -> str:
        record = self._records.get(event["attempt"])
        if record is None and event["kind"] != Kind.REQUESTED:
            return "orphan"
        if record is None:
            record = self._records[event["attempt"]] = Record(event)
        return record.apply(event)

    def _rows(self) -> pd.DataFrame:
        by_verification: defaultdict[str, list[Record]] = defaultdict(list)
        for record in self._records.values():
            by_verification[record.verification].append(record)
        rows = [row for records in by_verification.values() for row in _verification_rows(records)]
        # Arrow's text is slow to group by.
        frame = pd.DataFrame(rows).astype(dict.fromkeys(_TEXT, object))
        frame[COUNTS] = frame[COUNTS].fillna(0).astype(np.int64)
        return frame

    # What is asked of it.

    def within(self, start_ms: int, end_ms: int, place: Place = ALL) -> pd.DataFrame:
        """The rows of a range and of filters."""
        key = start_ms, end_ms, place
        if key not in self._read:
            at_ms = self.rows["at_ms"].to_numpy()
            keep = (at_ms >= start_ms) & (at_ms < end_ms)
            for name, values in self._places.items():
                if (value := getattr(place, name)) is not None:
                    keep &= values == value
            self._read[key] = self.rows[keep]
        return self._read[key]


def totals(rows: pd.DataFrame) -> dict[str, int]:
    return dict(zip(COUNTS, rows[COUNTS].to_numpy().sum(axis=0).tolist(), strict=True))


def by_step(rows: pd.DataFrame, edges: Sequence[int]) -> pd.DataFrame:
    """The sums of each step; `edges` are the starts of the steps and the end of the last."""
    starts = np.asarray(edges[:-1])
    inside = rows[(rows["at_ms"] < edges[-1]).to_numpy()]
    sums = np.zeros((len(starts), len(COUNTS)), dtype=np.int64)
    step = np.searchsorted(starts, inside["at_ms"].to_numpy(), side="right") - 1
    np.add.at(sums, step, inside[COUNTS].to_numpy())
    return pd.DataFrame(sums, index=starts, columns=COUNTS)


def by_channel(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby("channel")[COUNTS].sum()


def by_country(rows: pd.DataFrame) -> pd.DataFrame:
    """By country (carrier "") and carrier."""
    leaves = rows.groupby(["country", "carrier"])[COUNTS].sum()
    wholes = leaves.groupby("country").sum().assign(carrier="").set_index("carrier", append=True)
    return pd.concat([wholes, leaves])


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


def able_to_bring(records: list[Record], entered_ms: int) -> list[Record]:
    """The attempts that can have brought the code that was entered at this moment: those that were
    requested before it and have not ended as lost. Where all have, a report is wrong: all of them.
    """
    before = [r for r in records if r.moments[Kind.REQUESTED] <= entered_ms] or records[:1]
    return [r for r in before if r.state not in LOST] or before


def _verification_rows(records: list[Record]) -> list[dict[str, Any]]:
    records = sorted(records, key=lambda record: record.id)
    entered = next((r.moments[Kind.VERIFIED] for r in records if Kind.VERIFIED in r.moments), None)
    able = [] if entered is None else able_to_bring(records, entered)
    rows = [_attempt_row(record, able, entered) for record in records]
    if entered is not None:
        # What concerns the verification is counted on its first attempt.
        first = rows[0]
        first |= {"converted": 1, "unattributed": int(len(able) > 1)}
        took = entered - first["at_ms"]
        inside = min(max(took, 0), HORIZON_MS)
        first["took_ttv"] = float(inside)
        first["skewed"] |= int(took != inside)
    return rows


def _is_free(record: Record) -> bool:
    """Plivo charges neither what it refused or could not hand over, nor a call without an
    answer."""
    is_answered = record.ms(Kind.SENT, Kind.ANSWERED) is not None
    rang_out = record.state is Kind.UNDELIVERED and record.is_call and not is_answered
    return rang_out or record.state in {Kind.REJECTED, Kind.FAILED}


def _place_of(fields: dict[str, str]) -> dict[str, str]:
    return {
        "channel": fields["channel"],
        "country": country_name(fields["region"]),
        "carrier": carrier_name(fields["carrier"]),
    }


def _attempt_row(record: Record, able: list[Record], entered: int | None) -> dict[str, Any]:
    fields, state = record.fields, record.state
    is_verified = able == [record]
    requested = record.moments[Kind.REQUESTED]
    delivered = record.ms(Kind.DELIVERED)
    handed = record.ms(Kind.SENT, Kind.ANSWERED)
    verified = entered if is_verified else None
    spans = {
        "app": (requested, record.ms(Kind.ACCEPTED)),
        "queue": (record.ms(Kind.QUEUED, Kind.RINGING), handed),
        "carrier": (handed, delivered),
        "ttd": (requested, delivered),
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
        "priced": int(cost is not None or _is_free(record)),
        "units": int(fields.get("units", 0)),
        "cost_micros": int(cost or 0),
        "cost_verified_micros": int(cost or 0) if is_verified else 0,
        "cost_unattributed_micros": int(cost or 0) if len(able) > 1 and record in able else 0,
        "skewed": int(any(took[name] != cut[name] for name in took)),
        "n_person": int(person is not None),
        "person_ms": person or 0,
    }
    for seconds in (10, 30, 60):
        row[f"within_{seconds}"] = int(cut["ttd"] is not None and cut["ttd"] <= 1000 * seconds)
    for leg in ("app", "queue", "carrier"):
        row[f"n_{leg}"], row[f"{leg}_ms"] = int(cut[leg] is not None), cut[leg] or 0
    return row | {f"took_{leg}": nan if ms is None else float(ms) for leg, ms in cut.items()}
