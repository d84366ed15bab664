"""The whole query of the Delivery page, at 10 thousand and at 10 million messages a day.

Packed figures of 154 series (3 channels, 151 countries of theirs) are written as the ledger would
have left them, with the counts of such a day. Then everything is asked that a page of 24 hours and
one of 30 days shows, for the range and for the period before: totals, steps, channels, countries
with their percentiles, histograms, the heatmap and the errors, with no answer remembered. Before
each page, folds have changed the present quarter of an hour of every country, as live traffic does:
the copy in the process must read it again. The first page of a process, without a copy, is measured
apart. Before that, the counts of all countries are held against each key decoded by itself.

All pages take turns, so that what else the machine does falls on each of them alike. The reference
in the same run is pandas over a million raw events in memory, grouped into the same table of
countries with its percentiles, and into the same steps.

The memory of a small installation is measured apart: 20 attempts a day, in 12 countries with three
carriers each, for 20 days, applied and folded; all that Redis holds of them is counted.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.figures import layout, packing
from core.figures.catalogue import COLUMNS, Leg
from core.figures.filters import ALL
from core.figures.fold_worker import FoldWorker
from core.figures.layout import BINS, Cube, Tier
from core.figures.queries import Queries
from core.figures.ranges import Comparison, Preset, Range, comparison_range, pieces, preset
from core.figures.rates import percentiles, wilsons
from core.ledger.ledger import Ledger
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import SystemClock, from_ms, to_ms
from core.settings.settings import Settings
from core.store.connection import RedisConnection, connect
from core.store.keys import Keys
from core.store.scripts import Scripts

GOAL_MS, GOAL_RATIO, GOAL_KB = 30, 1.2, 6
PER_DAY = (10_000, 10_000_000)
ZONE = ZoneInfo("UTC")
CHANNELS = ("sms", "voice", "phlo")
COUNTRIES = [f"{a}{b}" for a in "ABCDEFGHIJ" for b in "KLMNOP"][:51]
SERIES = [(c, f"{c}/{country}") for c in CHANNELS for country in COUNTRIES][:151]
RAW_EVENTS = 1_000_000
SMALL_ATTEMPTS = 400


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
    for tier, span in ((Tier.MINUTE, 2), (Tier.QUARTER, 3), (Tier.HOUR, 3), (Tier.DAY, 62)):
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
                    if tier in layout.TIERS:
                        packed = packing.COUNTER_KIND.encode(values, tier)
                        pipe.set(keys.rollup("c", tier, cube, name, chunk), packed)
                    if (cube, tier) in layout.HISTOGRAMS[Leg.TTD]:
                        bins = rng.poisson(mean / 40, (tier.slots, BINS))
                        bins[:, :50] = bins[:, 90:] = 0
                        key = keys.rollup(Leg.TTD, tier, cube, name, chunk)
                        pipe.set(key, packing.LEG_KINDS[Leg.TTD].encode(bins, tier))
                pipe.execute()
        used[tier.value] = sum(
            int(raw.memory_usage(key))
            for key in raw.scan_iter(keys.rollup("*", tier, "*", "*", 0).replace(":0:", ":*:"))
        )
    client: Any = connection.client
    for cube in (Cube.CHANNEL, Cube.COUNTRY):
        client.zadd(keys.registry(cube), {name: now_ms for c, name, _ in named if c is cube})
    return used


def change(connection: RedisConnection, keys: Keys, now: datetime, folds: int) -> None:
    """List the present quarter-hour of every country as changed, as folds do."""
    quarter = to_ms(now) // Tier.QUARTER.slot_ms
    client: Any = connection.client
    places = {f"{channel}\x1f{name}\x1f{name}/\x1f{quarter}": folds for channel, name in SERIES}
    client.set(keys.folded, f"benchmark {folds} {folds}-0")
    client.zadd(keys.changed, {"": 0, f"@{folds}-0": folds, **places})


def page(queries: Queries, chosen: Range) -> None:
    """All that the page asks for one range."""
    queries.forget()
    before = comparison_range(chosen, Comparison.PREVIOUS, ZONE)
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


def check(queries: Queries, connection: RedisConnection, keys: Keys, chosen: Range) -> None:
    """Fail where the page would show other counts of countries than are stored."""
    queries.forget()
    raw: Any = connection.raw
    found = queries.by_country(chosen)[list(COLUMNS)].to_numpy()
    expected = np.zeros(len(COLUMNS), dtype=np.int64)
    for piece in pieces(chosen, chosen.end):
        tier = piece.tier
        moments = np.arange(piece.start_ms, piece.end_ms, tier.slot_ms)
        for chunk in np.unique(moments // tier.chunk_ms):
            slots = moments[moments // tier.chunk_ms == chunk] % tier.chunk_ms // tier.slot_ms
            for _, name in SERIES:
                packed = raw.get(keys.rollup("c", tier, Cube.COUNTRY, name, int(chunk)))
                expected += packing.COUNTER_KIND.decode(packed, tier)[slots].sum(axis=0)
    if (found.sum(axis=0) != expected).any():
        raise SystemExit("The page's counts are not those in Redis.")


def kb_per_attempt_small(seed: int = 5) -> tuple[float, float]:
    """What Redis holds of an attempt of a small installation, kB: in all, and of figures alone."""
    rng = np.random.default_rng(seed)
    countries = COUNTRIES[:12]
    keys, clock = Keys("sandbox"), SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        connection = connect(Settings(data_dir=Path(folder)))
        client: Any = connection.client
        raw: Any = connection.raw
        try:
            ledger = Ledger(client, Scripts(client), keys, clock, timedelta(days=90))
            fold = FoldWorker(connection.raw, keys, clock, ledger)

            def used() -> int:
                fold.settle(60)
                return int(client.info("memory")["used_memory"])

            ledger.apply_all(small_attempt(rng, countries, to_ms(clock.now()), 0))
            before, now_ms = used(), to_ms(clock.now())
            for number in range(1, SMALL_ATTEMPTS + 1):
                day_ms = now_ms - (number // 20) * 86_400_000
                requested = day_ms - int(rng.integers(3_600_000, 86_400_000))
                ledger.apply_all(small_attempt(rng, countries, requested, number))
                if number % 20 == 0:
                    fold.settle(60)
            total = used() - before
            pattern = keys.rollup("*", "*", "*", "*", 0).replace(":0:", ":*:")
            figures = sum(int(raw.memory_usage(key)) for key in raw.scan_iter(pattern, count=1000))
        finally:
            connection.close()
    return total / 1024 / SMALL_ATTEMPTS, figures / 1024 / SMALL_ATTEMPTS


def small_attempt(
    rng: np.random.Generator, countries: list[str], requested: int, number: int
) -> list[AttemptEvent]:
    """The events of an attempt that arrives and is verified, or is refused by the carrier."""
    channel = ("sms", "sms", "sms", "voice", "phlo")[int(rng.integers(5))]
    country = countries[int(rng.integers(len(countries)))]
    record = {
        "channel": channel,
        "mode": "call" if channel == "voice" else "sms",
        "to_masked": "+49 1512 ••• ••47",
        "region": country,
        "carrier": f"Carrier {int(rng.integers(3))} of {country}",
        "origin": "first",
        "number_index": f"{number:032}",
    }
    arrives = rng.random() < 0.95
    final = EventKind.DELIVERED if arrives else EventKind.UNDELIVERED
    price = {"cost_micros": "7700", "units": "1", "mcc": "310", "mnc": "260"}
    moments = [
        (EventKind.REQUESTED, 0, Source.APP, record),
        (EventKind.ACCEPTED, 210, Source.APP, {"reference": f"{number:08}-1111-2222-3333-444444"}),
        (EventKind.QUEUED, 400, Source.CALLBACK, {}),
        (EventKind.SENT, 900, Source.CALLBACK, price),
        (final, 4_000, Source.CALLBACK, {} if arrives else {"error_code": "30"}),
        *([(EventKind.VERIFIED, 19_000, Source.APP, {})] if arrives else []),
    ]
    spread = int(rng.integers(1, 2_000))
    return [
        AttemptEvent(
            f"small{number:019}-1", kind, from_ms(requested + ms + (ms and spread)), source, fields
        )
        for kind, ms, source, fields in moments
    ]


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


@dataclass(slots=True)
class Spent:
    """What some rounds took, in ms: by the clock, and of the processor in this process and in
    Redis. The processor's time depends less on what else the machine does."""

    wall: list[float] = field(default_factory=list)
    here: list[float] = field(default_factory=list)
    redis: list[float] = field(default_factory=list)

    def add(self, work: Callable[[], None], connection: RedisConnection | None = None) -> None:
        """Do it once more."""
        server = server_ms(connection) if connection else 0.0
        began, began_here = time.perf_counter(), time.process_time()
        work()
        self.wall.append((time.perf_counter() - began) * 1000)
        self.here.append((time.process_time() - began_here) * 1000)
        if connection:
            self.redis.append(server_ms(connection) - server)

    @property
    def ms(self) -> float:
        """The median by the clock."""
        return statistics.median(self.wall)


def server_ms(connection: RedisConnection) -> float:
    """Processor time of the server up to now."""
    cpu = connection.client.info("cpu")
    return 1000 * (float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=RAW_EVENTS, help="for pandas")
    chosen = parser.parse_args()
    say, clock = sys.stdout.write, Still()
    spans = {name: preset(name, clock.now(), ZONE) for name in (Preset.DAY, Preset.MONTH)}
    found = {(per_day, name): Spent() for per_day in PER_DAY for name in spans}
    with ExitStack() as opened:
        asked = {}
        for per_day in PER_DAY:
            folder = opened.enter_context(tempfile.TemporaryDirectory())
            connection = connect(Settings(data_dir=Path(folder)))
            opened.callback(connection.close)
            keys = Keys("sandbox")
            used = fill(connection, keys, clock.now(), per_day)
            mb = ", ".join(f"{tier} {size / 2**20:.1f} MB" for tier, size in used.items())
            say(f"{per_day:>12,} a day, Redis: {mb}\n")
            ledger = Ledger(
                connection.client, Scripts(connection.client), keys, clock, timedelta(days=90)
            )
            settle = FoldWorker(connection.raw, keys, clock, ledger).settle
            queries = Queries(connection.client, connection.raw, keys, clock, settle)
            asked[per_day] = queries, connection
            for span in spans.values():
                check(queries, connection, keys, span)
                first = Spent()
                alone = Queries(connection.client, connection.raw, keys, clock, settle)
                first.add(partial(page, alone, span), connection)
                say(f"{'':>12} first page of a process: {first.ms:.0f} ms\n")
        for number in range(chosen.rounds):
            for (per_day, name), spent in found.items():
                queries, connection = asked[per_day]
                change(connection, Keys("sandbox"), clock.now(), number + 1)
                spent.add(partial(page, queries, spans[name]), connection)
    for (per_day, name), spent in found.items():
        here, redis = statistics.median(spent.here), statistics.mean(spent.redis)
        say(f"{per_day:>12,} a day, {name:>4}: {spent.ms:6.1f} ms; of the processor ")
        say(f"{here:.1f} ms here and {redis:.1f} ms in Redis\n")
    events = raw_events(chosen.events)
    pandas = Spent()
    for _ in range(max(1, chosen.rounds // 5)):
        pandas.add(lambda: by_pandas(events))
    say(f"pandas over {chosen.events:,} raw events: {pandas.ms:.0f} ms\n")
    few, many = PER_DAY
    ratios = [found[many, name].ms / found[few, name].ms for name in spans]
    small, small_figures = kb_per_attempt_small()
    say(f"small installation: {small:.1f} kB an attempt, {small_figures:.1f} of it figures\n")
    say(f"goals: at most {GOAL_MS} ms, a ratio of {GOAL_RATIO} and {GOAL_KB} kB\n")
    figures = {
        "day_ms": round(found[many, Preset.DAY].ms, 1),
        "month_ms": round(found[many, Preset.MONTH].ms, 1),
        "ratio_10m_to_10k": round(max(ratios), 2),
        "pandas_ratio": round(pandas.ms / found[many, Preset.DAY].ms, 1),
        "kb_per_attempt_small": round(small, 2),
    }
    say(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
