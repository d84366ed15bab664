"""Keys of widgets and of session state belong to one page: Streamlit keeps both over a change of
page, so a value of one page would meet a widget of another one."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGES = sorted((PROJECT / "pages").glob("*.py"))
_STATE_METHODS = {"get", "pop", "setdefault"}
#: State that pages share on purpose: the token of the browser, which is of no widget, and the
#: number that the QA page fills in on Verify, and what the check of access last found.
SHARED = {"gate_error", "last_gate", "tester_token", "verify_typed"}


def module_files() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (PROJECT / "pages").rglob("*.py")
    }


def used_files(page: Path) -> set[Path]:
    """The page's file, and all files under `pages/` that it imports, directly or not."""
    files = module_files()
    found, waiting = set(), [page]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            waiting += [files[name] for name in names if name in files]
    return found


def key_positions(trees: list[ast.Module]) -> dict[str, set[int]]:
    """The places of a parameter `key` of our functions, by name: two functions may share one."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [argument.arg for argument in node.args.args]
                if "key" in names:
                    found[node.name].add(names.index("key"))
    return found


def is_state(node: ast.expr) -> bool:
    """`st.session_state`, or the name `state` that a page gives it."""
    return (isinstance(node, ast.Attribute) and node.attr == "session_state") or (
        isinstance(node, ast.Name) and node.id == "state"
    )


def literals(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]


def module_constants(tree: ast.Module) -> dict[str, str]:
    """Texts that are assigned to names at the top of a module, in tuples too."""
    found: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    found.update((name.id, text) for text in literals(value, {}))
    return found


def keys_in(path: Path, positions: dict[str, set[int]]) -> set[str]:
    """The keys that a file names, of widgets and of session state."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = module_constants(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "key":
                    found |= set(literals(keyword.value, constants))
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            for place in positions.get(name, ()):
                if place < len(node.args):
                    found |= set(literals(node.args[place], constants))
            function = node.func
            if isinstance(function, ast.Attribute) and node.args:
                is_form = function.attr == "form"
                reads_state = function.attr in _STATE_METHODS and is_state(function.value)
                if is_form or reads_state:
                    found |= set(literals(node.args[0], constants))
        elif isinstance(node, ast.Subscript) and is_state(node.value):
            found |= set(literals(node.slice, constants))
        elif (
            isinstance(node, ast.Attribute)
            and is_state(node.value)
            and node.attr not in {*_STATE_METHODS, "to_dict"}
        ):
            found.add(node.attr)
    return found


@pytest.fixture(scope="module")
def keys_of_pages() -> dict[str, set[str]]:
    positions = key_positions(
        [ast.parse(path.read_text("utf-8")) for path in module_files().values()]
    )
    return {
        page.stem: set().union(*(keys_in(path, positions) for path in used_files(page)))
        for page in PAGES
    }


def test_no_key_is_used_by_two_pages(keys_of_pages: dict[str, set[str]]) -> None:
    pages_of_key = defaultdict(set)
    for page, keys in keys_of_pages.items():
        for key in keys:
            pages_of_key[key].add(page)
    assert {key for key, pages in pages_of_key.items() if len(pages) > 1} == SHARED


def test_the_keys_are_found_in_each_form(keys_of_pages: dict[str, set[str]]) -> None:
    """By name, by place, as the key of a form, by a constant, and in the session's state."""
    assert {"verify_channel", "verify_panel", "verify_last_send", "verify_notice"} <= keys_of_pages[
        "verify"
    ]
    assert {"channel", "country", "range", "clear_empty", "try_logs_again"} <= keys_of_pages[
        "delivery"
    ]
    found = keys_of_pages["attempts"]
    assert {"attempts_channel", "attempts_list", "attempts_find", "attempts_steps"} <= found
    assert "api_tokens" in keys_of_pages["api"]
