"""A million callbacks through the ledger, from several processes at once, against a ground truth.

150,000 attempts over 40 hours are written down first. Then their callbacks, each of them twice and
all of them shuffled, are applied by four processes at once, through the same `apply_all` that the
log sync and the sample traffic use, while one more process folds the journal every 250 ms. (A tenth
of them one process applies alone before.) What Redis holds afterwards is compared, cell by cell and
in every tier and cube, with what pandas adds up from the same events; a cell that Redis has and
pandas has not is wrong too. At the end some of the same events are applied once more, which must
change no cell.

Callbacks spread over 40 hours are the worst case of the fold: almost every one is in another slot.
`--ordered` applies them in the order in which they happened, as live traffic comes.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import redis

from core.figures import layout, packing
from core.figures.catalogue import COLUMNS, Leg
from core.figures.fold_worker import TICK, FoldWorker
from core.figures.layout import BINS, Cube, Tier
from core.ledger.ledger import EventOutcome, Ledger
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import SystemClock, from_ms, to_ms
from core.model.errors import StoreUnavailable
from core.model.series import UNKNOWN_CARRIER
from core.store.embedded import EmbeddedRedis
from core.store.keys import ROLLUP_LAYOUT, Keys
from core.store.redis_clients import ServerClient
from core.store.scripts import Scripts

GOAL, GOAL_US = 6_000, 45
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
KINDS = {
    kind.name: kind
    for kind in (packing.COUNTER_KIND, packing.ERROR_KIND, *packing.LEG_KINDS.values())
}
FINALS = (EventKind.DELIVERED, EventKind.UNDELIVERED, EventKind.FAILED)
CODES = ("30", "50", "900")


def attempts(n: int, seed: int) -> pd.DataFrame:
    """What becomes of n attempts: one row each, moments in Unix ms, -1 where there was none.

    One in seven follows the attempt of the row before it in the same verification, to the same
    number. `verified` is on the newest attempt of its verification, whichever one brought the code.
    """
    rng = np.random.default_rng(seed)
    now = to_ms(datetime.now(UTC))
    made = pd.DataFrame({"place": rng.integers(0, len(PLACES), n)})
    is_first = rng.random(n) < 6 / 7
    is_first[0] = True
    made["verification"] = is_first.cumsum() - 1
    rows = made.groupby("verification")
    made["number"] = rows.cumcount() + 1
    first = rows["place"].transform("first")
    for i, name in enumerate(("channel", "region", "carrier")):
        own = made["place"] if name == "channel" else first
        made[name] = np.array([place[i] for place in PLACES], dtype=object)[own]
    made["first_channel"] = rows["channel"].transform("first")
    began = now - rng.integers(3_600_000, 40 * 3_600_000, n)
    made["requested"] = pd.Series(began).groupby(made["verification"]).transform("first")
    made["requested"] += 30_000 * (made["number"] - 1)
    made["queued"] = made["requested"] + rng.integers(50, 900, n)
    made["sent"] = made["queued"] + rng.lognormal(7, 1, n).astype(np.int64)
    final = made["sent"] + rng.lognormal(8, 1, n).astype(np.int64)
    made["final"] = rng.choice(3, n, p=[0.9, 0.06, 0.04])
    made["code"] = rng.integers(0, len(CODES), n)
    for i, kind in enumerate(FINALS):
        made[kind.value] = np.where(made["final"] == i, final, -1)
    # Some codes come from an attempt that its receipt calls lost.
    arrived = rows["delivered"].transform("max") > 0
    entered = (rng.random(n) < np.where(arrived, 0.37, 0.1)) & (rows.cumcount(ascending=False) == 0)
    made["verified"] = np.where(entered, final + rng.integers(2_000, 60_000, n), -1)
    made["cost"] = rng.integers(3_000, 90_000, n)
    return made


def attempt_of(row: Any) -> str:
    return f"{row.verification:024}-{row.number}"


def origin_of(row: Any) -> str:
    if row.number == 1:
        return "first"
    return "resend" if row.channel == row.first_channel else "fallback"


def channel_mode(channel: str) -> str:
    return "call" if channel == "voice" else "sms"


def requests(made: pd.DataFrame) -> Iterator[AttemptEvent]:
    rows: list[Any] = list(made.itertuples())
    for row in rows:
        record = {
            "channel": row.channel,
            "mode": channel_mode(row.channel),
            "to_masked": "+1 •",
            "region": row.region,
            "carrier": row.carrier,
            "origin": origin_of(row),
        }
        yield AttemptEvent(
            attempt_of(row), EventKind.REQUESTED, from_ms(row.requested), Source.APP, record
        )


def callbacks(made: pd.DataFrame, which: np.ndarray[Any, Any]) -> list[AttemptEvent]:
    """The events with these numbers: attempt * 4 + 0 queued, 1 sent, 2 the end, 3 verified."""
    rows = made.to_dict("list")
    names = [attempt_of(row) for row in made.itertuples()]
    found = []
    for event in which:
        i, what = divmod(int(event), 4)
        attempt = names[i]
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


def fold_on(url: str) -> FoldWorker:
    """The fold of a process; its connections close with it."""
    client: Any = ServerClient.from_url(url, decode_responses=True)
    raw: Any = ServerClient.from_url(url)
    return FoldWorker(raw, Keys("sandbox"), SystemClock(), ledger_on(client))


def folding(url: str, ready: Barrier, stop: Any, spent: "multiprocessing.Queue[float]") -> None:
    """What one of the product's processes does beside: folds every 250 ms. Puts its processor time
    when all is folded."""
    fold = fold_on(url)
    fold_all(fold)
    ready.wait()
    began_cpu = time.process_time()
    while not stop.wait(TICK.total_seconds()):
        fold_all(fold)
    fold_all(fold)
    spent.put(time.process_time() - began_cpu)


def fold_all(fold: FoldWorker) -> None:
    """Fold what there is; on a busy machine Redis may be late for a while."""
    while True:
        try:
            # Without a turn: the last process that folded may keep it for two seconds.
            fold.settle(3600)
        except StoreUnavailable:
            continue
        return


def truth(made: pd.DataFrame) -> pd.DataFrame:
    """What each attempt adds to the figures: the columns of COLUMNS, worked out by pandas."""
    found = pd.DataFrame(0, index=made.index, columns=list(COLUMNS), dtype=np.int64)
    delivered, is_first = made["delivered"] > 0, made["number"] == 1
    took = made["delivered"] - made["requested"]
    found[["requested", "n_queue", "sent"]] = 1
    found["started"] = is_first.astype(np.int64)
    is_fallback = ~is_first & (made["channel"] != made["first_channel"])
    found["fallbacks"] = is_fallback.astype(np.int64)
    found["resends"] = (~is_first & ~is_fallback).astype(np.int64)
    by = made["verification"]
    code = code_of(made)
    # Who can have brought the code: those that did not end badly; if all did, any of them.
    able = delivered | ~delivered.groupby(by).transform("any")
    is_single = able.groupby(by).transform("sum") == 1
    sole, shared = (able & (code > 0) & one for one in (is_single, ~is_single))
    for kind in FINALS:
        found[kind.value] = (made[kind.value] > 0).astype(np.int64)
    found["units"] = found["priced"] = 1
    found["entered"] = (made["verified"] > 0).astype(np.int64)
    found["verified"] = sole.astype(np.int64)
    found["rescued"] = (sole & is_fallback).astype(np.int64)
    found["converted"] = (is_first & (code > 0)).astype(np.int64)
    found["unattributed"] = (is_first & (code > 0) & ~is_single).astype(np.int64)
    found["confirmed"] = (delivered | sole).astype(np.int64)
    for seconds in (10, 30, 60):
        found[f"within_{seconds}"] = (delivered & (took <= seconds * 1000)).astype(np.int64)
    found["queue_ms"] = made["sent"] - made["queued"]
    found["n_carrier"] = delivered.astype(np.int64)
    found["carrier_ms"] = (made["delivered"] - made["sent"]).where(delivered, 0)
    person = sole & delivered & (code >= made["delivered"])
    found["n_person"] = person.astype(np.int64)
    found["person_ms"] = (code - made["delivered"]).where(person, 0)
    found["cost_micros"] = made["cost"]
    found["cost_verified_micros"] = made["cost"].where(sole, 0)
    found["cost_unattributed_micros"] = made["cost"].where(shared, 0)
    return found


def code_of(made: pd.DataFrame) -> "pd.Series[int]":
    """When the right code of the verification of each attempt was entered, -1 for never."""
    code: pd.Series[int] = made.groupby("verification")["verified"].transform("max")
    return code


def times_to_verify(made: pd.DataFrame) -> "pd.Series[int]":
    """From the request of first attempts to the right code of their verifications."""
    code = code_of(made)
    return (code - made["requested"])[(made["number"] == 1) & (code > 0)]


def bins_of(ms: pd.Series) -> pd.Series:
    """As packing.bins_of, but from the bounds of the bins, by searching: an independent result."""
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
        Cube.CARRIER: made["channel"]
        + "/"
        + made["region"]
        + "/"
        + made["carrier"].replace("", UNKNOWN_CARRIER),
    }
    lost = made["final"] > 0
    code = pd.Series(np.array(CODES, dtype=object)[made["code"]], index=made.index)
    legs = {
        Leg.TTD: (made["delivered"] - made["requested"])[made["delivered"] > 0],
        Leg.TTV: times_to_verify(made),
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
        counted = tier in layout.TIERS
        places = pd.DataFrame(
            {
                "chunk": made["requested"] // tier.chunk_ms,
                "slot": made["requested"] % tier.chunk_ms // tier.slot_ms,
            }
        )
        for cube, name in names.items() if counted else ():
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
        for region in ("", None) if counted else ():
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
            name, tier = key.split(f":{ROLLUP_LAYOUT}:")[1].split(":")[:2]
            values = KINDS[name].decode(raw.get(key), Tier(tier))
            right = expected.get(key, np.zeros_like(values))
            wrong += int((values != right).sum())
            every += values.size
    return wrong, every


@dataclass(frozen=True, slots=True)
class ServerTime:
    """Microseconds of the server: `scripts` in scripts, by the clock; `processor` of its processor
    in all, which depends less on what else the machine does."""

    scripts: int
    processor: float

    @classmethod
    def read(cls, client: Any) -> "ServerTime":
        scripts = client.info("commandstats").get("cmdstat_evalsha", {"usec": 0})
        cpu = client.info("cpu")
        processor = float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])
        return cls(int(scripts["usec"]), 1e6 * processor)

    def since(self, before: "ServerTime") -> "ServerTime":
        return ServerTime(self.scripts - before.scripts, self.processor - before.processor)


@dataclass(frozen=True, slots=True)
class Run:
    """Events that some processes applied at the same time, while one more folded. Times in seconds:
    `slowest` and `mean` of a process by the clock, `cpu` of all of them, `fold_cpu` of the fold;
    `lag`: how long the fold took after the last event."""

    events: int
    slowest: float
    mean: float
    cpu: float
    fold_cpu: float
    lag: float
    orphans: int
    server: ServerTime


def run(url: str, made: pd.DataFrame, which: np.ndarray[Any, Any], processes: int) -> Run:
    """Apply these callbacks by so many processes at once."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Barrier(processes + 1), context.Event()
    spent: Any = context.Queue()
    fold_spent: Any = context.Queue()
    with redis.Redis.from_url(url, decode_responses=True) as client:
        before = ServerTime.read(client)
        fold = context.Process(target=folding, args=(url, ready, stop, fold_spent))
        workers = [
            context.Process(target=worker, args=(url, made, share, ready, spent))
            for share in np.array_split(which, processes)
        ]
        for process in (fold, *workers):
            process.start()
        answers = [spent.get() for _ in workers]
        stopped = time.perf_counter()
        stop.set()
        fold_cpu = fold_spent.get()
        lag = time.perf_counter() - stopped
        for process in (fold, *workers):
            process.join()
        server = ServerTime.read(client).since(before)
    seconds = [answer[0] for answer in answers]
    return Run(
        events=len(which),
        slowest=max(seconds),
        mean=sum(seconds) / len(seconds),
        cpu=sum(answer[1] for answer in answers),
        fold_cpu=fold_cpu,
        lag=lag,
        orphans=sum(answer[2].get(EventOutcome.ORPHAN, 0) for answer in answers),
        server=server,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=150_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--ordered", action="store_true", help="in the order of time")
    chosen = parser.parse_args()
    say = sys.stdout.write
    made = attempts(chosen.attempts, chosen.seed)
    numbers = np.arange(4 * len(made)).reshape(-1, 4)
    once = np.concatenate([numbers[:, :3].ravel(), numbers[made["verified"] > 0, 3]])
    twice = np.random.default_rng(chosen.seed).permutation(np.concatenate([once, once]))
    if chosen.ordered:
        ends = made[[kind.value for kind in FINALS]].max(axis=1)
        moments = np.stack([made["queued"], made["sent"], ends, made["verified"]], axis=1).ravel()
        twice = twice[np.argsort(moments[twice], kind="stable")]
    # One process alone takes the first tenth; the others the rest.
    first, rest = np.split(twice, [len(twice) // 10])
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedRedis(Path(folder))
        url = embedded.start()
        try:
            with redis.Redis.from_url(url, decode_responses=True) as client:
                ledger_on(client).apply_all(requests(made))
            fold_all(fold_on(url))
            alone = run(url, made, first, 1)
            together = run(url, made, rest, chosen.processes)
            wrong, every = wrong_cells(url, cells(made))
            # Once more: repeats change nothing.
            with redis.Redis.from_url(url, decode_responses=True) as client:
                ledger_on(client).apply_all(callbacks(made, twice[:50_000]))
            fold_all(fold_on(url))
            still_wrong, _ = wrong_cells(url, cells(made))
        finally:
            embedded.stop()
    orphans = alone.orphans + together.orphans
    say(f"{len(twice):,} callbacks of {len(made):,} attempts; {orphans} orphans; ")
    say(f"{wrong + still_wrong} of {every:,} cells wrong\n")
    for what, part in ((f"{chosen.processes} processes", together), ("one process", alone)):
        say(
            f"{what}: {part.events / part.slowest:,.0f} events a second, "
            f"fold {part.lag:.2f} s behind; "
        )
        say(f"us of the processor an event: {1e6 * part.cpu / part.events:.1f} in them, ")
        say(f"{part.server.processor / part.events:.1f} in Redis, the fold included, ")
        say(f"{1e6 * part.fold_cpu / part.events:.1f} in the fold's process\n")
    say(f"goals: {GOAL_US} us of Redis an event, {GOAL:,} events a second and process\n")
    figures = {
        "wrong_cells": wrong + still_wrong + orphans,
        "events_per_s": round(together.events / chosen.processes / together.mean),
        "server_us_per_event": round(together.server.scripts / together.events, 1),
        "events_per_s_alone": round(alone.events / alone.mean),
        "fold_lag_s": round(together.lag, 2),
    }
    say(json.dumps(figures) + "\n")
    if figures["wrong_cells"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
