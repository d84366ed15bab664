"""Reads the state of the pipeline behind the figures: what the journal holds, and Redis memory."""

from dataclasses import dataclass
from datetime import timedelta

from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

#: Older entries than this show that no process folds: one folds every 250 ms.
LATE = timedelta(seconds=30)
_MOST_SEARCHED = 5_000


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`journal_length`: changes of attempts and checks that are not in the figures yet;
    `journal_age`: how long the oldest of them waits. `checks_waiting`: entered codes among the
    oldest 5,000. `memory_bytes`: what Redis has allocated for data; of a Cluster, the node that
    answered."""

    journal_length: int
    journal_age: timedelta
    checks_waiting: int
    memory_bytes: int

    @property
    def is_late(self) -> bool:
        """Whether the figures lag so far behind that something is wrong."""
        return self.journal_age > LATE


def read_pipeline(client: Client, keys: Keys) -> Pipeline:
    """The current state. Raises StoreUnavailable."""
    length, oldest, checks = Scripts(client).run(
        "journal_state", [keys.journal], {"most": _MOST_SEARCHED}
    )
    age = timedelta()
    if oldest:
        # The id of an entry is from the clock of Redis, which may differ from ours.
        now_micros = int(client.info("server")["server_time_usec"])
        age = timedelta(microseconds=max(0, now_micros - 1000 * int(oldest.partition("-")[0])))
    memory = client.info("memory")
    return Pipeline(length, age, checks, int(memory["used_memory"]))
