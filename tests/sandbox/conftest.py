"""Most tests share one sandbox and one product; each test uses its own numbers and paths."""

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
    """A path of the product that only this test uses."""
    return f"path{next(_serial)}"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[], tuple[Api, Callable[[], None]]]]:
    """A function that starts a separate sandbox, and returns it and a function that stops it."""
    with ExitStack() as stack:

        def start() -> tuple[Api, Callable[[], None]]:
            running = ExitStack()
            api = running.enter_context(sandbox_on(tmp_path))
            stack.push(running)
            return api, running.close

        yield start
