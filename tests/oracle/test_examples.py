"""The examples by which wrong figures were found, from events to what is shown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.figures.filters import Filters
from core.figures.ranges import Comparison, Preset, preset
from core.model.attempt import EventKind as Kind
from core.panels.figure_inputs import read_inputs
from core.panels.figures import Figure, figures
from core.panels.query_state import parse_query_state
from tests.oracle.generator import DAY, HOUR, MINUTE, SECOND, Look
from tests.oracle.product import Product, product

NOW = Look(round(datetime(2026, 11, 25, 12, 7, 30, tzinfo=UTC).timestamp() * 1000), "UTC")
Event = dict[str, Any]


@pytest.fixture
def shown(own_database: str, tmp_path: Path) -> Iterator[Product]:
    with product(tmp_path, own_database) as new_product:
        new_product.stand_at(NOW)
        yield new_product


class Traffic:
    """Verifications with their events, for `Product.receive`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._verifications = 0

    def verification(self, at_ms: int, *attempts: "Attempt") -> None:
        """The attempts follow each other a minute apart."""
        self._verifications += 1
        name = f"{self._verifications:024}"
        for number, attempt in enumerate(attempts, 1):
            requested = at_ms + (number - 1) * MINUTE
            place = {"channel": attempt.channel, "region": "ID", "carrier": attempt.carrier}
            origin = {"origin": "first" if number == 1 else "fallback"}
            record = place | origin | {"mode": attempt.mode, "to_masked": "+62 ••"}
            for kind, after, fields in ((Kind.REQUESTED, 0, record), *attempt.reports):
                self.events.append(
                    {
                        "attempt": f"{name}-{number}", "verification": name, "kind": kind,
                        "at_ms": requested + after, "source": "callback", "fields": fields,
                    }
                )  # fmt: skip


class Attempt:
    """A message, or with `is_call` a call, and what is reported of it: kind, ms after the request,
    and fields."""

    def __init__(
        self, *reports: tuple[Kind, int, dict[str, str]], is_call: bool = False, carrier: str = "XL"
    ) -> None:
        self.reports = reports
        self.channel, self.mode = ("voice", "call") if is_call else ("sms", "sms")
        self.carrier = carrier


def delivered(after: int = 4 * SECOND, **fields: str) -> tuple[Kind, int, dict[str, str]]:
    return Kind.DELIVERED, after, fields


def cards(shown: Product, compare: str = "none", **values: str) -> dict[str, Figure]:
    """The cards that the page shows."""
    state = parse_query_state(values | {"compare": compare}, NOW.now, "UTC")
    inputs = read_inputs(
        shown.processes[0].queries, state.range, state.comparison, state.filters, state.zone
    )
    return {card.name: card for card in figures(inputs)}


def test_codes_of_twelve_messages_confirm_no_call_that_rang_out(shown: Product) -> None:
    traffic = Traffic()
    for n in range(12):
        call = Attempt(
            (Kind.UNDELIVERED, 40 * SECOND, {"hangup_cause": "3000"}),
            (Kind.VERIFIED, 90 * SECOND, {}),
            is_call=True,
        )
        traffic.verification(NOW.now_ms - HOUR - n * MINUTE, Attempt((Kind.SENT, 900, {})), call)
    shown.receive(traffic.events)
    rows = {row["channel"]: row for row in shown.get("channels", range="24h")}
    columns = ("requested", "confirmed", "verified", "undelivered", "rescued")
    assert [rows["sms"][name] for name in columns] == [12, 12, 12, 0, 0]
    assert [rows["voice"][name] for name in columns] == [12, 0, 0, 12, 0]


def test_four_hours_of_5xx_are_unclear_and_an_error_and_not_pending(shown: Product) -> None:
    traffic = Traffic()
    for n in range(48):
        refused = (Kind.UNCONFIRMED, SECOND, {"send_status": "503"})
        traffic.verification(NOW.now_ms - n * 5 * MINUTE - 6 * MINUTE, Attempt(refused))
    shown.receive(traffic.events)
    totals = shown.get("totals", range="6h")["figures"]
    assert (totals["unclear"], totals["pending"], totals["confirmed"]) == (48, 0, 0)
    (error,) = shown.get("errors", range="6h")
    assert (error["channel"], error["code"], error["count"]) == ("sms", "503", 48)
    assert cards(shown, range="6h")["Confirmed"].value == "0.0 %"
    # The logs settle one of them.
    first = next(event for event in traffic.events if event["kind"] == Kind.REQUESTED)
    settled = first | {"kind": Kind.DELIVERED, "at_ms": first["at_ms"] + SECOND, "source": "log"}
    shown.receive([settled | {"fields": {}}])
    totals = shown.get("totals", range="6h")["figures"]
    assert (totals["unclear"], totals["confirmed"]) == (47, 1)
    assert shown.get("errors", range="6h")[0]["count"] == 47


def test_steady_traffic_has_not_changed_since_the_same_weekday(shown: Product) -> None:
    traffic = Traffic()
    for week in (0, 7 * DAY):
        for n in range(45):
            traffic.verification(NOW.now_ms - week - (n + 1) * MINUTE, Attempt(delivered()))
    shown.receive(traffic.events)
    for name in ("15m", "1h"):
        assert cards(shown, "weekday", range=name)["Attempts"].change in {"", "no change"}
    queries = shown.processes[0].queries
    period = preset(
        Preset.QUARTER, NOW.now, queries_zone := parse_query_state({}, NOW.now, "UTC").zone
    )
    pair = queries.compared(period, Comparison.WEEKDAY, queries_zone)
    assert pair is not None
    assert pair.now.length == pair.before.length
    sums = [int(queries.totals(span)["requested"]) for span in (pair.now, pair.before)]
    assert sums == [15, 15]


def test_the_sums_of_a_range_are_those_of_the_range_that_is_returned(shown: Product) -> None:
    """220 attempts, one a minute, between edges that are kept no more."""
    traffic, start = Traffic(), NOW.now - timedelta(days=5, minutes=1)
    first_ms = round(start.timestamp() * 1000)
    for n in range(-20, 240):
        traffic.verification(first_ms + n * MINUTE, Attempt(delivered()))
    shown.receive(traffic.events)
    end = start + timedelta(minutes=220)
    answer = shown.get("totals", start=start.isoformat(), end=end.isoformat())
    asked, read = (
        [datetime.fromisoformat(answer[name][edge]) for edge in ("start", "end")]
        for name in ("range", "range_read")
    )
    assert asked == [start, end]
    assert read != asked
    requested = [event["at_ms"] for event in traffic.events if event["kind"] == Kind.REQUESTED]
    inside = [ms for ms in requested if read[0].timestamp() <= ms / 1000 < read[1].timestamp()]
    assert answer["figures"]["requested"] == len(inside) > 220


def test_a_call_that_follows_a_lost_message_costs_what_the_call_costs(shown: Product) -> None:
    """Forty calls at $0.05; two verifications begin with a call."""
    traffic = Traffic()
    for n in range(42):
        call = Attempt(
            delivered(9 * SECOND, cost_micros="50000", units="1"),
            (Kind.VERIFIED, 20 * SECOND, {}),
            is_call=True,
        )
        lost = Attempt((Kind.UNDELIVERED, SECOND, {"error_code": "30"}))
        traffic.verification(NOW.now_ms - HOUR - n * MINUTE, *((lost, call) if n > 1 else (call,)))
    shown.receive(traffic.events)
    card = cards(shown, range="24h", channel="voice")["Cost per verified"]
    assert (card.value, card.number, card.n) == ("$0.0500", 0.05, 42)


def test_under_a_carrier_errors_and_percentiles_say_whose_they_are(shown: Product) -> None:
    traffic = Traffic()
    for n in range(210):
        late = Attempt(delivered(50 * SECOND), carrier="Telkomsel")
        quick = Attempt(delivered(2 * SECOND), carrier="XL/Axiata")
        for attempt in (late, quick):
            traffic.verification(NOW.now_ms - HOUR - n * 10 * SECOND, attempt)
    lost = Attempt((Kind.UNDELIVERED, SECOND, {"error_code": "30"}), carrier="Telkomsel")
    traffic.verification(NOW.now_ms - HOUR, lost)
    shown.receive(traffic.events)
    card = cards(shown, range="24h", country="ID", carrier="XL/Axiata")["p95 time to deliver"]
    is_of_the_carrier = card.number < 3_000
    assert is_of_the_carrier or card.scope == "all carriers of Indonesia"
    place = {"range": "24h", "country": "ID", "carrier": "XL/Axiata"}
    assert shown.get("totals", **place)["figures"]["requested"] == 210
    for error in shown.get("errors", **place):
        assert (error["country"], error["carrier"]) == ("ID", "")
    latency = shown.get("latency", **place)
    assert latency["carrier"] == "XL/Axiata" or latency["count"] == 420


def test_a_carrier_has_the_same_name_wherever_it_is_shown(shown: Product) -> None:
    """With a slash, with 200 characters, and one that is not known."""
    traffic, names = Traffic(), ["O2/E-Plus", "Compañía " * 22 + "SA", ""]
    for n, name in enumerate(names):
        traffic.verification(NOW.now_ms - HOUR - n, Attempt(delivered(), carrier=name))
    shown.receive(traffic.events)
    queries = shown.processes[1].queries
    seen = queries.seen_dimensions().carriers["ID"]
    rows = [row["carrier"] for row in shown.get("countries", range="24h") if row["carrier"]]
    assert sorted(rows) == sorted(seen)
    assert set(names[:2]) < set(seen)
    period = preset(Preset.DAY, NOW.now, parse_query_state({}, NOW.now, "UTC").zone)
    for name in seen:
        figures_of = shown.get("totals", range="24h", country="ID", carrier=name)["figures"]
        assert figures_of["requested"] == 1
        assert queries.totals(period, Filters(None, "ID", name))["requested"] == 1
