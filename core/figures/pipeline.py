"""Reads the state of the pipeline behind the figures: checks not yet applied, and Redis memory."""

from dataclasses import dataclass

from core.store.client import Client
from core.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`checks_waiting`: entered codes that are not in the figures yet. `memory_bytes`: what Redis
    has allocated for data; of a Cluster, the node that answered."""

    checks_waiting: int
    memory_bytes: int


def read_pipeline(client: Client, keys: Keys) -> Pipeline:
    """The current state. Raises StoreUnavailable."""
    with client.pipeline(transaction=False) as pipe:
        pipe.llen(keys.checks)
        (waiting,) = pipe.execute()
    memory = client.info("memory")
    return Pipeline(int(waiting), int(memory["used_memory"]))
