"""A million callbacks through the ledger, from several processes at once, against a ground truth.

150,000 attempts over 40 hours are written down first. Then their callbacks, each of them twice and
all of them shuffled, are applied by four processes at once, through the same `apply_all` that the
log sync and the sample traffic use. What Redis holds afterwards is compared, cell by cell and in
every tier and cube, with what pandas adds up from the same events; a cell that Redis has and pandas
has not is wrong too. For scale, some of the same events are told once more by one process alone,
which must change no cell.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import redis

from core.figures import layout, packing
from core.figures.catalogue import COLUMNS, Leg
from core.figures.layout import BINS, Cube, Tier
from core.ledger.ledger import EventOutcome, Ledger
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import SystemClock, from_ms, to_ms
from core.store.embedded import EmbeddedRedis
from core.store.keys import ROLLUP_LAYOUT, Keys
from core.store.scripts import Scripts

GOAL = 25_000
KEEP = timedelta(days=7)
PLACES = [
    (channel, region, carrier)
    for channel in ("sms", "voice", "phlo")
    for region, carriers in {
        "DE": ("Vodafone", "O2", "T-Mobile"),
        "GB": ("EE", "Three"),
        "US": ("",),
        "IN": ("Jio", "Airtel"),
    }.items()
    for carrier in carriers
]
FINALS = (EventKind.DELIVERED, EventKind.UNDELIVERED, EventKind.FAILED)
CODES = ("30", "50", "900")


def attempts(n: int, seed: int) -> pd.DataFrame:
    """What becomes of n attempts: one row each, moments in Unix ms, -1 where there was none."""
    rng = np.random.default_rng(seed)
    now = to_ms(datetime.now(UTC))
    made = pd.DataFrame({"place": rng.integers(0, len(PLACES), n)})
    for i, name in enumerate(("channel", "region", "carrier")):
        made[name] = np.array([place[i] for place in PLACES], dtype=object)[made["place"]]
    made["requested"] = now - rng.integers(3_600_000, 40 * 3_600_000, n)
    made["queued"] = made["requested"] + rng.integers(50, 900, n)
    made["sent"] = made["queued"] + rng.lognormal(7, 1, n).astype(np.int64)
    final = made["sent"] + rng.lognormal(8, 1, n).astype(np.int64)
    made["final"] = rng.choice(3, n, p=[0.9, 0.06, 0.04])
    made["code"] = rng.integers(0, len(CODES), n)
    for i, kind in enumerate(FINALS):
        made[kind.value] = np.where(made["final"] == i, final, -1)
    entered = (made["final"] == 0) & (rng.random(n) < 0.37)
    made["verified"] = np.where(entered, final + rng.integers(2_000, 60_000, n), -1)
    made["cost"] = rng.integers(3_000, 90_000, n)
    return made


def channel_mode(channel: str) -> str:
    return "call" if channel == "voice" else "sms"


def requests(made: pd.DataFrame) -> Iterator[AttemptEvent]:
    rows: list[Any] = list(made.itertuples())
    for i, row in enumerate(rows):
        record = {
            "channel": row.channel,
            "mode": channel_mode(row.channel),
            "to_masked": "+1 •",
            "region": row.region,
            "carrier": row.carrier,
        }
        yield AttemptEvent(
            f"{i:024}-1", EventKind.REQUESTED, from_ms(row.requested), Source.APP, record
        )


def callbacks(made: pd.DataFrame, which: np.ndarray[Any, Any]) -> list[AttemptEvent]:
    """The events with these numbers: attempt * 4 + 0 queued, 1 sent, 2 the end, 3 verified."""
    rows = made.to_dict("list")
    found = []
    for event in which:
        i, what = divmod(int(event), 4)
        attempt = f"{i:024}-1"
        if what == 0:
            kind, at, fields = EventKind.QUEUED, rows["queued"][i], {"reference": f"u-{i}"}
        elif what == 1:
            kind, at, fields = EventKind.SENT, rows["sent"][i], {"units": "1"}
        elif what == 2:
            kind = FINALS[rows["final"][i]]
            at = rows[kind.value][i]
            fields = {"cost_micros": str(rows["cost"][i])}
            if kind is not EventKind.DELIVERED:
                fields["error_code"] = CODES[rows["code"][i]]
        else:
            kind, at, fields = EventKind.VERIFIED, rows["verified"][i], {}
        found.append(AttemptEvent(attempt, kind, from_ms(at), Source.CALLBACK, fields))
    return found


def worker(
    url: str,
    made: pd.DataFrame,
    which: np.ndarray[Any, Any],
    ready: Barrier,
    spent: "multiprocessing.Queue[tuple[float, float, dict[str, int]]]",
) -> None:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        ledger = ledger_on(client)
        events = callbacks(made, which)
        ready.wait()
        began, began_cpu = time.perf_counter(), time.process_time()
        outcomes = ledger.apply_all(events)
        cpu = time.process_time() - began_cpu
        spent.put((time.perf_counter() - began, cpu, {o.value: n for o, n in outcomes.items()}))


def ledger_on(client: Any) -> Ledger:
    return Ledger(client, Scripts(client), Keys("sandbox"), SystemClock(), KEEP)


def truth(made: pd.DataFrame) -> pd.DataFrame:
    """What each attempt adds to the figures: the columns of COLUMNS, worked out by pandas."""
    found = pd.DataFrame(0, index=made.index, columns=list(COLUMNS), dtype=np.int64)
    delivered, verified = made["delivered"] > 0, made["verified"] > 0
    took = made["delivered"] - made["requested"]
    found[["requested", "started", "n_queue", "sent"]] = 1
    for kind in FINALS:
        found[kind.value] = (made[kind.value] > 0).astype(np.int64)
    found["units"] = found["priced"] = 1
    for name in ("entered", "verified", "converted"):
        found[name] = verified.astype(np.int64)
    found["confirmed"] = (delivered | verified).astype(np.int64)
    for seconds in (10, 30, 60):
        found[f"within_{seconds}"] = (delivered & (took <= seconds * 1000)).astype(np.int64)
    found["queue_ms"] = made["sent"] - made["queued"]
    found["n_carrier"] = delivered.astype(np.int64)
    found["carrier_ms"] = (made["delivered"] - made["sent"]).where(delivered, 0)
    found["n_person"] = verified.astype(np.int64)
    found["person_ms"] = (made["verified"] - made["delivered"]).where(verified, 0)
    found["cost_micros"] = made["cost"]
    found["cost_verified_micros"] = made["cost"].where(verified, 0)
    return found


def bins_of(ms: pd.Series) -> pd.Series:
    """As packing.bin_of, but from the bounds of the bins, by searching: another way to the same."""
    return pd.Series(
        np.clip(np.searchsorted(np.round(packing.UPPER_MS, 6), ms), 0, BINS - 1), index=ms.index
    )


def cells(made: pd.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    """All that Redis should hold: packed key, and what is in it."""
    keys = Keys("sandbox")
    adds = truth(made)
    names = {
        Cube.CHANNEL: made["channel"],
        Cube.COUNTRY: made["channel"] + "/" + made["region"],
        Cube.CARRIER: made["channel"] + "/" + made["region"] + "/" + made["carrier"],
    }
    lost = made["final"] > 0
    code = pd.Series(np.array(CODES, dtype=object)[made["code"]], index=made.index)
    legs = {
        Leg.TTD: (made["delivered"] - made["requested"])[made["delivered"] > 0],
        Leg.TTV: (made["verified"] - made["requested"])[made["verified"] > 0],
        Leg.QUEUE: made["sent"] - made["queued"],
        Leg.CARRIER: (made["delivered"] - made["sent"])[made["delivered"] > 0],
    }
    found: dict[str, np.ndarray[Any, Any]] = {}

    def put(kind: str, tier: Tier, cube: Cube, table: pd.DataFrame, width: int) -> None:
        parts: Any = table.groupby(["name", "chunk"])
        for (name, chunk), part in parts:
            packed = np.zeros((tier.slots, width), dtype=np.int64)
            packed[part["slot"], part["column"]] = part["n"]
            found[keys.rollup(kind, tier, cube, str(name), int(chunk))] = packed

    for tier in Tier:
        places = pd.DataFrame(
            {
                "chunk": made["requested"] // tier.chunk_ms,
                "slot": made["requested"] % tier.chunk_ms // tier.slot_ms,
            }
        )
        for cube, name in names.items():
            by = [name.rename("name"), places["chunk"], places["slot"]]
            long: Any = adds.set_axis(range(len(COLUMNS)), axis=1).groupby(by).sum().stack()
            table = long.rename("n").rename_axis([*long.index.names[:3], "column"]).reset_index()
            put("c", tier, cube, table, len(COLUMNS))
        for leg, spans in legs.items():
            for cube, kept in layout.HISTOGRAMS[leg]:
                if kept is tier:
                    table = places.loc[spans.index].assign(
                        name=names[cube].loc[spans.index], column=bins_of(spans)
                    )
                    put(leg, tier, cube, _counted(table), BINS)
        for region in ("", None):
            where = made["region"] if region is None else ""
            name = made["channel"] + "/" + where + "/" + code
            put("e", tier, Cube.ERROR, _counted(places[lost].assign(name=name, column=0)), 1)
    return found


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby(["name", "chunk", "slot", "column"]).size().rename("n").reset_index()


def wrong_cells(url: str, expected: dict[str, np.ndarray[Any, Any]]) -> tuple[int, int]:
    """How many cells differ, and how many there are."""
    wrong = every = 0
    with redis.Redis.from_url(url) as raw:
        pattern = Keys("sandbox").rollup("*", "*", "*", "*", 0).replace(":0:", ":*:")
        held = {key.decode() for key in raw.scan_iter(pattern, count=1000)}
        for key in held | set(expected):
            kind, tier = key.split(f":{ROLLUP_LAYOUT}:")[1].split(":")[:2]
            packed = raw.get(key)
            decode = {"c": packing.decode_counters, "e": packing.decode_errors}.get(
                kind, packing.decode_histogram
            )
            values = decode(packed, Tier(tier))
            values = values.reshape(Tier(tier).slots, -1)
            right = expected.get(key, np.zeros_like(values))
            wrong += int((values != right).sum())
            every += values.size
    return wrong, every


def server_us(client: Any) -> tuple[int, int, float]:
    """Microseconds that the server spent in scripts, by the clock; how many it ran; and its
    processor time in all, microseconds, which depends less on what else the machine does."""
    stats = client.info("commandstats").get("cmdstat_evalsha", {"usec": 0, "calls": 0})
    told = client.info("cpu")
    cpu = float(told["used_cpu_user"]) + float(told["used_cpu_sys"])
    return int(stats["usec"]), int(stats["calls"]), 1e6 * cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=150_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    say = sys.stdout.write
    made = attempts(chosen.attempts, chosen.seed)
    numbers = np.arange(4 * len(made)).reshape(-1, 4)
    once = np.concatenate([numbers[:, :3].ravel(), numbers[made["verified"] > 0, 3]])
    twice = np.random.default_rng(chosen.seed).permutation(np.concatenate([once, once]))
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedRedis(Path(folder))
        url = embedded.start()
        try:
            with redis.Redis.from_url(url, decode_responses=True) as client:
                ledger_on(client).apply_all(requests(made))
                before = server_us(client)
                context = multiprocessing.get_context("spawn")
                ready = context.Barrier(chosen.processes)
                spent: Any = context.Queue()
                shares = np.array_split(twice, chosen.processes)
                running = [
                    context.Process(target=worker, args=(url, made, share, ready, spent))
                    for share in shares
                ]
                for process in running:
                    process.start()
                answers = [spent.get() for _ in running]
                for process in running:
                    process.join()
                after = server_us(client)
                wrong, every = wrong_cells(url, cells(made))
                orphans = sum(outcomes.get(EventOutcome.ORPHAN, 0) for _, _, outcomes in answers)
                sample = callbacks(made, shares[0][:50_000])
                alone = ledger_on(client)
                began = time.perf_counter()
                alone.apply_all(sample)
                alone_per_s = len(sample) / (time.perf_counter() - began)
                still_wrong, _ = wrong_cells(url, cells(made))
        finally:
            embedded.stop()
    slowest = max(seconds for seconds, _, _ in answers)
    per_process = len(twice) / chosen.processes / (sum(s for s, _, _ in answers) / len(answers))
    us = (after[0] - before[0]) / (after[1] - before[1])
    say(f"{len(twice):,} callbacks of {len(made):,} attempts in {slowest:.1f} s, ")
    say(f"{len(twice) / slowest:,.0f} a second by {chosen.processes} processes together\n")
    say(f"{orphans} orphans; {wrong + still_wrong} of {every:,} cells wrong\n")
    here = 1e6 * sum(cpu for _, cpu, _ in answers) / len(twice)
    say(f"of the processor {here:.1f} us an event in the processes, ")
    say(f"{(after[2] - before[2]) / len(twice):.1f} us in Redis\n")
    say(f"repeats by one process alone: {alone_per_s:,.0f} a second\n")
    say(f"goal: {GOAL:,} a second and process\n")
    figures = {
        "wrong_cells": wrong + still_wrong + orphans,
        "events_per_s": round(per_process),
        "server_us_per_event": round(us, 1),
    }
    say(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
