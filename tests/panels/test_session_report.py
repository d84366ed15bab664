"""The report of a test session as HTML, JUnit XML and CSV: whole, masked, and readable offline."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from core.charts.session_page import session_page
from core.lab.sessions.model import ChecklistItem, ItemMark, Mark, RefusedSend, TestSession
from core.model.grant import OPERATOR
from core.model.way import Way
from core.panels.evidence import EvidenceReader
from core.panels.headings import heading
from core.panels.qa_session import ItemLine, SessionReader
from core.panels.session_files import SESSION_COLUMNS, junit_xml, session_csv
from core.panels.session_report import ReportItem, SessionReport, SessionReportReader, file_name
from core.reset.kinds import ResetKind
from tests.panels.test_evidence import START
from tests.properties import examples
from tests.test_leaks import journey
from tests.world import World

SCHEMA = etree.XMLSchema(file=str(Path(__file__).with_name("junit.xsd")))
WRITERS: tuple[Callable[[SessionReport], str], ...] = (
    session_page,
    lambda report: junit_xml(report).decode(),
    lambda report: session_csv(report).decode("utf-8-sig"),
)
SESSION = TestSession("a" * 20, "Release 2.4 <smoke> & more", 'Ada "A" O\'Neil', "2.4.0-rc1", START)


def item(number: int, **fields: object) -> ReportItem:
    """An item without an attempt."""
    checked = ChecklistItem(str(number), **{"title": f"Item {number}", **fields})  # type: ignore[arg-type]
    seen = checked.marked.seen if checked.marked else ""
    return ReportItem(number, ItemLine(checked, "SMS", seen), seen, None)


def report_of(*items: ReportItem, session: TestSession = SESSION) -> SessionReport:
    kept = replace(session, items=tuple(each.line.item for each in items))
    return SessionReport(kept, items, (), (), START + timedelta(hours=1), is_simulated=True)


def marked(mark: Mark, seen: str = "Delivered") -> ItemMark:
    return ItemMark(mark, START, seen)


def rows(report: SessionReport) -> list[dict[str, str]]:
    """The rows of the CSV file by SESSION_COLUMNS, the columns of its frame."""
    text = session_csv(report).decode("utf-8-sig")
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert header == [heading(name, "session") for name in SESSION_COLUMNS]
    return [dict(zip(SESSION_COLUMNS, line, strict=True)) for line in lines]


def reader(at: World) -> SessionReportReader:
    services = at.services
    return SessionReportReader(
        SessionReader(services.verifications),
        EvidenceReader(
            services.verifications, services.exchanges, services.settings, services.chaos
        ),
        services.clock,
        services.settings,
    )


def read(at: World, session: TestSession) -> SessionReport:
    kept = at.services.test_sessions.find(session.id)
    assert kept is not None
    return reader(at).read(kept, OPERATOR)


def test_a_report_of_real_attempts_is_whole_and_has_no_code_and_no_number(at: World) -> None:
    sessions = at.services.test_sessions
    session = sessions.start("Release 2.4", "Ada", "2.4.0-rc1")
    codes, numbers, ids = journey(at)
    *assigned, spare = ids
    items = sessions.add_items(
        session.id, [ChecklistItem("", f"Item {n}", "Delivered") for n in range(len(assigned) + 2)]
    )
    for checked, verification in zip(items, assigned, strict=False):
        sessions.collect(session.id, verification, checked.id)
    sessions.collect(session.id, spare)
    refusal = RefusedSend("", at.clock.now(), Way.SMS, "+1 ••• 23", "The budget is spent.", "Wait.")
    sessions.collect_refusal(session.id, refusal)
    sessions.mark(session.id, items[0].id, Mark.PASSED, "Delivered")
    sessions.mark(session.id, items[1].id, Mark.FAILED, "Not delivered")
    sessions.mark(session.id, items[-2].id, Mark.BLOCKED, "")
    own = "My phone is +49 170 9876543, my PIN 8765"
    sessions.write_note(session.id, items[1].id, own)

    report = read(at, session)
    page, xml, table = (write(report) for write in WRITERS)
    for text in (page, xml, table):
        for code, number in zip(codes, numbers, strict=True):
            assert number[2:] not in text
            assert not re.search(rf"(?<![\d.a-f]){code}(?![\da-f])", text)
            assert ", ".join(code) not in text
        # The tester's own text is not masked.
        assert own in text
        assert f"{assigned[0]}-1" in text
    assert "No attempt is assigned to this item." in page
    appendix = page.partition("Appendix")[2]
    assert f"{spare}-1" in appendix
    assert "The budget is spent" in appendix or "the budget is spent" in appendix
    # The message as it was shown, and what a call speaks, with the code masked.
    assert re.search(r'class="bubble">[^<]*••', page)
    assert "Your code is:" in page
    for words in ("Timeline", "Exchanges with Plivo", "spam", "POST Message", "Sandbox"):
        assert words in page
    assert not re.search(r"<(script|link|img|iframe|object)|\b(src)=|@import|url\(", page)
    # The last item was not run: its line in the result is all that there is to say.
    assert set(re.findall(r'href="([^"]*)"', page)) == {f"#item-{n}" for n in range(1, len(items))}
    assert page.count(f"Item {len(items) - 1}") == 1
    SCHEMA.assertValid(etree.fromstring(junit_xml(report)))
    assert [row["to_masked"] != "" for row in rows(report)] == [True] * len(assigned) + [False] * 2


def test_a_report_after_its_attempts_are_gone_says_so_and_keeps_what_was_seen(at: World) -> None:
    sessions = at.services.test_sessions
    session = sessions.start("Release 2.4", "Ada", "2.4.0-rc1")
    (checked,) = sessions.add_items(session.id, [ChecklistItem("", "A code arrives", "Delivered")])
    verification = at.started(at.number())
    sessions.collect(session.id, verification, checked.id)
    seen = "Rejected: 14155550123 is no number"
    sessions.mark(session.id, checked.id, Mark.FAILED, seen)
    at.services.reset.run(frozenset({ResetKind.ATTEMPTS}))
    report = read(at, session)
    page, xml, table = (write(report) for write in WRITERS)
    assert "no longer kept" in page
    assert "no longer kept" in xml
    assert rows(report)[0]["attempt_is_kept"] == "no"
    for text in (page, xml, table):
        assert "Rejected: " in text
        assert "14155550123" not in text


def test_marks_become_results_of_junit() -> None:
    report = report_of(
        item(1, marked=marked(Mark.PASSED)),
        item(2, marked=marked(Mark.FAILED, "Not delivered"), note="It never came"),
        item(3, marked=marked(Mark.BLOCKED), note="No phone"),
        item(4),
        item(5, marked=marked(Mark.FAILED, "Not delivered")),
    )
    root = etree.fromstring(junit_xml(report))
    SCHEMA.assertValid(root)
    suite = root.find("testsuite")
    assert suite is not None
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "2", "errors": "0", "skipped": "2"}
    results = [
        (result.tag, result.get("message"))
        for case in suite.findall("testcase")
        for result in case
        if result.tag != "system-out"
    ]
    assert results == [
        ("failure", "It never came"),
        ("skipped", "blocked: No phone"),
        ("skipped", "not run"),
        ("failure", "Not delivered"),
    ]
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert properties["build"] == SESSION.build
    assert properties["tester"] == SESSION.tester
    assert properties["session"] == SESSION.id


def test_an_empty_session_has_a_report() -> None:
    report = report_of()
    SCHEMA.assertValid(etree.fromstring(junit_xml(report)))
    assert rows(report) == []
    assert "has no items" in session_page(report)


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from([None, *Mark]))
@settings(max_examples=examples(60), deadline=None)
def test_any_text_of_a_tester_makes_a_valid_file(title: str, note: str, mark: Mark | None) -> None:
    checked = item(1, title=title, expected=note, note=note, marked=mark and marked(mark, title))
    session = replace(SESSION, name=title, tester=note)
    report = report_of(checked, session=session)
    SCHEMA.assertValid(etree.fromstring(junit_xml(report)))
    page = session_page(report)
    assert page.count("<h1>") == page.count("<html") == 1
    assert not re.search(r"<(?!/?[a-z0-9]+[\s>]|!doctype)", page.replace("<!doctype html>", ""))
    assert re.fullmatch(r"test-session-[a-z0-9-]+", file_name(session))
    (row,) = rows(report)
    assert row["number"] == "1"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "'="])
def test_a_text_that_could_start_a_formula_gets_an_apostrophe_in_csv(start: str) -> None:
    (row,) = rows(report_of(item(1, title=f"{start}1+1", note='äöü, "x"\n2')))
    assert row["item"] == f"'{start}1+1"
    assert row["note"] == 'äöü, "x"\n2'
    assert session_csv(report_of()).startswith(b"\xef\xbb\xbf")


def test_markup_of_a_tester_is_text_in_the_page() -> None:
    note = "<script>alert(1)</script><img src=x>"
    page = session_page(report_of(item(1, title=note, note=note, marked=marked(Mark.FAILED, note))))
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") >= 4
