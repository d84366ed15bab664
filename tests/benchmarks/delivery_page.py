"""The whole query of the Delivery page, at 10 thousand and at 10 million messages a day.

Packed figures of 154 series (3 channels, 151 countries of theirs) are written as the ledger would
have left them, with the counts of such a day. Then everything is asked that a page of 24 hours and
one of 30 days shows, for the range and for the period before: totals, steps, channels, countries
with their percentiles, histograms, the heatmap and the errors, with no answer remembered. The
reference in the same run is pandas over a million raw events in memory, grouped into the same table
of countries with its percentiles, and into the same steps.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.clock import to_ms
from core.delivery import layout
from core.delivery.layout import BINS, COLUMNS, Cube, Leg, Tier
from core.delivery.queries import ALL, Queries
from core.delivery.ranges import Comparison, Preset, Range, compared, preset
from core.delivery.rates import percentiles, wilsons
from core.settings import Settings
from core.store.connection import RedisConnection, connect
from core.store.keys import Keys

GOAL_MS, GOAL_RATIO = 60, 1.2
ZONE = ZoneInfo("UTC")
CHANNELS = ("sms", "voice", "phlo")
COUNTRIES = [f"{a}{b}" for a in "ABCDEFGHIJ" for b in "KLMNOP"][:51]
SERIES = [(c, f"{c}/{country}") for c in CHANNELS for country in COUNTRIES][:151]
RAW_EVENTS = 1_000_000


class Still:
    """A clock that stands: both volumes are asked at the same moment."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        return self._now


def fill(connection: RedisConnection, keys: Keys, now: datetime, per_day: int) -> dict[str, int]:
    """Write the figures of such a volume; the bytes of each tier in Redis."""
    rng = np.random.default_rng(3)
    weights = 1 / np.arange(1, len(SERIES) + 1)
    weights /= weights.sum()
    named = [(Cube.COUNTRY, name, w) for (_, name), w in zip(SERIES, weights, strict=True)]
    named += [(Cube.CHANNEL, channel, 1 / 3) for channel in CHANNELS]
    raw: Any = connection.raw
    now_ms, used = to_ms(now), {}
    for tier, span in ((Tier.MINUTE, 2), (Tier.QUARTER, 3), (Tier.DAY, 62)):
        first = tier.chunk_of(now_ms - span * 86_400_000)
        for chunk in range(first, tier.chunk_of(now_ms) + 1):
            with raw.pipeline(transaction=False) as pipe:
                for cube, name, weight in named:
                    mean = per_day * weight * tier.slot_ms / 86_400_000
                    requested = rng.poisson(mean, tier.slots)
                    values = np.zeros((tier.slots, len(COLUMNS)), dtype=np.int64)
                    for column, share in (("requested", 1), ("started", 0.95), ("sent", 0.99),
                                          ("delivered", 0.93), ("confirmed", 0.95),
                                          ("converted", 0.8), ("verified", 0.8)):  # fmt: skip
                        values[:, COLUMNS.index(column)] = requested * share
                    packed = layout.encode_counters(values, tier)
                    pipe.set(keys.rollup("c", tier, cube, name, chunk), packed)
                    if (cube, tier) in layout.HISTOGRAMS[Leg.TTD]:
                        bins = rng.poisson(mean / 40, (tier.slots, BINS))
                        bins[:, :50] = bins[:, 90:] = 0
                        key = keys.rollup(Leg.TTD, tier, cube, name, chunk)
                        pipe.set(key, layout.encode_histogram(bins, tier))
                pipe.execute()
        used[tier.value] = sum(
            int(raw.memory_usage(key))
            for key in raw.scan_iter(keys.rollup("*", tier, "*", "*", 0).replace(":0:", ":*:"))
        )
    client: Any = connection.client
    for cube in (Cube.CHANNEL, Cube.COUNTRY):
        client.zadd(keys.registry(cube), {name: now_ms for c, name, _ in named if c is cube})
    return used


def page(queries: Queries, chosen: Range) -> None:
    """All that the page asks for one range."""
    queries.forget()
    before = compared(chosen, Comparison.PREVIOUS)
    for one in (chosen, before):
        assert one is not None
        queries.totals(one)
        table = queries.by_country(one)
        wilsons(table["confirmed"], table["requested"])
        percentiles(queries.histogram(one))
    queries.over_time(chosen)
    queries.heatmap(chosen)
    queries.by_channel(chosen)
    queries.errors(chosen, ALL, before)


def raw_events(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    place = np.minimum(rng.zipf(1.4, n) - 1, len(SERIES) - 1)
    return pd.DataFrame(
        {
            "at": rng.integers(0, 96, n),
            "series": pd.Categorical.from_codes(place.tolist(), pd.Index([n for _, n in SERIES])),
            "delivered": rng.random(n) < 0.93,
            "verified": rng.random(n) < 0.8,
            "ms": rng.lognormal(8, 0.7, n),
        }
    )


def by_pandas(events: pd.DataFrame) -> None:
    """The same answers from raw events: figures by series and by quarter, and percentiles."""
    groups = events.groupby("series", observed=True)
    table = groups.agg(n=("ms", "size"), k=("delivered", "sum"), v=("verified", "sum"))
    wilsons(table["k"], table["n"])
    groups["ms"].quantile(np.array([0.5, 0.95]))
    events.groupby("at")[["delivered", "verified"]].sum()
    events.groupby("at")["ms"].quantile(np.array([0.5, 0.9, 0.95, 0.99]))


def ms(work: Callable[[], None], rounds: int) -> float:
    """The median of some rounds."""
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=RAW_EVENTS, help="for pandas")
    chosen = parser.parse_args()
    say, clock = sys.stdout.write, Still()
    found: dict[tuple[int, Preset], float] = {}
    for per_day in (10_000, 10_000_000):
        with tempfile.TemporaryDirectory() as folder:
            connection = connect(Settings(data_dir=Path(folder)))
            keys = Keys("sandbox")
            used = fill(connection, keys, clock.now(), per_day)
            queries = Queries(connection.client, connection.raw, keys, clock)
            for name in (Preset.DAY, Preset.MONTH):
                span = preset(name, clock.now(), ZONE)
                page(queries, span)
                found[per_day, name] = ms(lambda q=queries, s=span: page(q, s), chosen.rounds)  # type: ignore[misc]
                say(f"{per_day:>12,} a day, {name:>4}: {found[per_day, name]:6.1f} ms\n")
            connection.close()
        mb = ", ".join(f"{tier} {size / 2**20:.1f} MB" for tier, size in used.items())
        say(f"{per_day:>12,} a day, Redis: {mb}\n")
    events = raw_events(chosen.events)
    pandas_ms = ms(lambda: by_pandas(events), max(1, chosen.rounds // 5))
    say(f"pandas over {chosen.events:,} raw events: {pandas_ms:.0f} ms\n")
    day = found[10_000_000, Preset.DAY]
    ratios = [found[10_000_000, p] / found[10_000, p] for p in (Preset.DAY, Preset.MONTH)]
    say(f"goals: at most {GOAL_MS} ms and a ratio of {GOAL_RATIO}\n")
    figures = {
        "day_ms": round(day, 1),
        "month_ms": round(found[10_000_000, Preset.MONTH], 1),
        "ratio_10m_to_10k": round(max(ratios), 2),
        "pandas_ratio": round(pandas_ms / day, 1),
    }
    say(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
