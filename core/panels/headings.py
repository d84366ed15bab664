"""The headings of CSV files: what people read above a column.

The columns of frames, and of Parquet, have the names that programs read.
"""

from core.figures.layout import BINS
from core.figures.packing import UPPER_MS

_HEADINGS = {
    # Moments and places.
    "start": "Start of the step",
    "place": "Country, carrier",
    "country": "Country code",
    "to_masked": "To",
    # Figures of attempts: core/figures/catalogue.py describes them.
    "started": "Verifications started",
    "converted": "Verifications that succeeded",
    "unattributed": "Verified, attempt not known",
    "entered": "Code entered",
    "resends": "Sent again",
    "fallbacks": "Sent in place of another",
    "within_10": "Delivered within 10 s",
    "within_30": "Delivered within 30 s",
    "within_60": "Delivered within 60 s",
    "skewed": "Impossible times",
    "unreported": "No report for 72 hours",
    "units": "Message parts",
    "priced": "Price known",
    "cost_micros": "Cost ($ / 1,000,000)",
    "cost_verified_micros": "Cost of verified attempts ($ / 1,000,000)",
    "cost_unattributed_micros": "Cost of attempts perhaps verified ($ / 1,000,000)",
    "app_ms": "Time to accepted, sum (ms)",
    "queue_ms": "Time in Plivo's queue, sum (ms)",
    "carrier_ms": "Time at the carrier, sum (ms)",
    "person_ms": "Time of the person, sum (ms)",
    "n_app": "Attempts with a time to accepted",
    "n_queue": "Attempts with a time in Plivo's queue",
    "n_carrier": "Attempts with a time at the carrier",
    "n_person": "Attempts with a time of the person",
    "complete": "Step has ended",
    "confirmed_ripe": "Old enough for confirmed",
    "within_30_ripe": "Old enough for within 30 s",
    "converted_ripe": "Old enough for conversion",
    # Figures of tables.
    "n": "n",
    "low": "95 % interval, from",
    "high": "95 % interval, to",
    "bounds": "95 % interval",
    "whose": "Figure is of",
    "requested_share": "Requested (% of requested)",
    "sent_share": "Sent (% of requested)",
    "delivered_share": "Delivered (% of requested)",
    "verified_share": "Verified (% of requested)",
    "requested_step": "Requested (% of the count before)",
    "sent_step": "Sent (% of the count before)",
    "delivered_step": "Delivered (% of the count before)",
    "verified_step": "Verified (% of the count before)",
    "without_receipt": "Verified without a receipt",
    "rate": "Rescue rate (%)",
    "mean_s": "Mean (s)",
    "from_s": "Parts before (s)",
    "p95_s": "p95 time to deliver (s)",
    "conversion": "Conversion (%)",
    "conversion_before": "Conversion before (%)",
    "cost": "Cost per verified attempt ($)",
    "per_verified": "Cost per verified attempt ($)",
    "spark": "Confirmed over time (%)",
    "count": "Attempts",
    "previous": "Before",
    "advice": "What to do",
    "spent": "Spent ($)",
    "wasted": "Wasted ($)",
    "share": "Wasted (%)",
    "n_priced": "Attempts with a known price",
    # Attempts, and the items of a test session.
    "seconds": "Delivered after (s)",
    "sample": "Traffic",
    "cost_usd": "Cost ($)",
}
#: Where a column of one file holds another thing than the same name elsewhere.
_HEADINGS_OF_FILES = {
    "attempts": {"requested": "Requested at", "country": "Country"},
    "cost": {"priced": "Price known (%)"},
    "countries": {"confirmed": "Confirmed (%)", "priced": "Price known (%)"},
    "figures": {"value": "Value (share of 1, ms or $)"},
    "parts": {"leg": "Part"},
    "rescue": {"rescued": "Verified this way"},
    "suspects": {"n": "Verifications started", "before": "Verifications started before"},
}


def heading(column: object, file: str) -> str:
    """What people read above a column of a CSV file. A number is a bin of a histogram. A column
    without a heading of its own has the words of its name: "Error code" for `error_code`."""
    if isinstance(column, int) and 0 <= column < BINS:
        seconds = UPPER_MS[column] / 1000
        return f"Up to {seconds:.3f} s" if seconds < 100 else f"Up to {seconds:.0f} s"
    name = str(column)
    words = name[:1].upper() + name[1:].replace("_", " ")
    return _HEADINGS_OF_FILES.get(file, {}).get(name) or _HEADINGS.get(name, words)
