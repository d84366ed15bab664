"""Imports between rooms follow the allowed directions."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
CORE = sorted((PROJECT / "core").rglob("*.py"))
PAGES = sorted((PROJECT / "pages").rglob("*.py"))

#: What each room of core may import of the others. `log.py` and `once.py` are below them all;
#: `wiring.py` and `reports.py` wire the rooms, `services.py` hands out what they have built.
ALLOWED = {
    "model": set(),
    "settings": {"model"},
    "background": {"model"},
    "store": {"model", "settings", "background"},
    "plivo": {"model", "settings"},
    "ledger": {"model", "store"},
    "figures": {"model", "store", "ledger"},
    "findings": {"model", "figures"},
    "alerts": {"model", "store", "figures", "findings", "background", "webhooks"},
    "access": {"model", "settings", "store"},
    "webhooks": {"model", "settings", "store", "background"},
    "tracking": {"model", "settings", "store", "plivo", "ledger"},
    "wording": {"model", "alerts", "figures", "findings", "lab", "webhooks"},
    "verification": {"model", "settings", "store", "plivo", "ledger", "tracking", "wording"},
    "sample": {"model", "store", "figures", "ledger"},
    "reset": {"model", "store", "lab"},
    "lab": {"model", "settings", "store"},
    "panels": {
        *("model", "settings", "access", "alerts", "figures", "findings", "lab", "ledger", "plivo"),
        *("sample", "verification", "webhooks", "wording"),
    },
    "charts": {"model", "figures", "lab", "panels", "verification", "wording"},
    "web": {
        *("model", "settings", "store", "access", "alerts", "figures", "findings", "lab"),
        *("ledger", "plivo", "reset", "tracking", "verification", "wording"),
        *("services", "wiring", "background"),
    },
    "sandbox": set(),
    "services": {
        *("model", "settings", "store", "access", "alerts", "figures", "findings", "ledger"),
        *("plivo", "lab", "reports", "reset", "sample", "tracking", "verification", "webhooks"),
        *("background", "panels"),
    },
    "wiring": {
        *("model", "settings", "store", "access", "alerts", "figures", "ledger", "services"),
        *("plivo", "lab", "reports", "reset", "sample", "tracking", "verification", "webhooks"),
        *("background", "panels", "wording"),
    },
    "reports": {"model", "store", "alerts", "figures", "findings", "ledger", "sample"},
    "cli": {
        *("model", "settings", "access", "reset", "sample", "sandbox", "tracking", "webhooks"),
        *("panels", "services", "wiring", "wording"),
    },
}


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes_of(path: Path) -> Iterator[ast.AST]:
    return ast.walk(tree_of(path))


@cache
def imported(path: Path) -> frozenset[str]:
    """The modules that a file imports, late imports included."""
    modules = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(modules)


def parts_of_core(path: Path) -> set[str]:
    """Which rooms of core a file imports."""
    parts = {name.split(".")[1] for name in imported(path) if name.startswith("core.")}
    return parts & set(ALLOWED)


def violations(paths: Iterable[Path], of: Callable[[Path], Iterable[str]]) -> dict[str, list[str]]:
    """What breaks a rule, by file."""
    return {name_of(path): names for path in paths if (names := sorted(of(path)))}


def top(name: str) -> str:
    return name.partition(".")[0]


def test_core_imports_only_downwards_and_no_streamlit() -> None:
    def forbidden(path: Path) -> set[str]:
        names = imported(path)
        room = path.relative_to(PROJECT / "core").parts[0].removesuffix(".py")
        rooms = parts_of_core(path)
        if room == "sandbox":
            rooms = {name.split(".")[1] for name in names if name.startswith("core.")}
        pages = {name for name in names if top(name) in {"streamlit", "pages", "dashboard"}}
        return pages | (rooms - {room} - ALLOWED.get(room, set()))

    assert violations(CORE, forbidden) == {}


def test_every_allowed_import_is_used() -> None:
    used: dict[str, set[str]] = {room: set() for room in ALLOWED}
    for path in CORE:
        room = path.relative_to(PROJECT / "core").parts[0].removesuffix(".py")
        used.get(room, set()).update(parts_of_core(path) - {room})
    assert used == ALLOWED


def test_only_the_store_imports_redis() -> None:
    others = [path for path in CORE if path.relative_to(PROJECT / "core").parts[0] != "store"]
    assert violations(others, lambda path: {n for n in imported(path) if top(n) == "redis"}) == {}


def test_pages_touch_neither_redis_nor_plivo_nor_the_sandbox() -> None:
    def forbidden(path: Path) -> set[str]:
        return {
            name
            for name in imported(path)
            if top(name) in {"redis", "plivo"}
            or name.startswith(("core.sandbox", "core.web", "core.store"))
        }

    assert violations(PAGES, forbidden) == {}


#: What only `core/wiring.py` has: connections and secrets of the process.
WIRING = {"client", "keys", "keyring", "connection"}
SERVICE_MODULES = {"core.services", "core.wiring"}


def test_pages_use_no_connection_and_no_key_and_only_a_page_gets_the_services() -> None:
    def forbidden(path: Path) -> set[str]:
        names = {node.attr for node in nodes_of(path) if isinstance(node, ast.Attribute)}
        # A component receives the objects that it uses; `shared.py` builds the services.
        is_component = path.parent.name != "pages" and path.name != "shared.py"
        return (names & WIRING) | (imported(path) & SERVICE_MODULES if is_component else set())

    assert violations(PAGES, forbidden) == {}


def test_pages_say_who_asks_wherever_they_touch_a_verification() -> None:
    """Some of these have a default, for callbacks and programs: a page must not fall back on it."""

    def without_grant(path: Path) -> Iterator[str]:
        for node in nodes_of(path):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in {"start", "resend", "check", "cancel", "look"}:
                continue
            if not ast.unparse(node.func.value).endswith("verifications"):
                continue
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            if not any("grant" in ast.unparse(argument) for argument in arguments):
                yield ast.unparse(node)

    assert violations(PAGES, without_grant) == {}


@pytest.mark.parametrize("path", sorted((PROJECT / "pages").glob("*.py")), ids=lambda p: p.name)
def test_every_page_but_verify_asks_for_the_operator_and_guards_its_fragments(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "verify.py":
        return
    assert re.search(rf'^require_admin\("/{path.stem}"(, keeps=True)?\)$', text, re.MULTILINE)
    assert all(one.startswith("(guarded(") for one in re.findall(r"st\.fragment(.*)", text))


SERVICES = re.compile(r"(?:.*\.)?_?(?:services|app)(?:\(\))?")


def test_only_the_wiring_takes_the_client_the_keys_and_the_keyring() -> None:
    def forbidden(path: Path) -> set[str]:
        return {
            ast.unparse(node)
            for node in nodes_of(path)
            if isinstance(node, ast.Attribute)
            and node.attr in WIRING
            and SERVICES.fullmatch(ast.unparse(node.value))
        }

    assert violations([*CORE, *PAGES], forbidden) == {}


def test_in_core_only_the_entries_and_the_assembly_of_the_web_know_all_services() -> None:
    """Routes receive the objects that they use."""
    importers = {
        str(path.relative_to(PROJECT / "core")) for path in CORE if SERVICE_MODULES & imported(path)
    }
    entries = {name for name in importers if not name.startswith("cli/")}
    assert entries == {"web/app.py", "wiring.py"}


def test_there_are_no_circles_of_rooms_and_none_of_modules() -> None:
    TopologicalSorter(ALLOWED).prepare()
    modules = {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in CORE
    }
    graph = {
        name: {other for other in imported(path) if other in modules and other != name}
        for name, path in modules.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules)


#: What each part of the sandbox may import of the others; "base" are the modules beside the
#: folders, without those of "top", which wire all parts.
SANDBOX = {
    "facts": set(),
    "base": {"facts"},
    "messages": {"facts", "base"},
    "calls": {"facts", "base"},
    "chaos": {"facts", "base"},
    "api": {"facts", "base", "messages", "calls", "chaos"},
    "top": {"facts", "base", "messages", "calls", "chaos", "api"},
}
SANDBOX_TOP = {"__init__", "app", "on_demand", "standalone"}


def part_of_sandbox(name: str) -> str:
    """The part that the module `name`, counted from core.sandbox, belongs to."""
    first = name.partition(".")[0]
    if (PROJECT / "core" / "sandbox" / first).is_dir():
        return first
    return "top" if first in SANDBOX_TOP else "base"


def test_the_parts_of_the_sandbox_import_only_downwards() -> None:
    sandbox = PROJECT / "core" / "sandbox"

    def forbidden(path: Path) -> set[str]:
        part = part_of_sandbox(".".join(path.relative_to(sandbox).with_suffix("").parts))
        names = {name.removeprefix("core.sandbox.") for name in imported(path)}
        modules = {name for name in names if (sandbox / f"{name.replace('.', '/')}.py").exists()}
        return {part_of_sandbox(name) for name in modules} - {part} - SANDBOX[part]

    assert violations(sorted(sandbox.rglob("*.py")), forbidden) == {}
