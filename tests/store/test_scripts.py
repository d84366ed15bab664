"""Scripts that Redis has forgotten, in the middle of many runs."""

import threading
from typing import cast

import redis

from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts, script_names, source
from tests.world import until

KEYS = Keys("sandbox")
IDS = [f"v{n}" for n in range(3000)]


def _unknown(client: redis.Redis) -> int:
    """How often Redis has said since its start that it does not know a script."""
    told = client.info("errorstats").get("errorstat_NOSCRIPT", {"count": 0})
    return int(told["count"])


def _run_while_another_loads_it(client: redis.Redis) -> int:
    """Run a script for all of IDS, which another process loads once it is missed; for how many of
    them it was unknown. Each must say that it was the one to tell, which a second run could not."""
    with client.pipeline(transaction=False) as pipe:
        pipe.zadd(KEYS.expiries, dict.fromkeys(IDS, 1))
        for one in IDS:
            pipe.hset(KEYS.verification(one), "status", "pending")
            pipe.hset(KEYS.verification(one), "expires_ms", "1")
            pipe.hset(KEYS.verification(one), "attempts", "1")
        pipe.execute()
    client.script_flush()
    before = _unknown(client)

    def load() -> None:
        while _unknown(client) == before:
            pass
        client.script_load(source("expire_verification"))

    other = threading.Thread(target=load)
    other.start()
    queue = [KEYS.outbox, KEYS.outbox_events]
    results = Scripts(cast(Client, client)).run_all(
        "expire_verification",
        [
            ([KEYS.expiries, KEYS.verification(one), *queue], {"now_ms": 1, "verification": one})
            for one in IDS
        ],
    )
    other.join()
    assert results == [1] * len(IDS)
    return _unknown(client) - before


def test_what_ran_after_another_had_loaded_the_script_does_not_run_again(
    client: redis.Redis,
) -> None:
    # On a busy machine the other one may come too late, so that none ran: then once more.
    until(lambda: 0 < _run_while_another_loads_it(client) < len(IDS))


def test_every_script_but_those_of_the_embedded_server_checks_the_rights_first(
    client: redis.Redis,
) -> None:
    for name in script_names():
        check, _, script = source(name).partition("\nend\n")
        assert check.startswith("if redis.acl_check_cmd and not (")
        assert source(name, checks_rights=False) == script
        client.script_load(script)
