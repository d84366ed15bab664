"""`python -m core endings`: print the table of endings as Markdown, for the documentation."""

import argparse
import sys
from collections.abc import Iterable, Sequence

from core.sandbox.facts.effects import EffectChannel
from core.sandbox.facts.endings import ENDINGS, Ending, EndingGroup, EndingKind

#: How many endings of a group the summary names.
NAMED = 5


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Print the sandbox's table of endings as Markdown.",
    )
    parser.add_argument("--summary", action="store_true", help="one row for each group")
    options = parser.parse_args(arguments)
    sys.stdout.write(summary_table() if options.summary else full_table())


def summary_table() -> str:
    """The groups with some of their endings, for README.md."""
    rows = ["| ends in | group | what happens |", "|---|---|---|"]
    for group in EndingGroup:
        patterns = [ending.pattern for ending in ENDINGS if ending.group is group]
        names = ", ".join(patterns[:NAMED]) + (", …" if len(patterns) > NAMED else "")
        rows.append(f"| {names} | {group} | {group.summary} |")
    return _lines(rows)


def full_table() -> str:
    """Every ending, for the sandbox's README."""
    rows = ["| ends in | what it is | a message | a call |", "|---|---|---|---|"]
    for group in EndingGroup:
        rows.append(f"| **{group}** | | | |")
        rows += [_row(ending) for ending in ENDINGS if ending.group is group]
    return _lines(rows)


def _row(ending: Ending) -> str:
    cells = (_cell(ending, channel) for channel in EffectChannel)
    return f"| {ending.pattern} | {ending.title} | {' | '.join(cells)} |"


def _cell(ending: Ending, channel: EffectChannel) -> str:
    happens = ending.outcome(channel).happens
    if ending.kind is EndingKind.LATE and channel is EffectChannel.SMS:
        return "delivered SS seconds late"
    return happens if channel in ending.channels else "as usual"


def _lines(rows: Iterable[str]) -> str:
    return "".join(f"{row}\n" for row in rows)
