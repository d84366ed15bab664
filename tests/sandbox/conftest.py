"""One sandbox and one product serve most tests; each test uses numbers and paths of its own."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .support import Api, Product, sandbox_on

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with sandbox_on(tmp_path_factory.mktemp("sandbox")) as api:
        yield api


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    with Product().listening() as product:
        yield product


@pytest.fixture
def path() -> str:
    """A path of the product that no other test uses."""
    return f"path{next(_serial)}"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[], tuple[Api, Callable[[], None]]]]:
    """Start a sandbox of one's own; get it, and a function that stops it."""
    with ExitStack() as stack:

        def start() -> tuple[Api, Callable[[], None]]:
            one = ExitStack()
            api = one.enter_context(sandbox_on(tmp_path))
            stack.push(one)
            return api, one.close

        yield start
