"""The links, paths, commands, settings, routes and sandbox numbers in the documentation exist."""

import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.__main__ import COMMANDS, main
from core.cli.endings import full_table, summary_table
from core.panels.api import handset, walk_through
from core.settings.settings import Settings
from core.web.rest.application import rest_api

PROJECT = Path(__file__).parents[1]
#: Every document of the repository but the history.
DOCUMENTS = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(path for room in ("core", "tests") for path in (PROJECT / room).rglob("README.md")),
]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
REST = (PROJECT / "core" / "web" / "rest" / "README.md").read_text(encoding="utf-8")
MADE_BY_USERS = {".streamlit/secrets.toml"}

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT))
)
SANDBOX = README.partition("## Sandbox numbers")[2].partition("\n## ")[0]


def rows(section: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_setting_is_in_its_readme_and_nothing_else_is() -> None:
    settings = (PROJECT / "core" / "settings" / "README.md").read_text(encoding="utf-8")
    named = {name for row in rows(settings) for name in re.findall(r"`([A-Z_0-9]+)`", row[0])}
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_tables_of_endings_are_those_that_the_command_prints() -> None:
    assert f"\n\n{summary_table()}\n" in SANDBOX
    sandbox = (PROJECT / "core" / "sandbox" / "README.md").read_text(encoding="utf-8")
    assert f"\n\n{full_table()}\n" in sandbox


def test_both_commands_name_files_that_exist() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        for name in re.findall(r"[\w-]+\.(?:txt|py)\b", command):
            assert (PROJECT / name).exists(), name


def test_ci_runs_the_second_command_of_the_readme() -> None:
    ci = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    pattern = re.search(r"grep -m1 -- '([^']+)' README.md", ci)
    assert pattern is not None
    lines = [line for line in README.splitlines() if pattern[1] in line]
    assert lines[:1] == re.findall(r"^python3 -m venv .*pytest$", README, re.MULTILINE)


def test_the_walk_through_is_that_of_the_api_page() -> None:
    base = "http://localhost:8501"
    for step in (*walk_through(base), handset(base)):
        assert f"# {step.title}\n{step.lines}\n" in REST


def test_every_route_of_the_api_is_in_the_readme() -> None:
    section = REST.partition("## Routes")[2].partition("\n## ")[0]
    for path in rest_api(lambda: None).openapi()["paths"]:  # type: ignore[arg-type, return-value]
        last = path.rpartition("/")[2]
        word = last if last.isalpha() or "-" in last else path.split("/")[1]
        assert re.search(rf"\b{word}\b", section), path


def test_every_benchmark_has_its_measured_figure() -> None:
    benchmarks = (PROJECT / "tests" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    section = benchmarks.partition("## Measured")[2].partition("\n## ")[0]
    for cells in rows(section):
        assert not re.search(r"\b[A-Z_]{4,}\b", cells[1]), cells
        assert re.search(r"\d", cells[1]), cells


def test_the_task_bench_runs_every_benchmark_of_their_readme() -> None:
    benchmarks = (PROJECT / "tests" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\.venv/bin/(python -m tests\.benchmarks\..+)$", benchmarks, re.MULTILINE)
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    task = project["tool"]["poe"]["tasks"]["bench"]["sequence"]
    assert [step["cmd"] for step in task] == listed != []


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def exists(path: Path) -> bool:
    return path.exists() or str(path.relative_to(PROJECT)) in MADE_BY_USERS


def test_the_readme_has_under_150_lines() -> None:
    assert len(README.splitlines()) < 150


@each_document
def test_every_link_leads_to_a_file_and_its_heading(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert exists(target), link
        if anchor and target.exists():
            assert anchor in anchors(target), link


@each_document
def test_every_path_of_the_project_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:core|pages|tests|\.ci|\.streamlit)/[\w./*-]+)`", text):
        if "*" in path:
            assert list(PROJECT.glob(path)), path
        else:
            assert exists(PROJECT / path), path


def commands(document: Path, pattern: str) -> list[list[str]]:
    """The words after `pattern` in each command of the code blocks and of the inline code."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    named = [re.search(rf"(?:^|[ /]){pattern}\b(.*)", line) for line in lines]
    return [shlex.split(match[1], comments=True) for match in named if match]


@each_document
def test_every_command_of_the_product_exists_with_its_options(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, *words in filter(None, commands(document, "python -m core")):
        if command.startswith("<"):
            continue
        assert command in COMMANDS, command
        options = [word for word in words if word.startswith("--")]
        arguments = words[: words.index(options[0])] if options else words
        with pytest.raises(SystemExit) as ended:
            main([command, *arguments, "--help"])
        output = capsys.readouterr()
        assert ended.value.code == 0, output.err
        assert all(re.search(rf"{option}\b", output.out) for option in options), (command, options)


@each_document
def test_every_module_that_is_run_exists(document: Path) -> None:
    for module, *_ in commands(document, r"python -m (?=tests\.)"):
        assert find_spec(module), module
    for target, *_ in filter(None, commands(document, "uvicorn")):
        module, _, name = target.partition(":")
        spec = find_spec(module)
        assert spec is not None, target
        # Not imported: these modules start the application.
        assert re.search(rf"\b{name}\b", Path(str(spec.origin)).read_text("utf-8")), target


@each_document
def test_every_task_that_is_named_is_in_pyproject(document: Path) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    for task, *_ in filter(None, commands(document, "poe")):
        assert task in project["tool"]["poe"]["tasks"], task


@each_document
def test_every_test_that_is_named_exists(document: Path) -> None:
    for words in commands(document, "pytest"):
        for word in words:
            path, _, name = word.partition("::")
            if path.startswith("tests/"):
                assert exists(PROJECT / path), word
                assert f"def {name}" in (PROJECT / path).read_text() if name else True, word


def test_the_list_of_security_properties_is_that_of_the_tests() -> None:
    contributing = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = contributing.partition("## Security properties")[2].partition("\n## ")[0]
    listed = [row[0] for row in rows(section)]
    tested = {
        number
        for path in (PROJECT / "tests").rglob("test_*.py")
        for number in re.findall(r"def test_property_(\d+)_", path.read_text(encoding="utf-8"))
    }
    assert listed == sorted(tested)
