"""Test sessions in Redis: testers at once, TTLs, ends, and what a reset keeps."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis

from core.lab.sessions.model import ChecklistItem, Mark, RefusedSend, TestSession
from core.lab.sessions.recording import Recording, RecordingState
from core.lab.sessions.store import (
    MAX_FIELDS,
    MAX_ITEMS,
    MAX_NAME,
    MAX_NOTE,
    MAX_SESSIONS,
    TestSessions,
)
from core.model.errors import SessionRefused
from core.model.way import Way
from core.reset.kinds import ResetKind
from tests.world import World, second_process


@pytest.fixture
def sessions(at: World) -> TestSessions:
    return at.services.test_sessions


def started(sessions: TestSessions, *titles: str) -> TestSession:
    """A session with an item for each title."""
    session = sessions.start("Release 2.4", "Ada", "2.4.0-rc1")
    sessions.add_items(session.id, [ChecklistItem("", title) for title in titles])
    return read(sessions, session)


def read(sessions: TestSessions, session: TestSession) -> TestSession:
    found = sessions.find(session.id)
    assert found is not None
    return found


def test_a_session_is_read_as_it_was_written_also_by_another_process(
    at: World, sessions: TestSessions
) -> None:
    session = sessions.start("  Release 2.4 ", "Ada", "2.4.0-rc1")
    items = [
        ChecklistItem("", "Spam", "undelivered", Way.SMS, "0030", "undelivered", "30"),
        ChecklistItem("", "My own line"),
    ]
    first, second = sessions.add_items(session.id, items)
    sessions.mark(session.id, first.id, Mark.FAILED, "delivered")
    sessions.write_note(session.id, second.id, " a note\nof two lines ")
    sessions.collect(session.id, "v" * 24, second.id)
    refusal = sessions.collect_refusal(
        session.id,
        RefusedSend("", at.clock.now(), Way.VOICE, "+1 415 ••• ••23", "Too many.", "Wait."),
        first.id,
    )
    with second_process(at) as other:
        kept = read(other.test_sessions, session)
    assert (kept.name, kept.tester, kept.build) == ("Release 2.4", "Ada", "2.4.0-rc1")
    assert kept.started_at == session.started_at
    assert [item.title for item in kept.items] == ["Spam", "My own line"]
    assert (kept.items[0].way, kept.items[0].ending) == (Way.SMS, "0030")
    assert (kept.items[0].expected_state, kept.items[0].expected_code) == ("undelivered", "30")
    marked = kept.items[0].marked
    assert marked is not None
    assert (marked.mark, marked.seen) == (Mark.FAILED, "delivered")
    assert kept.items[1].note == "a note\nof two lines"
    assert (kept.items[0].refusal, kept.items[1].attempt) == (refusal.id, f"{'v' * 24}-1")
    assert kept.refusal(refusal.id) == kept.refusals[0]
    assert kept.unassigned == ()
    assert kept.unassigned_refusals == ()
    assert (kept.progress.items, kept.progress.failed, kept.progress.marked) == (2, 1, 1)


def test_testers_who_mark_at_once_lose_no_mark(at: World, sessions: TestSessions) -> None:
    session = started(sessions, *(f"Item {n}" for n in range(40)))
    marks = list(Mark)
    with second_process(at) as other, ThreadPoolExecutor(8) as pool:
        stores = (sessions, other.test_sessions)

        def work(n: int) -> None:
            item, store = session.items[n], stores[n % 2]
            store.mark(session.id, item.id, marks[n % 3])
            store.write_note(session.id, item.id, f"note {n}")
            store.collect(session.id, f"{n:024}", item.id)

        list(pool.map(work, range(40)))
    kept = read(sessions, session)
    assert [item.marked.mark for item in kept.items if item.marked] == [
        marks[n % 3] for n in range(40)
    ]
    assert [item.note for item in kept.items] == [f"note {n}" for n in range(40)]
    assert [item.attempt for item in kept.items] == [f"{n:024}-1" for n in range(40)]
    assert len(kept.verifications) == 40


def test_an_ended_session_is_not_changed_until_it_is_reopened(sessions: TestSessions) -> None:
    session = started(sessions, "Item")
    sessions.end(session.id)
    ended = read(sessions, session)
    assert not ended.is_open
    changes: list[Callable[[], None]] = [
        lambda: sessions.mark(session.id, session.items[0].id, Mark.PASSED),
        lambda: sessions.collect(session.id, "v" * 24),
        lambda: sessions.remove_item(session.id, session.items[0].id),
        lambda: sessions.end(session.id),
    ]
    for change in changes:
        with pytest.raises(SessionRefused, match="ended"):
            change()
    assert read(sessions, session) == ended
    sessions.reopen(session.id)
    sessions.mark(session.id, session.items[0].id, Mark.PASSED)
    assert read(sessions, session).progress.passed == 1


def test_a_deleted_session_is_not_written_again(
    sessions: TestSessions, client: redis.Redis
) -> None:
    session = started(sessions, "Item")
    sessions.delete(session.id)
    with pytest.raises(SessionRefused, match="does not exist"):
        sessions.mark(session.id, session.items[0].id, Mark.PASSED)
    assert sessions.find(session.id) is None
    assert sessions.newest(10) == []
    assert [key for key in client.scan_iter() if "test_session" in key] == []


def test_a_removed_item_takes_its_mark_and_note_and_keeps_its_verification(
    sessions: TestSessions,
) -> None:
    session = started(sessions, "First", "Second")
    item = session.items[0]
    sessions.collect(session.id, "v" * 24, item.id)
    sessions.mark(session.id, item.id, Mark.PASSED)
    sessions.remove_item(session.id, item.id)
    changes: list[Callable[[], None]] = [
        lambda: sessions.mark(session.id, item.id, Mark.PASSED),
        lambda: sessions.write_note(session.id, item.id, "late"),
        lambda: sessions.assign(session.id, item.id, attempt="x-1"),
    ]
    for change in changes:
        with pytest.raises(SessionRefused, match="removed"):
            change()
    # A verification for an item that a colleague removed meanwhile is collected all the same.
    sessions.collect(session.id, "w" * 24, item.id)
    kept = read(sessions, session)
    assert [each.title for each in kept.items] == ["Second"]
    assert [each.id[0] for each in kept.unassigned] == ["v", "w"]


def test_what_an_item_was_seen_on_can_be_replaced_and_removed(sessions: TestSessions) -> None:
    session = started(sessions, "Item")
    item = session.items[0]
    sessions.collect(session.id, "v" * 24)
    sessions.assign(session.id, item.id, attempt=f"{'v' * 24}-2")
    assert read(sessions, session).items[0].attempt == f"{'v' * 24}-2"
    assert read(sessions, session).unassigned == ()
    sessions.assign(session.id, item.id, refusal="0123")
    kept = read(sessions, session).items[0]
    assert (kept.attempt, kept.refusal) == ("", "0123")
    sessions.assign(session.id, item.id)
    assert read(sessions, session).items[0].refusal == ""


@pytest.mark.parametrize(
    ("texts", "cause"),
    [
        (("", "Ada", "1"), "A session needs a name."),
        (("Smoke", " \n ", "1"), "A session needs a tester."),
        (("Smoke", "Ada", ""), "A session needs the build under test."),
        (("x" * (MAX_NAME + 1), "Ada", "1"), "“x{30}…” has 81 characters, and 80 are possible"),
        (("a\x00b", "Ada", "1"), "cannot be shown"),
        (("a\u202eb", "Ada", "1"), r"“ab” has a character that cannot be shown \(U\+202E\)"),
    ],
)
def test_bad_input_gets_a_sentence_and_starts_nothing(
    sessions: TestSessions, texts: tuple[str, str, str], cause: str
) -> None:
    with pytest.raises(SessionRefused, match=cause):
        sessions.start(*texts)
    assert sessions.newest(10) == []


def test_pasted_and_international_texts_are_accepted(sessions: TestSessions) -> None:
    session = sessions.start("\ufeffSmoke\u00a0test\t2", "Ada 👩\u200d💻", "می\u200cخواهم")
    assert (session.name, session.tester) == ("Smoke test 2", "Ada 👩\u200d💻")
    assert session.build == "می\u200cخواهم"
    (item,) = sessions.add_items(session.id, [ChecklistItem("", "a\tb", "\u200bc\u00a0")])
    assert (item.title, item.expected) == ("a b", "c")


def test_too_much_is_refused_and_changes_nothing(sessions: TestSessions) -> None:
    session = started(sessions, "Item")
    with pytest.raises(SessionRefused, match="at most 2,000"):
        sessions.write_note(session.id, session.items[0].id, "x" * (MAX_NOTE + 1))
    with pytest.raises(SessionRefused, match="at most 500 items"):
        sessions.add_items(session.id, [ChecklistItem("", "One more")] * MAX_ITEMS)
    with pytest.raises(SessionRefused, match="needs a text"):
        sessions.add_items(session.id, [ChecklistItem("", "Good"), ChecklistItem("", " ")])
    assert read(sessions, session) == session


def test_every_key_has_a_ttl_which_each_change_renews(
    at: World, sessions: TestSessions, client: redis.Redis
) -> None:
    session = started(sessions, "Item")
    at.services.recordings.start(session.id, None)
    for key in client.scan_iter():
        assert client.pttl(key) > 0, key
    key = f"{{sandbox}}:v1:test_session:{session.id}"
    client.pexpire(key, 1000)
    sessions.mark(session.id, session.items[0].id, Mark.PASSED)
    sessions.reopen(session.id)
    assert client.ttl(key) > timedelta(days=89).total_seconds()


def test_sessions_are_listed_newest_first_without_those_that_expired(
    at: World, sessions: TestSessions, client: redis.Redis
) -> None:
    ids = []
    for name in ("first", "second", "third"):
        ids.append(sessions.start(name, "Ada", "1").id)
        at.clock.advance(1)
    assert [each.name for each in sessions.newest(2)] == ["third", "second"]
    client.delete(f"{{sandbox}}:v1:test_session:{ids[1]}")
    assert [each.name for each in sessions.newest(10)] == ["third", "first"]
    assert client.zcard("{sandbox}:v1:test_sessions") == 2


def test_a_session_that_is_still_changed_stays_listed(at: World, sessions: TestSessions) -> None:
    session = started(sessions, "Item")
    for _ in range(5):
        at.clock.advance(timedelta(days=80).total_seconds())
        sessions.write_note(session.id, session.items[0].id, "again")
    assert [each.id for each in sessions.newest(10)] == [session.id]
    assert [each.id for each in sessions.newest(10)] == [session.id]


def test_expired_sessions_leave_room_for_new_ones(
    sessions: TestSessions, client: redis.Redis
) -> None:
    listed = "{sandbox}:v1:test_sessions"
    client.zadd(listed, {f"expired-{n}": n for n in range(MAX_SESSIONS)})
    session = started(sessions, "Item")
    assert client.zrange(listed, 0, -1) == [session.id]
    key = "{sandbox}:v1:test_session:"
    about = client.hget(f"{key}{session.id}", "about")
    assert about is not None
    for n in range(MAX_SESSIONS):
        client.zadd(listed, {f"kept-{n}": n})
        client.hset(f"{key}kept-{n}", "about", about)
    with pytest.raises(SessionRefused, match="There are 500 sessions"):
        sessions.start("Smoke", "Ada", "1")


def test_a_reset_removes_sessions_only_by_name(at: World, sessions: TestSessions) -> None:
    session = started(sessions, "Item")
    sessions.mark(session.id, session.items[0].id, Mark.PASSED, "delivered")
    at.http.delete("/sandbox/state").raise_for_status()
    marked = read(sessions, session).items[0].marked
    assert marked is not None
    assert marked.seen == "delivered"
    answer = at.http.delete("/sandbox/state", params={"what": "test_sessions"})
    assert answer.json()["removed"] == {ResetKind.TEST_SESSIONS: 2}
    assert sessions.newest(10) == []


def test_each_browser_records_into_its_own_open_session(at: World, sessions: TestSessions) -> None:
    recordings = at.services.recordings
    one, other = (sessions.start(name, "Ada", "1") for name in ("one", "other"))
    token, other_token = recordings.start(one.id, None), recordings.start(other.id, None)
    with second_process(at) as process:
        found = process.recordings.find(token)
    assert found is not None
    assert (found.session, found.name) == (one.id, "one")
    assert recordings.find("forged") is None
    sessions.end(one.id)
    assert recordings.find(token) == Recording(one.id, "one", RecordingState.ENDED)
    sessions.reopen(one.id)
    assert recordings.find(token) == Recording(one.id, "one")
    assert recordings.start(other.id, token) == token
    assert recordings.find(token) == recordings.find(other_token)
    recordings.stop(token)
    assert recordings.find(token) is None
    sessions.delete(other.id)
    assert recordings.find(other_token) == Recording(other.id, "", RecordingState.DELETED)


def test_a_full_session_says_so_and_can_still_be_marked_and_ended(
    at: World, sessions: TestSessions, client: redis.Redis
) -> None:
    session = sessions.start("Smoke", "Ada", "1")
    (item,) = sessions.add_items(session.id, [ChecklistItem("", "First")])
    sessions.mark(session.id, item.id, Mark.FAILED)
    token = at.services.recordings.start(session.id, None)
    key = at.services.test_sessions._keys.test_session(session.id)
    missing = MAX_FIELDS - int(client.hlen(key))
    client.hset(key, mapping={f"verification:{number:024}": "1" for number in range(missing)})
    assert at.services.recordings.find(token) == Recording(session.id, "Smoke", RecordingState.FULL)
    with pytest.raises(SessionRefused, match="full"):
        sessions.collect(session.id, "v" * 24)
    sessions.mark(session.id, item.id, Mark.PASSED)
    sessions.end(session.id)
    kept = read(sessions, session)
    assert (kept.items[0].marked.mark if kept.items[0].marked else None, kept.is_open) == (
        Mark.PASSED,
        False,
    )
