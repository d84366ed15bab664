"""Names in the code say what they hold: no vague identifiers, and no two classes of one name."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FILES = [path for root in ("core", "pages") for path in sorted((PROJECT / root).rglob("*.py"))]
VAGUE = {"told", "tell", "tells", "said", "one"}
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def room_of(path: Path) -> str:
    """The room of a file: `core/ledger`, `pages`."""
    parts = path.relative_to(PROJECT).parts
    return "/".join(parts[:2]).removesuffix(".py") if parts[0] == "core" else parts[0]


ROOMS = sorted({room_of(path) for path in FILES})


def is_vague(name: str) -> bool:
    """Whether a word of a snake_case name is vague."""
    return not VAGUE.isdisjoint(re.split(r"_+", name.lower()))


def names_of(node: ast.AST) -> Iterator[str]:
    """The identifiers that a node itself holds."""
    for field in ("id", "attr", "arg", "name", "asname"):
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield value
    if isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names


def variables_of_comprehensions(tree: ast.AST) -> set[int]:
    """The nodes that name a variable of the comprehension around them."""
    nodes = set()
    for node in ast.walk(tree):
        if isinstance(node, _COMPREHENSIONS):
            variables = {
                name.id
                for generator in node.generators
                for name in ast.walk(generator.target)
                if isinstance(name, ast.Name)
            }
            nodes |= {
                id(name)
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and name.id in variables
            }
    return nodes


def vague_names(source: str) -> list[tuple[int, str]]:
    """The line and the text of each vague name in Python source."""
    tree = ast.parse(source)
    exempt = variables_of_comprehensions(tree)
    return sorted(
        (getattr(node, "lineno", 0), name)
        for node in ast.walk(tree)
        if id(node) not in exempt
        for name in names_of(node)
        if is_vague(name)
    )


def vague_names_of(room: str) -> list[tuple[str, int, str]]:
    return [
        (str(path.relative_to(PROJECT)), line, name)
        for path in FILES
        if room_of(path) == room
        for line, name in vague_names(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_in_a_room_is_vague(room: str) -> None:
    assert vague_names_of(room) == []


def test_variables_of_comprehensions_are_exempt_and_other_names_are_not() -> None:
    source = "rows = [one for one in range(3)]\none = rows[0]\ndef tell(said, told_today): ...\n"
    assert vague_names(source) == [(2, "one"), (3, "said"), (3, "tell"), (3, "told_today")]


def test_no_two_classes_have_the_same_name() -> None:
    classes = Counter(
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in classes.items() if count > 1] == []
