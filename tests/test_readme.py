"""What the README and the page say is true of what runs."""

import ast
import re
from pathlib import Path

import pytest

from core.panels.api import handset, walk_through
from core.sandbox.facts.outcomes import TABLE, EndingKind, outcome_of
from core.settings.settings import Settings
from core.web.rest.application import rest_api

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
SANDBOX = README.partition("## Sandbox numbers")[2].partition("\n## ")[0]


def rows(section: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_setting_is_in_the_readme_and_nothing_else_is() -> None:
    section = README.partition("## Going live")[2].partition("\n## ")[0]
    named = {name for row in rows(section) for name in re.findall(r"`([A-Z_0-9]+)`", row[0])}
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.example)
def test_every_row_of_the_sandbox_is_in_the_readme(row: object) -> None:
    example, kind = row.example, row.kind  # type: ignore[attr-defined]
    if kind is EndingKind.NORMAL:
        assert any(cells[0] == "anything else" for cells in rows(SANDBOX))
        return
    written = {ending for cells in rows(SANDBOX) for ending in cells[0].replace(",", " ").split()}
    pattern = {EndingKind.MESSAGE_ERROR: "0CCC", EndingKind.LATE: "07SS"}.get(kind, example)
    assert pattern in written


def test_every_ending_in_the_readme_does_what_its_row_says() -> None:
    """The endings of one row have one kind of outcome."""
    for cells in rows(SANDBOX):
        kinds = {outcome_of(ending).kind for ending in re.findall(r"\b\d{4}\b", cells[0])}
        assert len(kinds) <= 1, cells[0]
        assert EndingKind.NORMAL not in kinds, cells[0]


def test_every_ending_that_the_page_proposes_is_one_of_the_sandbox() -> None:
    page = ast.parse((PROJECT / "pages/components/verify/sandbox_tools.py").read_text("utf-8"))
    trials = next(
        ast.literal_eval(node.value)
        for node in page.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TRIALS"
    )
    assert len(trials) > 5
    for ending in trials:
        assert outcome_of(ending).kind is not EndingKind.NORMAL


def test_both_commands_name_files_that_are_there() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        for name in re.findall(r"[\w-]+\.(?:txt|py)\b", command):
            assert (PROJECT / name).exists(), name


def test_ci_runs_the_second_command_of_the_readme() -> None:
    ci = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    pattern = re.search(r"grep -m1 -- '([^']+)' README.md", ci)
    assert pattern is not None
    found = [line for line in README.splitlines() if pattern[1] in line]
    assert found[:1] == re.findall(r"^python3 -m venv .*pytest$", README, re.MULTILINE)


def test_the_walk_through_is_that_of_the_api_page() -> None:
    base = "http://localhost:8501"
    for step in (*walk_through(base), handset(base)):
        assert f"# {step.title}\n{step.lines}\n" in README


def test_every_route_of_the_api_is_in_the_readme() -> None:
    section = README.partition("## HTTP API")[2].partition("\n## ")[0]
    for path in rest_api(lambda: None).openapi()["paths"]:  # type: ignore[arg-type, return-value]
        last = path.rpartition("/")[2]
        word = last if last.isalpha() or "-" in last else path.split("/")[1]
        assert re.search(rf"\b{word}\b", section), path


def test_no_figure_is_left_to_be_filled_in() -> None:
    section = README.partition("## Measured")[2].partition("\n## ")[0]
    for cells in rows(section):
        assert not re.search(r"\b[A-Z_]{4,}\b", cells[1]), cells
        assert re.search(r"\d", cells[1]), cells
