"""Finding single attempts."""

from datetime import timedelta

from core.delivery.attempt import AttemptEvent, EventKind, Source
from core.delivery.explorer import COLUMNS, Wanted, table
from tests.world import World


def make(at: World, n: int, *, state: EventKind | None = None, **record: str) -> str:
    """An attempt requested n seconds ago."""
    attempt = f"{'abcdefgh' * 2}{n:08}".replace("0", "a").replace("1", "b").replace("8", "c")
    attempt = attempt.replace("9", "d")[:24] + "-1"
    at_ = at.clock.now() - timedelta(seconds=n)
    base = {"channel": "sms", "mode": "sms", "to_masked": "+49 •", "region": "DE", "carrier": "O2"}
    ledger = at.services.ledger
    ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, at_, Source.APP, base | record))
    if state:
        said = {"error_code": "30"} if state is EventKind.UNDELIVERED else {}
        later = at_ + timedelta(seconds=2)
        ledger.apply(AttemptEvent(attempt, state, later, Source.CALLBACK, said))
    return attempt


def test_pages_follow_each_other_newest_first_and_miss_nothing(at: World) -> None:
    made = [make(at, n) for n in range(1, 24)]
    explorer, found, before = at.services.explorer, [], None
    while True:
        listed = explorer.page(Wanted(), before, size=5)
        found += [one.id for one in listed.attempts]
        before = listed.before_ms
        if before is None:
            break
    assert found == made


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
    (attempt,) = explorer.find(verification)
    assert explorer.find(attempt.id) == explorer.find(attempt.reference.upper()) == [attempt]
    index = at.services.keyring.index("number", number)
    assert [one.id for one in explorer.of_number(index)] == [attempt.id]
    assert explorer.find("nothing of ours") == []


def test_the_table_has_its_columns_also_when_it_is_empty(at: World) -> None:
    assert list(table([]).columns) == list(COLUMNS)
    make(at, 1, state=EventKind.DELIVERED)
    shown = table(at.services.explorer.page(Wanted()).attempts)
    assert shown["seconds"].tolist() == [2.0]
