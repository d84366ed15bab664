"""Figures of many carriers, written as the fold would have left them."""

from datetime import datetime
from typing import Any

import numpy as np

from core.figures import packing
from core.figures.catalogue import COLUMNS, Leg
from core.figures.layout import BINS, HISTOGRAMS, TIERS, Cube, Tier
from core.figures.packing import Counts
from core.model.clock import to_ms
from core.store.connection import RedisConnection
from core.store.keys import Keys

DAYS = 30
COUNTRIES = ("NG", "ID", "BR", "IN", "US", "DE", "GB", "FR", "PH", "KE", "MX", "PK", "VN", "EG")
_PRICE_MICROS = 7_700
#: Each share is of another column.
_SHARES = {
    "started": ("requested", 0.95), "accepted": ("requested", 1.0), "sent": ("accepted", 0.99),
    "delivered": ("sent", 0.94), "within_60": ("delivered", 0.99), "within_30": ("within_60", 0.98),
    "within_10": ("within_30", 0.9), "converted": ("started", 0.84), "priced": ("accepted", 1.0),
    "units": ("accepted", 1.0),
}  # fmt: skip


def carriers_of(count: int) -> list[str]:
    """The series of so many carriers, the largest first."""
    return [f"sms/{COUNTRIES[n % len(COUNTRIES)]}/Carrier {n:05}" for n in range(count)]


def counts_of(requested: Counts, rng: np.random.Generator) -> Counts:
    """(slots, COLUMNS) of so many requests. Drawn, not rounded: the parts of a slot with one
    request are as large, on average, as those of a day."""
    values = np.zeros((len(requested), len(COLUMNS)), dtype=np.int64)

    def put(name: str, cells: Counts) -> None:
        values[:, COLUMNS.index(name)] = cells

    def cells(name: str) -> Counts:
        column: Counts = values[:, COLUMNS.index(name)]
        return column

    put("requested", requested)
    for name, (whole, share) in _SHARES.items():
        put(name, rng.binomial(cells(whole), share))
    put("verified", cells("converted"))
    put("confirmed", np.maximum(cells("delivered"), cells("verified")))
    put("cost_micros", cells("priced") * _PRICE_MICROS)
    put("cost_verified_micros", cells("verified") * _PRICE_MICROS)
    return values


def fill(
    connection: RedisConnection,
    keys: Keys,
    now: datetime,
    carriers: int,
    *,
    for_alerts: bool = False,
) -> None:
    """Write `carriers` carriers of COUNTRIES, with 30 days of messages; some are small.
    `for_alerts`: with the minutes of the last hours, and the quarters of an hour of 30 days of the
    countries and the channel, which pages do not read."""
    rng = np.random.default_rng(3)
    per_day = 20_000 / np.arange(1, carriers + 1) ** 0.7
    of_country = {f"sms/{country}": 0.0 for country in COUNTRIES}
    series: list[tuple[Cube, str, float]] = []
    for n, name in enumerate(carriers_of(carriers)):
        country = name.rpartition("/")[0]
        series.append((Cube.CARRIER, name, per_day[n]))
        of_country[country] += per_day[n]
    series += [(Cube.COUNTRY, name, total) for name, total in of_country.items()]
    series.append((Cube.CHANNEL, "sms", float(per_day.sum())))
    raw: Any = connection.raw
    now_ms = to_ms(now)
    # Days, and the quarters of an hour of the present day: a range of 30 days reads no others.
    spans = [(Tier.QUARTER, 1.0), (Tier.DAY, float(DAYS))]
    if for_alerts:
        spans.append((Tier.MINUTE, 1 / 6))
    for tier, span in spans:
        with raw.pipeline(transaction=False) as pipe:
            for number, (cube, name, daily) in enumerate(series):
                is_long = for_alerts and tier is Tier.QUARTER and cube is not Cube.CARRIER
                begin_ms = now_ms - int((DAYS if is_long else span) * 86_400_000)
                chunks = range(tier.chunk_of(begin_ms), tier.chunk_of(now_ms) + 1)
                mean = daily * tier.slot_ms / 86_400_000
                for chunk in chunks:
                    slots = chunk * tier.chunk_ms + np.arange(tier.slots) * tier.slot_ms
                    requested = rng.poisson(mean, tier.slots) * (slots <= now_ms)
                    if tier in TIERS:
                        packed = packing.COUNTER_KIND.encode(counts_of(requested, rng), tier)
                        pipe.set(keys.rollup("c", tier, cube, name, chunk), packed)
                    if (cube, tier) in HISTOGRAMS[Leg.TTD]:
                        bins = np.zeros((tier.slots, BINS), dtype=np.int64)
                        bins[:, 50:70] = rng.multinomial(requested, np.full(20, 1 / 20))
                        key = keys.rollup(Leg.TTD, tier, cube, name, chunk)
                        pipe.set(key, packing.LEG_KINDS[Leg.TTD].encode(bins, tier))
                if number % 500 == 499:
                    pipe.execute()
            pipe.execute()
    client: Any = connection.client
    for cube in (Cube.CHANNEL, Cube.COUNTRY, Cube.CARRIER):
        client.zadd(keys.registry(cube), {name: now_ms for c, name, _ in series if c is cube})
