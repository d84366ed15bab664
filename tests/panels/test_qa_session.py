"""A checklist from the sandbox's table: what is seen agrees with what was expected."""

import pytest

from core.lab.sessions.checklist import PRESETS, items_of_endings, items_of_lines
from core.lab.sessions.model import ChecklistItem, Mark, TestSession
from core.model.grant import OPERATOR
from core.model.verification import SendResult
from core.model.way import Way
from core.panels.qa_session import Agreement, SessionLines, SessionReader
from core.sandbox.facts.endings import ENDINGS
from core.sandbox.facts.hangups import HANGUP_CAUSES, Phase
from core.wording.qa_session import progress_words
from tests.world import World, until


def items(at: World, ways: tuple[Way, ...], groups: tuple[str, ...] = ()) -> list[ChecklistItem]:
    table = at.services.endings.table()
    names = groups or tuple(group.name for group in table.groups)
    return items_of_endings(table.endings, names, ways)


def test_a_checklist_has_each_ending_by_each_way_that_it_affects(at: World) -> None:
    everything = items(at, PRESETS[-1].ways)
    assert len(everything) == sum(len(ending.channels) for ending in ENDINGS)
    delivered = items(at, PRESETS[0].ways, PRESETS[0].groups)
    assert [(item.ending, item.way) for item in delivered] == [
        *(("5555", way) for way in Way),
        ("0705", Way.SMS),
        ("0705", Way.PHLO_SMS),
    ]
    spam = next(item for item in everything if item.ending == "0030")
    assert (spam.title, spam.expected) == (
        "0030 Spam detected",
        "Sent, then undelivered (error 30)",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A code arrives", [("A code arrives", "")]),
        ("A => B\n\n  C=>D ", [("A", "B"), ("C", "D")]),
        ("- one\n* two\n3. three\n- [ ] four => 4", [
            ("one", ""), ("two", ""), ("three", ""), ("four", "4"),
        ]),
        ("=> only expected", [("", "only expected")]),
        (" \n\n", []),
    ],
)  # fmt: skip
def test_lines_become_items(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(item.title, item.expected) for item in items_of_lines(text)] == expected


def collected(at: World, session: TestSession, item: ChecklistItem, result: SendResult) -> None:
    """As the Verify page collects a send."""
    assert result.verification is not None
    at.services.test_sessions.collect(session.id, result.verification, item.id)


def read(at: World, session: TestSession) -> SessionLines:
    kept = at.services.test_sessions.find(session.id)
    assert kept is not None
    return SessionReader(at.services.verifications).read(kept, OPERATOR)


def agreements(at: World, session: TestSession) -> dict[str, Agreement]:
    lines = read(at, session).items
    return {f"{line.item.way} {line.item.ending}": line.agreement for line in lines}


@pytest.mark.parametrize("way", [Way.SMS, Way.VOICE, Way.PHLO_SMS], ids=lambda way: way.name)
def test_what_is_seen_of_every_ending_agrees_with_its_item(at: World, way: Way) -> None:
    """0804 and, of calls, what a person does at the phone, are left out: their attempts wait."""
    waits = {str(code) for code, cause in HANGUP_CAUSES.items() if cause.phase is Phase.ANSWERED}
    if way is Way.VOICE:
        waits |= {ending.suffix for ending in ENDINGS if ending.suffix[0] == "0"} - {"0402", "0500"}
        waits |= {"5555"}
    selected = [
        item for item in items(at, (way,)) if item.ending not in waits | {"0804", "0408", "0600"}
    ]
    sessions = at.services.test_sessions
    session = sessions.start("Everything", "Ada", "1")
    for item in sessions.add_items(session.id, selected):
        collected(at, session, item, at.start(at.number(item.ending), way))
    until(lambda: set(agreements(at, session).values()) == {Agreement.AGREES})
    assert len(agreements(at, session)) == len(selected)


def test_a_refused_send_and_a_wrong_ending_are_seen(at: World) -> None:
    sessions = at.services.test_sessions
    session = sessions.start("Smoke", "Ada", "1")
    spam, busy = (
        next(item for item in items(at, (way,)) if item.ending == ending)
        for ending, way in (("0030", Way.SMS), ("3010", Way.VOICE))
    )
    spam, busy, own = sessions.add_items(session.id, [spam, busy, ChecklistItem("", "By hand")])
    # Spam was expected, and the message arrives.
    collected(at, session, spam, at.start(at.number("5555")))
    collected(at, session, busy, at.start(at.number("3010"), Way.VOICE))
    verification = at.started(at.number())
    sessions.collect(session.id, verification)
    until(lambda: at.look(verification).attempts[0].state.is_final)
    at.services.verifications.check(verification, at.code(verification))

    def lines() -> SessionLines:
        return read(at, session)

    until(lambda: [line.agreement for line in lines().items] == ["differs", "agrees", ""])
    seen = [line.seen for line in lines().items]
    assert seen[0].startswith("Delivered after ")
    assert seen[1:] == ["Not reached: the line was busy (hangup cause 3010)", ""]
    assert [line.id for line in lines().in_no_item] == [f"{verification}-1"]
    assert lines().in_no_item[0].seen.endswith(", verified")
    sessions.assign(session.id, own.id, attempt=f"{verification}-1")
    assert lines().in_no_item == ()
    assert verification not in lines().pending
    # What was seen at the mark stays when the attempts are gone.
    sessions.mark(session.id, own.id, Mark.PASSED, lines().items[2].seen)
    at.http.delete("/sandbox/state", params={"what": "attempts"}).raise_for_status()
    assert lines().items[2].seen.endswith(", verified")
    assert not lines().items[2].is_kept
    assert progress_words(lines().session.progress) == "1 of 3: 1 passed"
