"""The ledger when Redis is killed under load: it loses no applied event and counts none twice."""

import os
import signal
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import redis

from core.ledger.ledger import EventOutcome
from core.model.attempt import AttemptEvent
from core.model.errors import StoreUnavailable
from core.store.embedded import EmbeddedRedis
from core.store.redis_clients import ServerClient
from tests.benchmarks.ledger import (
    attempts,
    callbacks,
    cells,
    fold_on,
    ledger_on,
    requests,
    wrong_cells,
)
from tests.world import until

WRITERS = 3
KILLS = 3


def test_no_applied_event_is_lost_and_none_counts_twice_when_redis_is_killed(
    tmp_path: Path,
) -> None:
    made = attempts(300, seed=3)
    numbers = np.arange(4 * len(made)).reshape(-1, 4)
    once = np.concatenate([numbers[:, :3].ravel(), numbers[made["verified"] > 0, 3]])
    shares = np.array_split(np.random.default_rng(3).permutation(np.concatenate([once, once])), 3)
    outcomes: Counter[EventOutcome] = Counter()
    refused: list[StoreUnavailable] = []

    with EmbeddedRedis(tmp_path) as embedded:
        with redis.Redis.from_url(embedded.url, decode_responses=True) as client:
            ledger_on(client).apply_all(requests(made))

        def write(events: list[AttemptEvent]) -> None:
            with ServerClient.from_url(embedded.url, decode_responses=True) as own:
                ledger = ledger_on(own)
                for event in events:
                    while True:
                        try:
                            outcome = ledger.apply(event)
                        except StoreUnavailable as error:
                            # Plivo would repeat it too: whether it was applied is not known.
                            refused.append(error)
                            embedded.ensure()
                            continue
                        outcomes[outcome] += 1
                        break

        writers = [threading.Thread(target=write, args=(callbacks(made, s),)) for s in shares]
        for writer in writers:
            writer.start()
        event_count = sum(len(share) for share in shares)
        for kill in range(1, KILLS + 1):
            until(lambda kill=kill: sum(outcomes.values()) > event_count * kill / (KILLS + 2))  # type: ignore[misc]
            with redis.Redis.from_url(embedded.url) as client:
                os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
            until(lambda kill=kill: len(refused) >= kill)  # type: ignore[misc]
        for writer in writers:
            writer.join()
        embedded.ensure()
        fold_on(embedded.url).settle(60)
        wrong, every = wrong_cells(embedded.url, cells(made))

    assert sum(outcomes.values()) == event_count
    assert outcomes[EventOutcome.ORPHAN] == 0
    assert (wrong, every > 0) == (0, True)
