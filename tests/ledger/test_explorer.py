"""The list of attempts: pages, filters, and the search by number or id."""

from datetime import datetime, timedelta
from itertools import chain
from urllib.parse import quote

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from core.ledger.attempts import Entry
from core.ledger.explorer import AttemptFilter
from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import to_ms
from core.model.errors import CursorRefused
from tests.properties import sharing_fixtures
from tests.world import World


def make(
    at: World,
    n: int,
    *,
    state: EventKind | None = None,
    when: datetime | None = None,
    **record: str,
) -> str:
    """Make the n-th attempt, requested n seconds ago, or at `when`."""
    attempt = f"{'abcdefgh' * 2}{n:08}".replace("0", "a").replace("1", "b").replace("8", "c")
    attempt = attempt.replace("9", "d")[:24] + "-1"
    at_ = when or at.clock.now() - timedelta(seconds=n)
    base = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": "DE", "carrier": "O2"}
    ledger = at.services.ledger
    ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, at_, Source.APP, base | record))
    if state:
        fields = {"error_code": "30"} if state is EventKind.UNDELIVERED else {}
        later = at_ + timedelta(seconds=2)
        ledger.apply(AttemptEvent(attempt, state, later, Source.CALLBACK, fields))
    return attempt


def paged(at: World, attempt_filter: AttemptFilter, size: int) -> list[list[str]]:
    """The ids of every page, by following the cursors."""
    pages, cursor = [], None
    while True:
        page = at.services.explorer.page(attempt_filter, cursor, size)
        pages.append([attempt.id for attempt in page.attempts])
        cursor = page.cursor
        if cursor is None:
            return pages


def test_pages_list_every_attempt_newest_first(at: World) -> None:
    made = [make(at, n) for n in range(1, 24)]
    assert list(chain(*paged(at, AttemptFilter(), 5))) == made


@sharing_fixtures(20)
@given(
    moments=st.lists(st.integers(0, 3), min_size=1, max_size=24),
    size=st.integers(1, 9),
)
@example(moments=[0] * 24, size=5)
def test_pages_never_skip_or_repeat_an_attempt_if_many_share_a_millisecond(
    at: World, client: redis.Redis, moments: list[int], size: int
) -> None:
    client.flushall()
    began = at.clock.now() - timedelta(seconds=1)
    made = [make(at, n, when=began + timedelta(milliseconds=ms)) for n, ms in enumerate(moments)]
    pages = paged(at, AttemptFilter(), size)
    assert sorted(chain(*pages)) == sorted(made)
    assert all(len(page) == size for page in pages[:-1])
    assert pages[-1]


def test_a_page_can_continue_within_a_millisecond_of_many_attempts(
    at: World, client: redis.Redis
) -> None:
    now = to_ms(at.clock.now())
    entries = {f"{letter * 24}-{n}": now for letter in "abc" for n in range(100, 600)}
    client.zadd(at.services.keys.recent, entries)
    listed: list[Entry] = []
    while part := at.services.ledger.recent(listed[-1] if listed else None, 70):
        listed += part
    assert [entry.attempt for entry in listed] == sorted(entries, reverse=True)


def test_the_next_page_is_exact_also_if_the_last_attempt_of_a_page_is_removed(at: World) -> None:
    made = [make(at, n) for n in range(1, 9)]
    first = at.services.explorer.page(AttemptFilter(), None, 3)
    at.services.client.zrem(at.services.keys.recent, made[2])
    second = at.services.explorer.page(AttemptFilter(), first.cursor, 3)
    assert [one.id for one in second.attempts] == made[3:6]


def test_there_is_no_next_page_after_the_last_attempt(at: World) -> None:
    made = [make(at, n) for n in range(1, 7)]
    assert paged(at, AttemptFilter(), 3) == [made[:3], made[3:]]


@pytest.mark.parametrize(
    "cursor", ["", "1732406400000", "12.abc-1", "x.abcdefghabcdefghabcdefgh-1", "١." + "a" * 24]
)
def test_a_malformed_cursor_is_refused(at: World, cursor: str) -> None:
    with pytest.raises(CursorRefused):
        at.services.explorer.page(AttemptFilter(), cursor)


def test_a_cursor_needs_no_encoding_in_a_url(at: World) -> None:
    for n in range(1, 4):
        make(at, n)
    cursor = at.services.explorer.page(AttemptFilter(), None, 1).cursor
    assert cursor is not None
    assert quote(cursor, safe="") == cursor
    assert len(cursor) < 50


def test_a_filter_selects_the_attempts_that_match(at: World) -> None:
    lost = make(at, 1, state=EventKind.UNDELIVERED)
    call = make(at, 2, channel="voice", mode="call", region="FR")
    explorer = at.services.explorer
    for attempt_filter, expected in (
        (AttemptFilter(state="undelivered"), [lost]),
        (AttemptFilter(error="30"), [lost]),
        (AttemptFilter(channel="voice"), [call]),
        (AttemptFilter(country="FR"), [call]),
        (AttemptFilter(country="FR", channel="sms"), []),
    ):
        assert [one.id for one in explorer.page(attempt_filter).attempts] == expected


def test_an_attempt_is_found_by_number_and_by_each_of_its_ids(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    explorer = at.services.explorer
    (attempt,) = explorer.find(verification).attempts
    # Compared by id, since a callback may change the attempt between two reads.
    for identifier in (attempt.id, attempt.reference.upper()):
        assert [one.id for one in explorer.find(identifier).attempts] == [attempt.id]
    index = at.services.keyring.number_index(number)
    assert [one.id for one in explorer.find_by_number(index).attempts] == [attempt.id]
    assert explorer.find("nothing of ours").attempts == []
