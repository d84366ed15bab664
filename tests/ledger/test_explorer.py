"""Finding single attempts."""

from datetime import datetime, timedelta
from itertools import chain
from urllib.parse import quote

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from core.ledger.attempts import Entry
from core.ledger.explorer import COLUMNS, Wanted, table
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
    """The n-th attempt, requested n seconds ago, or at a moment."""
    attempt = f"{'abcdefgh' * 2}{n:08}".replace("0", "a").replace("1", "b").replace("8", "c")
    attempt = attempt.replace("9", "d")[:24] + "-1"
    at_ = when or at.clock.now() - timedelta(seconds=n)
    base = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": "DE", "carrier": "O2"}
    ledger = at.services.ledger
    ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, at_, Source.APP, base | record))
    if state:
        said = {"error_code": "30"} if state is EventKind.UNDELIVERED else {}
        later = at_ + timedelta(seconds=2)
        ledger.apply(AttemptEvent(attempt, state, later, Source.CALLBACK, said))
    return attempt


def paged(at: World, wanted: Wanted, size: int) -> list[list[str]]:
    """The ids of every page, by following the cursors."""
    pages, cursor = [], None
    while True:
        listed = at.services.explorer.page(wanted, cursor, size)
        pages.append([one.id for one in listed.attempts])
        cursor = listed.cursor
        if cursor is None:
            return pages


def test_pages_follow_each_other_newest_first_and_miss_nothing(at: World) -> None:
    made = [make(at, n) for n in range(1, 24)]
    assert list(chain(*paged(at, Wanted(), 5))) == made


@sharing_fixtures(20)
@given(
    moments=st.lists(st.integers(0, 3), min_size=1, max_size=24),
    size=st.integers(1, 9),
)
@example(moments=[0] * 24, size=5)
def test_pages_never_skip_nor_repeat_an_attempt_however_many_share_a_millisecond(
    at: World, client: redis.Redis, moments: list[int], size: int
) -> None:
    client.flushall()
    began = at.clock.now() - timedelta(seconds=1)
    made = [make(at, n, when=began + timedelta(milliseconds=ms)) for n, ms in enumerate(moments)]
    pages = paged(at, Wanted(), size)
    assert sorted(chain(*pages)) == sorted(made)
    assert all(len(page) == size for page in pages[:-1])
    assert pages[-1]


def test_a_page_goes_on_within_a_millisecond_that_holds_more_than_is_read_at_once(
    at: World, client: redis.Redis
) -> None:
    now = to_ms(at.clock.now())
    entries = {f"{letter * 24}-{n}": now for letter in "abc" for n in range(100, 600)}
    client.zadd(at.services.keys.recent, entries)
    found: list[Entry] = []
    while part := at.services.ledger.recent(found[-1] if found else None, 70):
        found += part
    assert [one.attempt for one in found] == sorted(entries, reverse=True)


def test_what_was_newest_may_go_while_somebody_pages(at: World) -> None:
    made = [make(at, n) for n in range(1, 9)]
    first = at.services.explorer.page(Wanted(), None, 3)
    at.services.client.zrem(at.services.keys.recent, made[2])
    second = at.services.explorer.page(Wanted(), first.cursor, 3)
    assert [one.id for one in second.attempts] == made[3:6]


def test_there_is_no_next_page_after_the_last_attempt(at: World) -> None:
    made = [make(at, n) for n in range(1, 7)]
    assert paged(at, Wanted(), 3) == [made[:3], made[3:]]


@pytest.mark.parametrize(
    "cursor", ["", "1732406400000", "12.abc-1", "x.abcdefghabcdefghabcdefgh-1", "١." + "a" * 24]
)
def test_what_is_no_cursor_is_refused(at: World, cursor: str) -> None:
    with pytest.raises(CursorRefused):
        at.services.explorer.page(Wanted(), cursor)


def test_a_cursor_may_stand_in_an_address_as_it_is(at: World) -> None:
    for n in range(1, 4):
        make(at, n)
    cursor = at.services.explorer.page(Wanted(), None, 1).cursor
    assert cursor is not None
    assert quote(cursor, safe="") == cursor
    assert len(cursor) < 50


def test_filters_leave_what_they_name(at: World) -> None:
    lost = make(at, 1, state=EventKind.UNDELIVERED)
    call = make(at, 2, channel="voice", mode="call", region="FR")
    explorer = at.services.explorer
    for wanted, expected in (
        (Wanted(state="undelivered"), [lost]),
        (Wanted(error="30"), [lost]),
        (Wanted(channel="voice"), [call]),
        (Wanted(country="FR"), [call]),
        (Wanted(country="FR", channel="sms"), []),
    ):
        assert [one.id for one in explorer.page(wanted).attempts] == expected


def test_an_attempt_is_found_by_all_that_people_may_know_of_it(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    explorer = at.services.explorer
    (attempt,) = explorer.find(verification).attempts
    # By its id: its callbacks may come between two looks.
    for known in (attempt.id, attempt.reference.upper()):
        assert [one.id for one in explorer.find(known).attempts] == [attempt.id]
    index = at.services.keyring.number_index(number)
    assert [one.id for one in explorer.of_number(index).attempts] == [attempt.id]
    assert explorer.find("nothing of ours").attempts == []


def test_a_delivery_before_the_request_is_no_time_and_says_that_clocks_differ(at: World) -> None:
    attempt = make(at, 1)
    early = at.clock.now() - timedelta(seconds=725)
    at.services.ledger.apply(AttemptEvent(attempt, EventKind.DELIVERED, early, Source.CALLBACK))
    shown = table(at.services.explorer.page(Wanted()).attempts)
    assert shown["seconds"].isna().tolist() == [True]
    assert shown["note"].tolist() == ["clocks differ"]


def test_the_table_has_its_columns_also_when_it_is_empty(at: World) -> None:
    assert list(table([]).columns) == list(COLUMNS)
    make(at, 1, state=EventKind.DELIVERED)
    shown = table(at.services.explorer.page(Wanted()).attempts)
    assert shown["seconds"].tolist() == [2.0]
