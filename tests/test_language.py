"""Names and texts in the code are plain: no vague identifiers, no words that are not technical
English, and no two classes of one name."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FILES = [path for root in ("core", "pages") for path in sorted((PROJECT / root).rglob("*.py"))]
#: Not allowed as a word of any name.
VAGUE = {"told", "tell", "tells", "said", "one"}
#: Not allowed as the whole name of a variable, a parameter, a function or a class: participles that
#: do not say what they hold. Fields may have them, since REST and CSV publish some.
PARTICIPLES = {
    *("asked", "chosen", "found", "given", "gone", "heard", "made", "shown", "taken", "wanted"),
}
#: Old-fashioned or literary words, which are not allowed in any text.
LITERARY = re.compile(
    r"\b(afresh|anew|everybody|lest|nobody|somebody|thereof|therein|thus|upon|whence|whilst|whoever)"
    r"\b|\b(at times|for good|now and then|once in a while)\b",
    re.IGNORECASE,
)
TEXTS = [
    path
    for root in ("core", "pages")
    for ending in ("py", "lua", "js", "css", "html", "md")
    for path in sorted((PROJECT / root).rglob(f"*.{ending}"))
] + sorted(PROJECT.glob("*.md"))
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


def definition_of(node: ast.AST) -> str | None:
    """The name that a node gives to a variable, a parameter, a function or a class."""
    match node:
        case ast.Name(ctx=ast.Store()):
            return node.id
        case ast.arg():
            return node.arg
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case _:
            return None


def fields_of_classes(tree: ast.AST) -> set[int]:
    """The nodes that name an annotated field of a class."""
    return {
        id(statement.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
    }


def vague_names(source: str) -> list[tuple[int, str]]:
    """The line and the text of each vague name in Python source."""
    tree = ast.parse(source)
    exempt = variables_of_comprehensions(tree)
    fields = fields_of_classes(tree)
    names = {
        (getattr(node, "lineno", 0), name)
        for node in ast.walk(tree)
        if id(node) not in exempt
        for name in names_of(node)
        if is_vague(name)
    }
    participles = {
        (getattr(node, "lineno", 0), name)
        for node in ast.walk(tree)
        if id(node) not in exempt | fields
        and (name := definition_of(node))
        and name.strip("_") in PARTICIPLES
    }
    return sorted(names | participles)


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


def test_participles_are_vague_as_names_of_variables_but_not_of_fields() -> None:
    source = "class Row:\n    heard: int\nfound = [each for each in 'ab']\ndef _asked(shown): ...\n"
    assert vague_names(source) == [(3, "found"), (4, "_asked"), (4, "shown")]


def test_no_text_has_a_literary_word() -> None:
    assert [
        (str(path.relative_to(PROJECT)), number, word[0])
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in LITERARY.finditer(line)
    ] == []


def test_no_two_classes_have_the_same_name() -> None:
    classes = Counter(
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in classes.items() if count > 1] == []
