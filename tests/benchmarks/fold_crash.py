"""The fold under faults: processes that die between any two steps, and a Redis that dies.

Callbacks of some attempts, each twice and shuffled, are applied while three processes fold at the
same time. Each fold's process dies, by SIGKILL, before or after one of its commands to Redis, and
another one takes its place. Then, with folds running, Redis itself is killed again and again: with
`appendfsync everysec`, with `always`, and with the end of its append-only file cut off each time,
as a power cut does. There, all callbacks are applied once more at the end, since some were lost.
Every cell of the figures is compared with what pandas adds up, as in the benchmark of the ledger.

    python -m tests.benchmarks.fold_crash --attempts 1500 --kills 6
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import redis

from core.figures.fold import Fold
from core.ledger.journal import CHECK
from core.model.attempt import AttemptEvent, EventKind
from core.model.clock import SystemClock, to_ms
from core.model.errors import StoreUnavailable
from core.store.keys import Keys
from core.store.redis_clients import ServerClient
from core.store.server_binary import find_server
from tests.benchmarks.ledger import attempts, callbacks, cells, ledger_on, requests, wrong_cells
from tests.world import until

FOLDS = 3
#: Entries of a fold: few, so that there are many.
MOST = 40
KEYS = Keys("sandbox")


class MortalClient(ServerClient):
    """Its process may die around a round trip: `may_die` is called before and after each."""

    may_die: Callable[[], None]

    def execute_command(self, *args: Any, **options: Any) -> Any:
        return self._mortal(super().execute_command, *args, **options)

    def pipeline(self, *args: Any, **options: Any) -> Any:
        pipeline = super().pipeline(*args, **options)
        pipeline.execute = partial(self._mortal, pipeline.execute)
        return pipeline

    def _mortal(self, command: Callable[..., Any], *args: Any, **options: Any) -> Any:
        self.may_die()
        answer = command(*args, **options)
        self.may_die()
        return answer


def fold_until(
    url: str, stop: Callable[[], bool], may_die: Callable[[], None] = lambda: None
) -> None:
    """Fold until there is nothing left after `stop`; Redis may be away for a while."""
    with (
        MortalClient.from_url(url) as raw,
        ServerClient.from_url(url, decode_responses=True) as client,
    ):
        raw.may_die = may_die
        fold = Fold(raw, KEYS, SystemClock(), ledger_on(client))
        while True:
            # Read before the fold: what was applied before it is then folded.
            is_last = stop()
            try:
                has_more = fold.fold(most=MOST).has_more
            except StoreUnavailable:
                continue
            if is_last and not has_more:
                return


@dataclass(frozen=True, slots=True)
class Workload:
    """Callbacks of attempts; every second check comes as an entry of the journal, as from the
    script of a check."""

    made: pd.DataFrame
    events: list[AttemptEvent]

    @classmethod
    def of(cls, count: int, seed: int) -> "Workload":
        made = attempts(count, seed)
        numbers = np.arange(4 * count).reshape(-1, 4)
        once = np.concatenate([numbers[:, :3].ravel(), numbers[made["verified"] > 0, 3]])
        twice = np.random.default_rng(seed).permutation(np.concatenate([once, once]))
        return cls(made, callbacks(made, twice))

    def request(self, url: str) -> None:
        with ServerClient.from_url(url, decode_responses=True) as client:
            ledger_on(client).apply_all(requests(self.made))

    def apply(self, url: str, batch: int = 40) -> None:
        """Apply all, each batch until Redis has confirmed it."""
        with ServerClient.from_url(url, decode_responses=True) as client:
            ledger = ledger_on(client)
            for at in range(0, len(self.events), batch):
                part = self.events[at : at + batch]
                checks = [e for e in part[::2] if e.kind is EventKind.VERIFIED]
                others = [e for e in part if not any(e is check for check in checks)]
                while True:
                    try:
                        ledger.apply_all(others)
                        for check in checks:
                            text = f"{check.attempt} {check.kind} {to_ms(check.at)}"
                            client.xadd(KEYS.journal, {CHECK: text})
                    except StoreUnavailable:
                        continue
                    break

    def wrong_cells(self, url: str) -> int:
        return wrong_cells(url, cells(self.made))[0]


class Server:
    """A Redis with an append-only file that can be killed and started again."""

    def __init__(self, folder: Path, appendfsync: str) -> None:
        self._folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self._options = ["--port", "0", "--unixsocket", str(folder / "redis.sock"), "--save", ""]
        self._options += ["--dir", str(folder), "--appendonly", "yes"]
        self._options += ["--appendfsync", appendfsync, "--aof-load-truncated", "yes"]
        self.start()

    def start(self) -> None:
        config = self._folder / "redis.conf"
        config.write_text("")
        self._process = subprocess.Popen(
            [str(find_server()), str(config), *self._options], stdout=subprocess.DEVNULL
        )
        with redis.Redis.from_url(self.url) as client:
            until(lambda: self._answers(client))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def cut(self, most: int, rng: random.Random) -> int:
        """Cut the end off the append-only file, as a power cut does; how many bytes."""
        files = [*self._folder.rglob("*.incr.aof"), *self._folder.glob("appendonly.aof")]
        size = files[-1].stat().st_size
        lost = rng.randrange(1, max(2, min(size, most)))
        os.truncate(files[-1], size - lost)
        return lost

    @staticmethod
    def _answers(client: redis.Redis) -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def killed_redis(
    folder: Path, appendfsync: str, work: Workload, kills: int, cut_bytes: int = 0, seed: int = 1
) -> int:
    """Wrong cells after Redis was killed so often while events were applied and folded."""
    rng = random.Random(seed)  # noqa: S311
    server = Server(folder, appendfsync)
    try:
        work.request(server.url)
        is_over = threading.Event()
        folds = [
            threading.Thread(target=fold_until, args=(server.url, is_over.is_set)) for _ in range(2)
        ]
        writer = threading.Thread(target=work.apply, args=(server.url,))
        for thread in (*folds, writer):
            thread.start()
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            for kill in range(1, kills + 1):
                applied = len(work.events) * kill // (2 * kills + 1)
                until(lambda applied=applied: _scripts_run(client) > applied // 40)  # type: ignore[misc]
                server.kill()
                if cut_bytes:
                    server.cut(cut_bytes, rng)
                server.start()
        writer.join()
        if cut_bytes:
            # Plivo's logs have what the file has lost.
            work.request(server.url)
            work.apply(server.url)
        is_over.set()
        for thread in folds:
            thread.join()
        return work.wrong_cells(server.url)
    finally:
        server.kill()


def _scripts_run(client: Any) -> int:
    """Of this start of the server; scripts of folds are among them."""
    return int(client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


def _mortal_fold(url: str, seed: int, is_over: Any) -> None:
    rng = random.Random(seed)  # noqa: S311

    def may_die() -> None:
        if not is_over.is_set() and rng.random() < 0.1:
            os.kill(os.getpid(), signal.SIGKILL)

    fold_until(url, is_over.is_set, may_die)


def killed_folds(folder: Path, work: Workload) -> tuple[int, int]:
    """Wrong cells, and how many processes of folds died, while events were applied."""
    context = get_context("fork")
    server = Server(folder, "everysec")
    try:
        work.request(server.url)
        is_over, deaths = context.Event(), 0

        def new_fold(number: int) -> Any:
            process = context.Process(target=_mortal_fold, args=(server.url, number, is_over))
            process.start()
            return process

        writer = context.Process(target=work.apply, args=(server.url, 10))
        folds = [new_fold(number) for number in range(FOLDS)]
        writer.start()
        while writer.is_alive():
            writer.join(0.01)
            for place, process in enumerate(folds):
                if process.exitcode is not None:
                    deaths += 1
                    folds[place] = new_fold(FOLDS + deaths)
        is_over.set()
        for process in folds:
            process.join()
        fold_until(server.url, lambda: True)
        return work.wrong_cells(server.url), deaths
    finally:
        server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=6, help="of Redis, in each run")
    parser.add_argument("--seed", type=int, default=3)
    chosen = parser.parse_args()
    say = sys.stdout.write
    work = Workload.of(chosen.attempts, chosen.seed)
    say(f"{len(work.events):,} callbacks of {chosen.attempts:,} attempts\n")
    with tempfile.TemporaryDirectory() as folder:
        wrong, deaths = killed_folds(Path(folder), work)
    say(f"{deaths} processes of folds killed: {wrong} wrong cells\n")
    figures = {"folds_killed": deaths, "wrong_cells": wrong}
    for appendfsync, cut_bytes in (("everysec", 0), ("always", 0), ("everysec", 200_000)):
        with tempfile.TemporaryDirectory() as folder:
            wrong = killed_redis(
                Path(folder), appendfsync, work, chosen.kills, cut_bytes, chosen.seed
            )
        what = f"appendfsync {appendfsync}" + (", its file cut" if cut_bytes else "")
        say(f"Redis killed {chosen.kills} times, {what}: {wrong} wrong cells\n")
        figures["wrong_cells"] += wrong
    say(json.dumps(figures) + "\n")
    if figures["wrong_cells"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
