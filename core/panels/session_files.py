"""Writes the report of a test session for programs: JUnit XML and CSV."""

import re
import xml.etree.ElementTree as ET
from typing import Any

from core.lab.sessions.model import Mark
from core.panels.evidence import utc
from core.panels.session_report import ReportItem, SessionReport

#: What XML 1.0 cannot contain, also not escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOT_RUN = "not run"


def junit_xml(report: SessionReport) -> bytes:
    """One suite with a case for each item. Failed is a failure; blocked and not run are skipped,
    with a message. The time of a case is that of its attempt, from the request to its end."""
    session = report.session
    failed = session.progress.failed
    skipped = session.progress.blocked + report.not_run
    seconds = sum(item.attempt.seconds or 0 for item in report.items if item.attempt)
    counts = {
        "tests": str(len(report.items)),
        "failures": str(failed),
        "errors": "0",
        "time": f"{seconds:.3f}",
    }
    root = ET.Element("testsuites", {"name": _xml(session.name), **counts})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _xml(session.name),
            **counts,
            "skipped": str(skipped),
            "timestamp": f"{session.started_at:%Y-%m-%dT%H:%M:%S}",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in {
        "build": session.build,
        "tester": session.tester,
        "session": session.id,
        "started_at": utc(session.started_at) or "",
        "ended_at": utc(session.ended_at) or "",
        "reported_at": utc(report.taken_at) or "",
        "mode": "sandbox" if report.is_simulated else "live",
    }.items():
        ET.SubElement(properties, "property", {"name": name, "value": _xml(value)})
    for item in report.items:
        _add_case(suite, item, session.name)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add_case(suite: ET.Element, item: ReportItem, session: str) -> None:
    checked = item.line.item
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": _xml(item.line.way or session),
            "name": _xml(f"{item.number}. {checked.title}"),
            "time": f"{(item.attempt.seconds or 0) if item.attempt else 0:.3f}",
        },
    )
    if item.mark is Mark.FAILED:
        failure = ET.SubElement(
            case, "failure", {"type": "failed", "message": _xml(checked.note or item.seen)}
        )
        failure.text = _xml(_details(item))
    elif item.mark is Mark.BLOCKED:
        message = f"blocked: {checked.note}" if checked.note else "blocked"
        ET.SubElement(case, "skipped", {"message": _xml(message)})
    elif item.mark is None:
        ET.SubElement(case, "skipped", {"message": NOT_RUN})
    output = ET.SubElement(case, "system-out")
    output.text = _xml(_details(item))


def _details(item: ReportItem) -> str:
    checked = item.line.item
    facts = {
        "Expected": checked.expected,
        "Seen": item.seen,
        "Note": checked.note,
        "Marked": utc(checked.marked.at) or "" if checked.marked else "",
        "Attempt": checked.attempt + ("" if item.line.is_kept else " (no longer kept)"),
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items() if value.strip())


def session_csv(report: SessionReport) -> bytes:
    """A row for each item, as the CSV files of the other pages: UTF-8 with a byte-order mark, and
    an apostrophe before text that could start a formula."""
    # Loaded late: it loads pandas, and no page should wait for that.
    import pandas as pd

    from core.panels.export import csv_of

    rows = [_row(item, report) for item in report.items]
    return csv_of(pd.DataFrame(rows, columns=SESSION_COLUMNS), "session")


SESSION_COLUMNS = [
    "number", "item", "way", "expected", "seen", "agreement", "mark", "note", "marked_at",
    "session", "build", "tester", "attempt", "attempt_is_kept", "to_masked", "state",
    "error_code", "seconds", "cost_usd",
]  # fmt: skip


def _row(item: ReportItem, report: SessionReport) -> dict[str, Any]:
    checked, session = item.line.item, report.session
    attempt = item.attempt.attempt.attempt if item.attempt else None
    return {
        "number": item.number,
        "item": checked.title,
        "way": item.line.way,
        "expected": checked.expected,
        "seen": item.seen,
        "agreement": item.line.agreement.value,
        "mark": item.mark.value if item.mark else NOT_RUN,
        "note": checked.note,
        "marked_at": utc(checked.marked.at) if checked.marked else "",
        "session": session.name,
        "build": session.build,
        "tester": session.tester,
        "attempt": checked.attempt,
        "attempt_is_kept": "yes" if attempt else "no" if checked.attempt else "",
        "to_masked": attempt.to_masked if attempt else "",
        "state": attempt.state.value if attempt else "",
        "error_code": (attempt.error_code or attempt.hangup_cause) if attempt else "",
        "seconds": item.attempt.seconds if item.attempt else None,
        "cost_usd": attempt.cost_micros / 1_000_000 if attempt and attempt.cost_micros else None,
    }


def _xml(text: str) -> str:
    """Without the characters that XML cannot contain."""
    return _NOT_XML.sub("", text)
