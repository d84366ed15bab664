"""Odd stored records: whatever bytes stand in one, the lists, the threads and the queues go on."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from core.alerts.records import AlertCheck
from core.figures.bulk import pack_bulk
from core.figures.journal_entries import ENTRY, JournalEntries, Place
from core.ledger.explorer import AttemptFilter
from core.ledger.journal import BULK
from core.ledger.ledger import EventOutcome
from core.model.attempt import AttemptEvent, EventKind, Source, State
from core.model.clock import to_ms
from core.panels.attempts import attempt_frame, event_table, facts, left_out_words
from core.store.keys import ROLLUP_LAYOUT
from core.verification.checking import EnteredCode
from core.verification.timeline import attempt_timeline
from core.webhooks.queue import DEAD_KEPT
from core.wording.formats import unreadable_words
from core.wording.verification import attempt_words
from tests.ledger.test_explorer import make
from tests.properties import sharing_fixtures
from tests.web.test_plivo import DELIVERED, path, post
from tests.webhooks.queue_process import ACCEPTED, QueueProcess
from tests.world import PATIENCE_SECONDS, MovableClock, World, until

FIELDS = (
    "channel",
    "mode",
    "state",
    "to_masked",
    "region",
    "carrier",
    "requested_ms",
    "delivered_ms",
    "units",
    "cost_micros",
    "origin",
    "rank",
    "booked",
    "reference",
    "error_code",
    "code_ms",
    "proof",
    "attempts",
)
#: Values that earlier versions stored, and values that no version stored.
STORED = st.sampled_from(
    [b"nan", b"-1", b"", b"253402300799000", b"9" * 30, b"9" * 5000, b"\xff\xfe", b"\0", b"1e9"]
) | st.binary(max_size=30)
ZONE = ZoneInfo("Pacific/Auckland")
PLACE = Place("sms", "DE", "O2", "", "")


def poison(at: World, attempt: str, fields: dict[str, bytes]) -> None:
    key = at.services.keys.attempt(attempt)
    at.services.client.hset(key, mapping=fields)  # type: ignore[attr-defined]


@pytest.fixture
def rest(at: World) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}
    with httpx.Client(
        base_url=f"{at.address}/api/v1", headers=headers, timeout=PATIENCE_SECONDS
    ) as client:
        yield client


@sharing_fixtures(100)
@given(
    st.dictionaries(st.sampled_from(FIELDS), STORED, min_size=1, max_size=4),
    st.binary(max_size=20),
)
@example({"units": b"nan", "delivered_ms": b"253402300799000"}, b"")
@example({"requested_ms": b"9" * 400}, b"")
@example({"state": b"?", "rank": b"?"}, b"")
def test_an_unreadable_record_does_not_break_a_list(
    at: World, client: redis.Redis, rest: httpx.Client, fields: dict[str, bytes], heard: bytes
) -> None:
    client.flushall()
    fine, odd, older = (make(at, n, state=EventKind.DELIVERED) for n in (1, 2, 3))
    poison(at, odd, fields)
    client.rpush(at.services.keys.history(odd), heard)
    answer = rest.get("/attempts", params={"limit": 50})
    assert answer.status_code == 200
    page = answer.json()
    ids = [one["id"] for one in page["attempts"]]
    assert ids in ([fine, odd, older], [fine, older])
    assert page["left_out"] == 3 - len(ids)
    assert rest.get(f"/attempts/{odd}").status_code in {200, 404}
    # The page's list and its single attempt.
    listed = at.services.explorer.page(AttemptFilter())
    assert len(attempt_frame(listed.attempts, ZONE)) == len(ids)
    for attempt in listed.attempts:
        facts(attempt), attempt_words(attempt), attempt_timeline(attempt)
        event_table(at.services.ledger.events(attempt.id), attempt, ZONE)
    at.services.queries.freshness()
    # Events of it and of the others, in one batch.
    now = at.clock.now()
    events = [AttemptEvent(one, EventKind.FAILED, now, Source.LOG) for one in (odd, fine)]
    assert at.services.ledger.apply_all(events).total() == 2
    assert at.services.ledger.apply(events[1]) is EventOutcome.REPEATED


def test_an_unreadable_record_is_counted_once_logged_once_and_reported(
    at: World, rest: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    odd, fine = make(at, 11), make(at, 12)
    poison(at, odd, {"channel": b"pigeon"})
    poison(at, fine, {"units": b"nan"})
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            at.services.explorer.page(AttemptFilter())
    lines = [record for record in caplog.records if "left out" in record.message]
    assert [record.message for record in lines] == ["record left out", "value left out"]
    assert lines[1].field == "units"  # type: ignore[attr-defined]
    counters = at.services.ledger.counters()
    assert (counters["unreadable_record"], counters["unreadable_value"]) == (1, 1)
    assert unreadable_words(counters).startswith("Left out today because they could not be read: 1")
    assert left_out_words(1).startswith("1 attempt of this page is left out")
    metrics = at.http.get(
        "/metrics", headers={"Authorization": f"Bearer {at.services.tokens.sandbox_token}"}
    )
    assert 'kind="unreadable_record"} 1' in metrics.text


def test_a_fold_skips_entries_of_the_journal_that_it_cannot_read(at: World) -> None:
    verification = at.started(at.number())
    client: Any = at.services.client
    for entry in ("nonsense", "a b c", f"{verification}-1 checked 99999999999999999999"):
        client.xadd(at.services.keys.journal, {"check": entry})
    for field in (ROLLUP_LAYOUT, "attribute", "other"):
        client.xadd(at.services.keys.journal, {field: "nonsense"})
    client.xadd(at.services.keys.journal, {ROLLUP_LAYOUT: "two", "other": "fields"})
    no_moment = np.zeros(1, dtype=ENTRY)
    no_moment["requested"] = np.nan
    client.xadd(at.services.keys.journal, {ROLLUP_LAYOUT: no_moment.tobytes() + b"sms"})
    for entries, places in ((np.zeros(1, dtype=ENTRY), []), (no_moment, [PLACE])):
        odd = JournalEntries(entries, np.array([0]), places)
        client.xadd(at.services.keys.journal, {BULK: pack_bulk(odd)})
    at.services.verifications.check(verification, at.code(verification))
    at.services.fold.settle()
    until(lambda: client.xlen(at.services.keys.journal) == 0)
    attempt_record = at.services.ledger.attempt(f"{verification}-1")
    assert attempt_record is not None
    assert EventKind.VERIFIED in attempt_record.moments


def test_the_poller_skips_an_unreadable_attempt(at: World) -> None:
    odd, fine = make(at, 1), make(at, 2)
    poison(at, odd, {"requested_ms": b"nan"})
    for one in (odd, fine):
        at.services.poller.schedule(one, timedelta())
    until(lambda: at.services.client.zscore(at.services.keys.polls, odd) is None)
    assert at.services.ledger.attempt(fine) is not None


def test_an_unreadable_verification_is_unknown(at: World) -> None:
    odd, fine = at.started(at.number()), at.started(at.number())
    key = at.services.keys.verification(odd)
    for field, value in (("expires_ms", "9" * 400), ("digits", "six"), ("attempts", "9" * 9)):
        at.services.client.hset(key, field, value)  # type: ignore[attr-defined]
        assert at.services.verifications.look(odd) is None
    assert at.services.verifications.look(fine) is not None
    results = at.services.verifications.check_all(
        [EnteredCode(odd, "123456"), EnteredCode(fine, at.code(fine))]
    )
    assert results[1].outcome == "approved"


@sharing_fixtures(100)
@given(st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b"null", b'{"direction": 5}']))
def test_an_unreadable_exchange_does_not_hide_the_others(
    at: World, client: redis.Redis, stored: bytes
) -> None:
    client.flushall()
    verification = "a" * 24
    key = at.services.keys.exchanges(verification)
    whole = (
        b'{"direction": "request", "at_ms": 1, "method": "GET", "url": "u", "sent": {}, '
        b'"status": 200, "answer": null, "span_ms": 1, "call": ""}'
    )
    for exchange in (whole, stored, whole):
        client.xadd(key, {"exchange": exchange})
    assert len(at.services.exchanges.of(verification)) == 2


@sharing_fixtures(60)
@given(
    st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b"null", b"5", b'{"type": 5}']),
    st.sampled_from([b"1", b"many", b"", b"-1", b"nan"]),
)
def test_an_event_that_cannot_be_read_becomes_a_dead_letter_and_the_others_are_sent(
    client: redis.Redis, facts: bytes, tries: bytes
) -> None:
    client.flushall()
    process = QueueProcess(client, MovableClock())
    process.start()
    now = to_ms(process.clock.now())
    client.zadd(process.keys.outbox, {"odd": now - 60_000})
    client.hset(process.keys.outbox_events, mapping={"odd": facts, "odd tries": tries})
    claims = process.outbox.claim(10)
    assert [claim.event.type for claim in claims] == ["verification.requested"]
    process.outbox.settle(claims[0], ACCEPTED)
    counts = process.outbox.counts()
    assert (counts.waiting, counts.delivered_today, counts.dead) == (0, 1, 1)
    # It can be looked at in Redis; the list shows those that can be read.
    assert process.outbox.dead_letters(DEAD_KEPT) == []
    assert process.outbox.resend_all() == 1
    assert process.outbox.claim(10) == []
    assert process.outbox.counts().dead == 1


@pytest.mark.parametrize("stored", ["", "{}", "null", '{"minute": 1, "statuses": [1]}', "\0"])
def test_alerts_replace_an_unreadable_check(at: World, stored: str) -> None:
    alerts, keys = at.services.alerts, at.services.keys
    at.services.client.set(keys.alert_check, stored, nx=True, px=timedelta(minutes=1))
    at.services.client.xadd(keys.alert_history, {"transition": stored})  # type: ignore[attr-defined]
    assert alerts.history() == []
    assert alerts.current() == []
    alerts.check()
    AlertCheck.from_json(at.services.client.get(keys.alert_check))


@pytest.mark.parametrize("stored", ["", "a b c d", "a read 1 nan", "a read 1 253402300799000000"])
def test_an_unreadable_token_gives_no_access_and_the_others_still_do(
    at: World, stored: str
) -> None:
    tokens = at.services.tokens
    at.services.client.hset(at.services.keys.tokens, "odd", stored)  # type: ignore[attr-defined]
    assert [token.name for token in tokens.all()] == []


@pytest.mark.parametrize("name", ["cursor", "outcome", "rows", "left_ms", "windows"])
def test_the_status_of_the_logs_is_read_without_its_unreadable_fields(at: World, name: str) -> None:
    for odd in ("nan", "", "253402300799000000", "-1"):
        at.services.client.hset(at.services.keys.logs, name, odd)  # type: ignore[attr-defined]
        at.services.log_sync.status()


@pytest.mark.parametrize(
    "odd",
    [
        {
            "Units": "nan",
            "TotalAmount": "-1",
            "MCC": "\0",
            "DeliveryReportTime": "9999-12-31 23:59:59",
        },
        {"DeliveryReportTime": "0000-00-00 00:00:00", "QueuedTime": "x", "MessageUUID": "a\0b"},
        {"ErrorCode": "[]", "Units": "9" * 5000, "MNC": "😀"},
    ],
)
def test_an_unusual_callback_is_accepted_and_its_delivery_is_stored(
    at: World, odd: dict[str, str]
) -> None:
    # Each thing is counted once: an attempt of its own for each case.
    attempt = make(at, len(str(odd)))
    assert post(at, path(at, attempt), DELIVERED | odd).status_code == 204
    attempt_record = at.services.ledger.attempt(attempt)
    assert attempt_record is not None
    assert attempt_record.state is State.DELIVERED
    assert abs(attempt_record.moments[EventKind.DELIVERED] - at.clock.now()) < timedelta(minutes=5)
    counters = at.services.ledger.counters()
    assert counters["unreadable_value"] == len(odd)
