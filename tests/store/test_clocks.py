"""The clocks of the application and of Redis differ: keys have their end and their length."""

import logging
import re
from datetime import timedelta

import pytest
import redis

from core.figures.catalogue import Leg
from core.figures.layout import Tier
from core.figures.packing import COUNTER_KIND, ERROR_KIND, LEG_KINDS, SPARSE
from core.model.attempt import State
from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome
from core.store.keys import ROLLUP_LAYOUT
from tests.world import World, until

KINDS = {"c": COUNTER_KIND, "e": ERROR_KIND}
# Figures of a minute are kept for 2 days, of a quarter of an hour for 35, of a day for 400.
OFFSETS = [timedelta(days=days) for days in (-500, -40, -3, -0.04, 0.04, 3, 40, 500)]


def every_key_is_whole(client: redis.Redis, step: str) -> None:
    keys = list(client.scan_iter())
    assert keys, step
    for key in keys:
        assert client.pttl(key) > 0 or not client.exists(key), (step, key)
        if not re.search(rf":{ROLLUP_LAYOUT}:\w+:1\w+:", key):
            continue
        kind_name, tier = key.partition(f"{ROLLUP_LAYOUT}:")[2].split(":")[:2]
        kind = KINDS.get(kind_name) or LEG_KINDS[Leg(kind_name)]
        size = client.strlen(key)
        is_sparse = size <= kind.sparse_limit(Tier(tier)) and size % SPARSE.itemsize == 0
        assert size == kind.dense_bytes(Tier(tier)) or is_sparse, (step, key)
        assert client.pttl(key) <= Tier(tier).keep_ms + Tier(tier).chunk_ms, (step, key)


@pytest.mark.parametrize("offset", OFFSETS, ids=lambda offset: f"{offset.total_seconds():+.0f}s")
def test_whatever_the_clock_says_every_key_has_an_end_and_events_apply(
    at: World, client: redis.Redis, caplog: pytest.LogCaptureFixture, offset: timedelta
) -> None:
    at.clock.advance(offset)
    service = at.services.verifications
    verification = at.started(at.number())
    every_key_is_whole(client, "start")
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    every_key_is_whole(client, "delivered")
    service.check(verification, at.wrong_code(verification))
    at.clock.advance(31)
    service.resend(verification, grant=OPERATOR, seen=1)
    until(lambda: at.look(verification).attempts[1].state is State.DELIVERED)
    approved = service.check(verification, at.code(verification))
    assert approved.outcome is CheckOutcome.APPROVED
    at.services.fold.settle()
    every_key_is_whole(client, "approved")
    failed = at.started(at.number("0030"))
    until(lambda: at.look(failed).attempts[0].state.is_final)
    every_key_is_whole(client, "failed")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
