"""The clocks of the application and of Redis differ: keys have their end and their length."""

import logging
from datetime import timedelta

import pytest
import redis

from core.figures.layout import ERROR_SLOT_BYTES, HISTOGRAM_SLOT_BYTES, Tier
from core.figures.packing import COUNTER_SLOT_BYTES
from core.ledger.ledger import EventOutcome
from core.model.attempt import AttemptEvent, EventKind, Source, State
from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome
from core.store.keys import ROLLUP_LAYOUT
from tests.world import World, until

SLOT_BYTES = {"c": COUNTER_SLOT_BYTES, "e": ERROR_SLOT_BYTES}
# Figures of a minute are kept for 2 days, of a quarter of an hour for 35, of a day for 400.
OFFSETS = [timedelta(days=days) for days in (-500, -40, -3, -0.04, 0.04, 3, 40, 500)]


def every_key_is_whole(client: redis.Redis, step: str) -> None:
    keys = list(client.scan_iter())
    assert keys, step
    for key in keys:
        assert client.pttl(key) > 0 or not client.exists(key), (step, key)
        if f"{ROLLUP_LAYOUT}:series" in key or ROLLUP_LAYOUT not in key:
            continue
        kind, tier = key.partition(f"{ROLLUP_LAYOUT}:")[2].split(":")[:2]
        slot = SLOT_BYTES.get(kind, HISTOGRAM_SLOT_BYTES)
        assert client.strlen(key) == slot * Tier(tier).slots, (step, key)
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
    at.services.ledger.book_checks()
    every_key_is_whole(client, "approved")
    failed = at.started(at.number("0030"))
    until(lambda: at.look(failed).attempts[0].state.is_final)
    every_key_is_whole(client, "failed")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_figures_that_an_older_version_left_without_end_and_length_are_mended(
    at: World, client: redis.Redis
) -> None:
    verification = at.started(at.number())
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    for key in client.scan_iter(match=f"*:{ROLLUP_LAYOUT}:[ce]:*"):
        # What a write at an offset makes of a key that was deleted at once.
        client.set(key, client.getrange(key, 0, 9))
    event = AttemptEvent(
        f"{verification}-1", EventKind.VERIFIED, at.clock.now(), Source.APP, {"units": "2"}
    )
    assert at.services.ledger.apply(event) is EventOutcome.APPLIED
    touched = [
        key for key in client.scan_iter(match=f"*:{ROLLUP_LAYOUT}:c:*") if client.strlen(key) > 10
    ]
    assert touched
    for key in touched:
        assert client.pttl(key) > 0, key
