"""One real Redis for the whole run, emptied before each test; one world where a test wants it."""

import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from core.figures import fold_worker
from core.store.embedded import EmbeddedRedis
from tests.properties import THOROUGH, THOROUGH_EXAMPLES
from tests.workers import (
    CORES,
    FromBothEnds,
    import_share_of_worker,
    lower_priority_of_additional_worker,
)
from tests.world import PATIENCE_SECONDS, MovableClock, World, world

# A reader waits for the figures no longer than a person would; a test compares them exactly.
fold_worker.SETTLE_SECONDS = PATIENCE_SECONDS

# How long an example takes says how busy the machine is, and nothing about the product.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
settings.register_profile(THOROUGH, max_examples=THOROUGH_EXAMPLES)

# No test calls a public host by TLS. By default each HTTP client of httpx first reads all public
# certificates (30 ms of a processor); from a folder without any it reads none. The file has
# precedence over the folder.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = tempfile.mkdtemp(prefix="no-certificates-")

# The tests start some sixty Python processes. Where bytecode is not kept, each of them compiles
# all of core again, for half a second of a processor.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of tests/oracle, whose larger numbers are for a long run of it alone, and of
    tests/browser."""
    parser.getgroup("browser").addoption(
        "--pictures", action="store_true", help="keep pictures of the pages in test-results/"
    )
    options = parser.getgroup("oracle")
    options.addoption("--seed", type=int, default=13, help="of the traffic of tests/oracle")
    options.addoption("--traffic", type=int, default=12, help="verifications before each look")
    options.addoption("--queries", type=int, default=2, help="queries at each look")


def pytest_xdist_auto_num_workers() -> int:
    return CORES + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FromBothEnds | None:
    return FromBothEnds(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure() -> None:
    lower_priority_of_additional_worker()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """All modules and tests live until the end: no garbage collection looks at them."""
    gc.disable()
    try:
        if session.config.args == session.config.getini("testpaths"):
            import_share_of_worker(Path(__file__).parent)
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests first: they have the longest files, and all workers should end at the
    same time."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("data"))
    yield embedded.start()
    embedded.stop()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(
        redis_url, decode_responses=True, encoding_errors="replace"
    ) as connected:
        connected.flushall()
        yield connected


@pytest.fixture
def own_database(redis_url: str, client: redis.Redis) -> str:
    """The URL of an empty database for a test with a clock of its own. In the first database, the
    background of the world may fold and check at any moment, at its own time."""
    return f"{redis_url}?db=1"


@pytest.fixture(scope="session")
def _clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def _world(
    tmp_path_factory: pytest.TempPathFactory, redis_url: str, _clock: MovableClock
) -> Iterator[World]:
    data: Path = tmp_path_factory.mktemp("world")
    with world(data, redis_url, _clock) as new_world:
        yield new_world


@pytest.fixture
def at(_world: World, client: redis.Redis) -> Iterator[World]:
    """The world, with an empty Redis and the real time."""
    _world.clock.ahead *= 0
    yield _world
    _world.clock.ahead *= 0
