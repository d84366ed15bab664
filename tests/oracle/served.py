"""Compares what the product serves over HTTP, REST and `/metrics`, with the truth."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from prometheus_client.parser import text_string_to_metric_families

from tests.oracle import expected as truth
from tests.oracle.cases import Case
from tests.oracle.expected import COUNTS, Expected
from tests.oracle.generator import DAY, HOUR, MINUTE, Look
from tests.oracle.product import Product
from tests.oracle.reading import (
    BIN,
    CODE_LIFE,
    KEPT,
    RIPE_MS,
    Differences,
    check_compared,
    check_read,
    compare_percentile,
)

#: By column, the names of `/metrics` without their prefix.
COUNTERS = {
    "requested": "attempts_requested", "accepted": "attempts_accepted", "sent": "attempts_sent",
    "delivered": "attempts_delivered", "within_10": "attempts_delivered_within_10s",
    "within_30": "attempts_delivered_within_30s", "within_60": "attempts_delivered_within_60s",
    "entered": "attempts_entered", "started": "started", "converted": "converted",
    "resends": "resends", "fallbacks": "fallbacks",
}  # fmt: skip
WINDOW_GAUGES = {
    "confirmed": "confirmed_attempts", "verified": "verified_attempts", "started": "started",
    "converted": "converted", "unattributed": "unattributed", "fallbacks": "fallbacks",
    "rescued": "rescued", "priced": "priced_attempts", "units": "units",
}  # fmt: skip
DOLLARS = {
    "cost_micros": "cost_dollars",
    "cost_verified_micros": "verified_cost_dollars",
    "cost_unattributed_micros": "unattributed_cost_dollars",
}
HISTOGRAMS = {
    "ttd": "time_to_deliver", "ttv": "time_to_verify", "queue": "queue_time",
    "carrier": "carrier_time",
}  # fmt: skip
EXACT_SUMS = {"queue", "carrier"}
#: The states of an attempt; together they are all attempts.
STATES = [*truth.STATES, "pending"]
#: Counters start again with each 32 days since 1970.
COUNTER_DAYS = 32


class RestReader:
    def __init__(self, product: Product, true: Expected, differences: Differences) -> None:
        self._product = product
        self._true = true
        self._all = differences

    def read(self, case: Case) -> None:
        totals = self._product.get("totals", **case.params, compare=case.comparison)
        self._all.equal(case, "REST range", _span(totals["range"]), case.asked)
        span = _span(totals["range_read"])
        rows = self._true.within(*span, case.place)
        self._all.mappings(case, "REST totals", totals["figures"], truth.totals(rows))
        before = None
        if totals["previous_range"]:
            pair = span, _span(totals["previous_range"])
            check_compared(self._all, case, pair, self._true)
            before = self._true.within(*pair[1], case.place)
            self._all.mappings(case, "REST previous", totals["previous"], truth.totals(before))
        else:
            check_read(self._all, case, "REST range read", span)
            self._all.equal(case, "REST previous", totals["previous"], None)
        for name, rate in totals["rates"].items():
            self._rate(case, name, rate)
        answer = self._product.get("errors", **case.params, compare=case.comparison)
        self._all.equal(case, "REST range read of errors", self._product.range_read, span)
        spans = [("count", span)] + ([("previous", pair[1])] if before is not None else [])
        for name, of in spans:
            true = self._true.within(*of, case.place.of_all_carriers)
            shown = {(e["channel"], e["code"]): e[name] for e in answer if e[name]}
            self._all.mappings(case, f"REST errors {name}", shown, truth.errors(true))
        self._verdict(case)
        self._steps(case)
        self._tables(case)
        self._latency(case)

    def _verdict(self, case: Case) -> None:
        """Its share of confirmed attempts is that of the card."""
        answer = self._product.get("verdict", **case.params)
        start, end = self._product.range_read
        ripe = (case.look.now_ms - CODE_LIFE) // MINUTE * MINUTE
        if case.asked[1] > ripe:
            end = max(start, ripe)
        sums = truth.totals(self._true.within(start, end, case.place))
        for name in ("confirmed", "requested"):
            self._all.equal(case, f"verdict {name}", answer[name], sums[name])

    def _rate(self, case: Case, name: str, rate: dict[str, Any]) -> None:
        sums = truth.totals(self._true.within(*_span(rate), case.place))
        k, n = sums[name], sums["started" if name == "converted" else "requested"]
        low, high = truth.wilson(k, n)
        expected = {"k": k, "n": n, "value": k / n if n else None}
        expected |= {"low": low if n else None, "high": high if n else None}
        for part, value in expected.items():
            self._all.equal(case, f"REST rate {name}.{part}", rate[part], value)
        ripe = case.look.now_ms - RIPE_MS[name]
        self._all.equal(case, f"REST rate {name} is ripe", _ms(rate["end"]) <= ripe or not n, True)

    def _steps(self, case: Case) -> None:
        steps = self._product.get("over-time", **case.params)
        span = self._product.range_read
        check_read(self._all, case, "REST range read of steps", span)
        starts = [_ms(step["start"]) for step in steps]
        frame = pd.DataFrame(steps, index=starts)
        rows = self._true.within(*span, case.place)
        expected = truth.by_step(rows, [*starts, max(span[1], starts[-1] + 1)])
        self._all.table(case, "REST step", _counts(frame), expected)

    def _tables(self, case: Case) -> None:
        for path, keys, of in (
            ("channels", ["channel"], truth.by_channel),
            ("countries", ["country", "carrier"], truth.by_country),
        ):
            frame = pd.DataFrame(self._product.get(path, **case.params))
            expected = of(self._true.within(*self._product.range_read, case.place))
            if path == "countries" and case.place.carrier is not None:
                expected = expected[expected.index.get_level_values("carrier") != ""]
            if len(frame):
                table = _counts(frame.set_index(keys))
                self._all.table(case, f"REST {path}", table[table.any(axis=1)], expected)
            else:
                self._all.equal(case, f"REST {path}", 0, len(expected))

    def _latency(self, case: Case) -> None:
        for leg in truth.LEGS:
            answer = self._product.get("latency", **case.params, leg=leg)
            kept: Sequence[tuple[int, int]] = KEPT
            if case.place.country is not None:
                kept = KEPT[1:] if leg == "ttd" else ()
            read = _span(answer["range_read"])
            check_read(self._all, case, f"REST range of {leg}", read, kept)
            place = case.place.of_all_carriers
            rows = self._true.within(*read, place)
            took = truth.durations(rows, leg).to_numpy()
            self._all.equal(case, f"REST latency {leg} n", answer["count"], len(took))
            so_far = 0
            for entry in answer["bins"]:
                so_far += entry["count"]
                expected = int((took <= entry["upper_ms"] + 1e-6).sum())
                self._all.equal(case, f"REST latency {leg} bin", so_far, expected)
            for q in (0.5, 0.9, 0.95, 0.99):
                shown = answer["percentiles_ms"][f"p{q * 100:g}"]
                compare_percentile(self._all, case, f"REST latency {leg} p{q}", shown, took, q)


class Scrapes:
    """Compares the scrapes of `/metrics`, and that its counters never fall."""

    def __init__(self, product: Product, differences: Differences) -> None:
        self._product = product
        self._all = differences
        self._before: dict[Any, float] = {}
        self._since = 0

    def read(self, look: Look, true: Expected, outcomes: dict[str, int]) -> None:
        """`outcomes`: the events of this day (UTC) by what they were."""
        samples: defaultdict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
        for family in text_string_to_metric_families(self._product.metrics()):
            for sample in family.samples:
                labels = {n: v for n, v in sample.labels.items() if n != "environment"}
                name = sample.name.removeprefix("verification_")
                samples[name][tuple(labels[n] for n in sorted(labels))] = sample.value
        since = look.now_ms // (COUNTER_DAYS * DAY) * COUNTER_DAYS * DAY
        rows = _labelled(true.within(since, look.now_ms))
        by_place = rows.groupby(["channel", "country"])[COUNTS].sum()
        for column, name in COUNTERS.items():
            self._metric(look, samples[f"{name}_total"], name, by_place[column])
        self._never_fall(look, samples, since)
        for leg, name in HISTOGRAMS.items():
            self._histogram(look, samples, f"{name}_seconds", rows, leg)
        ripe = (look.now_ms - CODE_LIFE) // MINUTE * MINUTE
        for window, start, end in (
            ("1h", look.now_ms // MINUTE * MINUTE - HOUR, look.now_ms),
            ("1h_ripe", ripe - HOUR, ripe),
            ("today", look.now_ms // DAY * DAY, look.now_ms),
        ):
            self._window(look, samples, window, _labelled(true.within(start, end)))
        newest = true.rows.loc[true.rows["requested"] == 1, "at_ms"].max()
        shown = samples["newest_attempt_timestamp_seconds"].get(())
        self._all.equal(look, "metrics newest_attempt", shown, float(newest) / 1000)
        for kind in ("repeated", "late", "orphan"):
            shown = samples["irregular_events_total"].get((kind,))
            self._all.equal(look, f"metrics {kind}", shown, float(outcomes.get(kind, 0)))

    def _metric(self, look: Look, shown: dict[Any, float], name: str, expected: Any) -> None:
        self._all.mappings(look, f"metrics {name}", _not_zero(shown), _not_zero(expected.to_dict()))

    def _never_fall(self, look: Look, samples: Any, since: int) -> None:
        counters = {
            (name, labels): value
            for name, values in samples.items()
            if name.endswith(("_total", "_bucket", "_count")) and name != "irregular_events_total"
            for labels, value in values.items()
        }
        if since == self._since:
            for key, value in self._before.items():
                if counters.get(key, 0) < value:
                    self._all.equal(look, f"counter {key} falls", counters.get(key), value)
        self._before, self._since = counters, since

    def _histogram(self, look: Look, samples: Any, name: str, rows: Any, leg: str) -> None:
        took = {
            channel: truth.durations(rows[rows["channel"] == channel], leg).to_numpy()
            for channel in {channel for channel, _ in samples[f"{name}_bucket"]}
        }
        shown = samples[f"{name}_bucket"]
        expected = {
            (channel, bound): float((took[channel] <= float(bound) * 1000 + 1e-6).sum())
            for channel, bound in shown
        }
        self._all.mappings(look, f"metrics {name}", shown, expected)
        for (channel,), seconds in samples[f"{name}_sum"].items():
            ms = took[channel].sum()
            allowed = 1 if leg in EXACT_SUMS else BIN * ms + 40 * len(took[channel]) + 1
            is_close = abs(seconds * 1000 - ms) <= allowed
            self._all.equal(look, f"metrics {name}_sum", is_close or seconds * 1000, True)

    def _window(self, look: Look, samples: Any, window: str, rows: pd.DataFrame) -> None:
        table: Any = rows.groupby(["channel", "country"])[COUNTS].sum()
        expected = {
            (channel, country, state, window): float(row[state])
            for (channel, country), row in table.iterrows()
            for state in STATES
        }
        self._gauge(look, samples, "window_attempts", window, expected)
        for column, name in (WINDOW_GAUGES | DOLLARS).items():
            divisor = 1e6 if column in DOLLARS else 1
            values = {(*place, window): n / divisor for place, n in table[column].items()}
            self._gauge(look, samples, f"window_{name}", window, values)
        by_code = {
            (channel, code, window): float(n) for (channel, code), n in truth.errors(rows).items()
        }
        self._gauge(look, samples, "window_errors", window, by_code)

    def _gauge(self, look: Look, samples: Any, name: str, window: str, expected: Any) -> None:
        shown = {key: n for key, n in samples[name].items() if key[-1] == window}
        self._all.mappings(look, f"metrics {name}", _not_zero(shown), _not_zero(expected))


def _labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose country is named as in `/metrics`: a country that is not known by a word."""
    return rows.assign(country=rows["country"].replace("ZZ", "unknown"))


def _not_zero(values: dict[Any, float]) -> dict[Any, float]:
    return {key: value for key, value in values.items() if value}


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = frame.select_dtypes("number")
    return numbers.drop(columns=["p95_ms"], errors="ignore")


def _span(span: dict[str, str]) -> tuple[int, int]:
    return _ms(span["start"]), _ms(span["end"])


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)
