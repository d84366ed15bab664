"""How the machinery behind the figures does: what waits to be booked, and what Redis holds."""

from dataclasses import dataclass

from core.store.client import Client
from core.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`checks_waiting`: what people did with their codes and is not in the figures yet.
    `memory_bytes`: what Redis has taken for data; of a Cluster, the node that was asked."""

    checks_waiting: int
    memory_bytes: int


def read_pipeline(client: Client, keys: Keys) -> Pipeline:
    """Now. Raises StoreUnavailable."""
    with client.pipeline(transaction=False) as pipe:
        pipe.llen(keys.checks)
        (waiting,) = pipe.execute()
    memory = client.info("memory")
    return Pipeline(int(waiting), int(memory["used_memory"]))
