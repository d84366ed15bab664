"""Draws the report of a test session as an HTML file that needs nothing else and prints well."""

from html import escape
from pathlib import Path

from core.charts.evidence_page import (
    attempt_section,
    exchange_table,
    fact_list,
    html_document,
    moment_words,
)
from core.lab.sessions.model import Mark
from core.model.attempt import State
from core.panels.qa_session import CollectedLine
from core.panels.session_report import ReportAttempt, ReportItem, SessionReport

_STYLE = Path(__file__).with_name("session.css").read_text("utf-8")
#: By mark: sign, word and colour, as in the checklist on the page.
_MARKS = {
    Mark.PASSED: ("✔", "Passed", "blue"),
    Mark.FAILED: ("✕", "Failed", "vermilion"),
    Mark.BLOCKED: ("■", "Blocked", "ochre"),
    None: ("◌", "Not run", "grey"),
}
_NOTHING = "\N{EN DASH}"


def session_page(report: SessionReport) -> str:
    """The whole file: the result of all items, then each item that was worked on with its attempt,
    then what is in no item."""
    session = report.session
    parts = [
        _result(report),
        _summary(report),
        *(_item(item, report) for item in report.items if _has_details(item)),
        _appendix(report),
    ]
    return html_document(f"{session.name}: test session", "\n".join(parts), _STYLE)


def _result(report: SessionReport) -> str:
    session, progress = report.session, report.session.progress
    counts = {
        Mark.PASSED: progress.passed,
        Mark.FAILED: progress.failed,
        Mark.BLOCKED: progress.blocked,
        None: report.not_run,
    }
    tally = "".join(
        f"<li><b>{count}</b> {_sign(mark)}{_MARKS[mark][1].lower()}</li>"
        for mark, count in counts.items()
    )
    mode = "sandbox" if report.is_simulated else "live"
    facts = {
        "Tester": session.tester,
        "Build under test": session.build,
        "Started": moment_words(session.started_at),
        "Ended": moment_words(session.ended_at) or "not yet",
        "Items": str(len(report.items)),
        "Session": session.id,
    }
    return (
        f'<p><span class="mode {mode}">{"Sandbox" if report.is_simulated else "LIVE"}</span>'
        f'<span class="quiet">As of {moment_words(report.taken_at)}. Times are in UTC. Codes and '
        "phone numbers are masked; what the tester wrote is not.</span></p>"
        f'<ul class="tally">{tally}</ul>{fact_list(facts)}'
    )


def _has_details(item: ReportItem) -> bool:
    """Whether there is more to say than the line of the result: not of an item that was not run."""
    checked = item.line.item
    return bool(item.mark or item.seen or checked.note or checked.attempt or checked.refusal)


def _titled(item: ReportItem) -> str:
    """Title and way: items of several ways have the same title."""
    way = f' <span class="quiet way">{escape(item.line.way)}</span>' if item.line.way else ""
    return f"{escape(item.line.item.title)}{way}"


def _linked(item: ReportItem) -> str:
    return (
        f'<a href="#item-{item.number}">{_titled(item)}</a>'
        if _has_details(item)
        else _titled(item)
    )


def _summary(report: SessionReport) -> str:
    if not report.items:
        return '<p class="quiet">The checklist of this session has no items.</p>'
    rows = "".join(
        f'<tr><td class="figure">{item.number}</td>'
        f"<td>{_linked(item)}</td>"
        f"<td>{escape(item.line.item.expected)}</td><td>{escape(item.seen) or _NOTHING}</td>"
        f'<td class="mark">{_marked(item.mark)}</td></tr>'
        for item in report.items
    )
    head = (
        '<tr><th class="figure">No.</th><th>Item</th><th>Expected</th><th>Seen</th><th>Mark</th>'
        "</tr>"
    )
    return (
        f'<h2 class="part">Result</h2><table class="summary"><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _item(item: ReportItem, report: SessionReport) -> str:
    checked = item.line.item
    words = item.line.agreement.words
    agreement = f'<p class="quiet">{words}</p>' if words else ""
    note = f'<p class="note">{escape(checked.note)}</p>' if checked.note else ""
    marked = checked.marked
    facts = {
        "Marked": f"{moment_words(marked.at)}, by {report.session.tester}" if marked else "",
    }
    return "\n".join(
        (
            f'<article class="item" id="item-{item.number}">',
            f'<header><h2 class="part">{item.number}. {_titled(item)}</h2>'
            f'<p class="mark">{_marked(item.mark)}</p></header>',
            '<div class="compared"><div><h3>Expected</h3>'
            f"<p>{escape(checked.expected) or _NOTHING}</p></div>"
            f"<div><h3>Seen</h3><p>{escape(item.seen) or 'Nothing was seen.'}</p>{agreement}"
            "</div></div>",
            note and f"<h3>Note</h3>{note}",
            fact_list(facts),
            _behind(item),
            "</article>",
        )
    )


def _behind(item: ReportItem) -> str:
    if item.attempt is not None:
        return _attempt(item.attempt)
    if not item.line.is_kept:
        return (
            '<p class="gone">The record of this attempt is no longer kept: attempts are kept for a '
            "shorter time than sessions. What was seen at the mark is above.</p>"
        )
    if item.line.item.refusal:
        return '<p class="quiet">The app refused this send, so there is no attempt.</p>'
    return '<p class="quiet">No attempt is assigned to this item.</p>'


def _attempt(attempt: ReportAttempt) -> str:
    evidence = attempt.evidence
    facts = {
        "Number": evidence.to_masked,
        "Country": evidence.country,
        "Carrier by the numbering plan": evidence.carrier,
        "Requested": moment_words(attempt.attempt.row.steps[0].at),
    }
    bubbles = "".join(f'<p class="bubble">{escape(text)}</p>' for text in attempt.texts)
    sent = attempt.attempt.attempt
    heading = "Message as shown" if sent.state is State.DELIVERED else "Message"
    if sent.way.is_call:
        heading = "What the call speaks"
    return "\n".join(
        (
            fact_list(facts),
            "<h3>Timeline</h3>",
            attempt_section(attempt.attempt),
            f"<h3>{heading}</h3>{bubbles}" if bubbles else "",
            "<h3>Exchanges with Plivo</h3>",
            exchange_table(attempt.lines),
        )
    )


def _appendix(report: SessionReport) -> str:
    if not report.others and not report.refusals:
        return ""
    refusals = "".join(_refusal(line) for line in report.refusals)
    attempts = "".join(
        f'<section class="other"><h3>{escape(each.seen)}</h3>{_attempt(each)}</section>'
        for each in report.others
    )
    return (
        '<article class="item"><h2 class="part">Appendix: collected, and in no item</h2>'
        + (f"<h3>Refused by the app</h3><ul>{refusals}</ul>" if refusals else "")
        + attempts
        + "</article>"
    )


def _refusal(line: CollectedLine) -> str:
    number = f" to {line.to_masked}" if line.to_masked else ""
    return f"<li>{escape(f'{moment_words(line.at)}: {line.way}{number}. {line.seen}')}</li>"


def _marked(mark: Mark | None) -> str:
    return f"{_sign(mark)}{_MARKS[mark][1]}"


def _sign(mark: Mark | None) -> str:
    sign, _, colour = _MARKS[mark]
    return f'<span class="sign" style="--state: var(--{colour})" aria-hidden="true">{sign}</span>'
