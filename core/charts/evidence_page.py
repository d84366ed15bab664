"""Draws the evidence of verifications as an HTML file that needs nothing else: no script, no other
file, no network."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

from core.charts.palette import DARK, LIGHT, Palette
from core.panels.evidence import AttemptEvidence, Evidence, cost_words, utc
from core.panels.exchanges import ExchangeLine
from core.verification.timeline import StepState, TimelineStep
from core.wording.formats import duration
from core.wording.marks import STATE_MARKS, VERIFIED, VERIFIED_COLOUR

_STYLE = Path(__file__).with_name("evidence.css").read_text("utf-8")
# The file may load nothing and run nothing, whatever the texts in it contain.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MARKS = {
    StepState.DONE: STATE_MARKS["delivered"],
    StepState.NOW: STATE_MARKS["pending"],
    StepState.WAITING: STATE_MARKS["pending"],
    StepState.BAD: STATE_MARKS["failed"],
    StepState.UNCLEAR: STATE_MARKS["unclear"],
    StepState.UNKNOWN: STATE_MARKS["unreported"],
    StepState.UNDELIVERED: STATE_MARKS["undelivered"],
    StepState.FAILED: STATE_MARKS["failed"],
    StepState.REJECTED: STATE_MARKS["rejected"],
}
#: Tabs that show what was sent and answered; the others are ways to send it again.
_SHOWN_TABS = {"Body", "XML"}


def evidence_page(title: str, evidence: Sequence[Evidence]) -> str:
    """A file with a part for each verification."""
    return html_document(title, "\n".join(evidence_part(each) for each in evidence))


def html_document(title: str, body: str, style: str = "") -> str:
    """A file with this title and body; `style` is added to that of the evidence."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_colours()}{_STYLE}{style}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def evidence_part(evidence: Evidence) -> str:
    """One verification, as an element of `evidence_page`."""
    words = evidence.words
    mode = "sandbox" if evidence.is_simulated else "live"
    sign = f"{words.mark} " if words.mark else ""
    detail = f"<p>{escape(words.detail)}</p>" if words.detail else ""
    note = "All of it is simulated. " if evidence.is_simulated else ""
    facts = {
        "Number": evidence.to_masked,
        "Country": evidence.country,
        "Carrier by the numbering plan": evidence.carrier,
        "Sent as": ", ".join(each.row.label for each in evidence.attempts),
        "Cost": evidence.cost_words,
        "Started": moment_words(evidence.started_at),
        "Verified": moment_words(evidence.verified_at),
        "Code valid until": moment_words(evidence.expires_at),
        "Tries left": str(evidence.checks_left),
        "Verification": evidence.id,
    }
    return "\n".join(
        (
            "<article>",
            f'<p><span class="mode {mode}">{"Sandbox" if evidence.is_simulated else "LIVE"}</span>'
            f'<span class="quiet">{note}As of {moment_words(evidence.taken_at)}. Times are in UTC.'
            "</span></p>",
            f"<h2>{escape(sign + words.headline)}</h2>{detail}",
            fact_list(facts),
            "<h3>Timeline</h3>",
            *(attempt_section(each) for each in evidence.attempts),
            "<h3>Exchanges with Plivo</h3>",
            exchange_table(evidence.lines),
            "</article>",
        )
    )


def fact_list(facts: dict[str, str]) -> str:
    """Names and values, without those that are not known."""
    pairs = (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
        if value
    )
    return f"<dl>{''.join(pairs)}</dl>"


def attempt_section(evidence: AttemptEvidence) -> str:
    """An attempt with its timeline."""
    attempt, row, words = evidence.attempt, evidence.row, evidence.words
    times = []
    if row.offset is not None and attempt.number > 1:
        times.append(f"{_seconds(row.offset)} after the start")
    if row.total is not None:
        times.append(f"{_seconds(row.total)} in all")
    known = {
        "Error": attempt.error_code,
        "Hangup cause": attempt.hangup_cause,
        "Cost": cost_words(attempt.cost_micros) if attempt.cost_micros else "",
        "Parts": str(attempt.units) if attempt.units and not attempt.way.is_call else "",
        "Network": f"{attempt.mcc}-{attempt.mnc}" if attempt.mcc else "",
        "Attempt": attempt.id,
        "Plivo's id": attempt.reference,
    }
    cause = f"<p>{escape(evidence.cause)}</p>" if evidence.cause else ""
    if evidence.chaos:
        cause += f"<p>By chaos of the sandbox: {escape(evidence.chaos)}</p>"
    steps = "".join(_step(step) for step in row.steps)
    return (
        f'<section class="attempt"><header><h4>{escape(row.label)}: {escape(words.mark)} '
        f'{escape(words.headline)}</h4><span class="quiet">{escape(", ".join(times))}</span>'
        f'</header>{cause}<ol class="steps">{steps}</ol>'
        f"{fact_list(known)}</section>"
    )


def _step(step: TimelineStep) -> str:
    mark = _MARKS.get(step.state)
    sign, colour = (mark.sign, mark.colour) if mark else (VERIFIED, VERIFIED_COLOUR)
    gap = "" if step.gap is None else f"+{_seconds(step.gap)}"
    at = f'<time datetime="{utc(step.at)}">{_time_of_day(step.at)}</time>' if step.at else ""
    if step.state in {StepState.NOW, StepState.WAITING}:
        at = '<span class="quiet">not reported</span>'
    notes = f'<span class="quiet">{escape(step.note)}</span>' if step.note else ""
    return (
        f'<li><b><span class="sign" style="--state: var(--{colour})" aria-hidden="true">{sign}'
        f'</span>{escape(step.label)}</b><span class="gap">{escape(gap)}</span>{at}{notes}</li>'
    )


def exchange_table(lines: Sequence[ExchangeLine]) -> str:
    if not lines:
        return '<p class="quiet">None was recorded.</p>'
    head = (
        '<tr><th class="figure">After</th><th></th><th>What</th><th>Status</th>'
        '<th class="figure">Took</th><th class="step">Step</th></tr>'
    )
    return f"<table><thead>{head}</thead><tbody>{''.join(map(_line, lines))}</tbody></table>"


def _line(line: ExchangeLine) -> str:
    text = "\n\n".join(tab.text for tab in line.tabs if tab.name in _SHOWN_TABS)
    direction = "→ Plivo" if line.is_request else "← Plivo"
    return (
        f'<tr class="line"><td class="figure">+{line.after_ms / 1000:.3f} s</td>'
        f"<td>{direction}</td><td>{escape(line.what)}</td><td>{escape(line.status)}</td>"
        f'<td class="figure">{line.span_ms} ms</td><td class="step">{escape(line.step_label)}</td>'
        f'</tr><tr><td></td><td colspan="5"><details><summary>Request and answer</summary>'
        f"<pre>{escape(text)}</pre></details></td></tr>"
    )


def _seconds(length: timedelta) -> str:
    """To the millisecond where that can matter."""
    if length < timedelta(seconds=100):
        return f"{length.total_seconds():.3f} s"
    return duration(length)


def moment_words(moment: datetime | None) -> str:
    """ "24 Nov 2026 12:04:30 UTC"."""
    return f"{moment:%d %b %Y %H:%M:%S} UTC" if moment else ""


def _time_of_day(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def _colours() -> str:
    return (
        f":root {{{_variables(LIGHT)} --raised: #F4F6F8}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{:root {{{_variables(DARK)} "
        "--raised: #172029}}\n"
        "@media print {:root {color-scheme: light}}\n"
    )


def _variables(palette: Palette) -> str:
    names = ("text", "quiet", "line", "ground")
    colours = {mark.colour for mark in STATE_MARKS.values()} | {VERIFIED_COLOUR}
    return "".join(f"--{name}: {getattr(palette, name)};" for name in (*names, *sorted(colours)))
