"""A real Chromium and the real app, started as README's first line starts it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from core.access.password import hash_password
from core.model.clock import SystemClock
from core.services import Services
from core.settings.settings import Settings
from core.wiring import build
from tests.browser.app_log import LogPart
from tests.world import PATIENCE_SECONDS, until

PROJECT = Path(__file__).parents[2]
SHOTS = PROJECT / "test-results"
PASSWORD = "correct horse battery staple"
# By default 5 s, which a page on a busy machine may take to be drawn.
expect.set_options(timeout=1000 * PATIENCE_SECONDS)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page lives for some seconds, too short for V8's optimised code and parallel collections to
    # save what they cost: a tenth of a load.
    "--js-flags=--single-threaded --no-opt",
    # The windows of a browser context share a process, which compiles the scripts once.
    "--process-per-site",
]


def chromium() -> str | None:
    """The machine's Chromium; none is downloaded. The first one has no windows, and so takes a
    seventh less of a processor."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next((chromium_path for name in names if (chromium_path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser these tests are skipped by name on a laptop, and fail in CI."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.browser)
            if chromium() is None and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="no Chromium: apt-get install chromium"))


class Pictures:
    """Pictures of pages for a person to look at, with `--pictures` only: no test compares them."""

    are_kept = False

    @classmethod
    def keep(cls, page: Page, name: str, *, height: int | None = None) -> None:
        """`height`: that of the picture, if it is not that of the window."""
        if not cls.are_kept:
            return
        window = page.viewport_size
        assert window is not None
        if height is not None:
            page.set_viewport_size({"width": window["width"], "height": height})
        page.screenshot(path=SHOTS / f"{name}.png")
        page.set_viewport_size(window)


def pytest_configure(config: pytest.Config) -> None:
    Pictures.are_kept = config.getoption("pictures")


class App:
    """The app (or another `script`) as a process of its own, which a test may kill and restart.
    `module`: what starts Streamlit."""

    #: All that were started, also those that have ended.
    started: ClassVar[list["App"]] = []

    def __init__(self, data: Path, script: Path | None = None, module: str = "streamlit") -> None:
        self.script = script
        self._module = module
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://localhost:{self.port}"
        self.log = data / "app.log"
        ours = ("PLIVO_", "REDIS_URL", "PHLO_ID", "PUBLIC_URL", "SECRET_KEY", "BRAND")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        # Links for other phones need an address, which here is that of the other browser.
        self._environment = inherited | {"DATA_DIR": str(data), "PUBLIC_URL": self.address}
        self._process: subprocess.Popen[bytes] | None = None
        self.started.append(self)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [
                    *(sys.executable, "-m", self._module, "run"),
                    str(self.script or "dashboard.py"),
                    *("--server.port", str(self.port)),
                ],
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._is_up, 60)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        # Requested every few milliseconds while the server starts, so it must be cheap.
        connection = HTTPConnection("localhost", self.port, timeout=5)
        try:
            connection.request("GET", "/_stcore/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def connection(self) -> HTTPConnection:
        """A connection for requests that must be sent unchanged."""
        return HTTPConnection("localhost", self.port, timeout=PATIENCE_SECONDS)

    def kill(self) -> None:
        """End the process as a crash does, without its shutdown."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


LOGS = pytest.StashKey[dict[Path, LogPart]]()


def written(item: pytest.Item) -> list[LogPart]:
    """The log of each app since the start of the test, also of apps that the test started."""
    log_parts = item.stash[LOGS]
    return [log_parts.get(app.log) or LogPart(app.log, whole=True) for app in App.started]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    item.stash[LOGS] = {app.log: LogPart(app.log) for app in App.started}
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the apps have logged during it."""
    report = yield
    if report.failed and LOGS in item.stash:
        report.sections += [
            (f"Log of the app in {part.file.parent.name}", tail)
            for part in written(item)
            if (tail := part.tail())
        ]
    return report


@pytest.fixture(autouse=True)
def no_page_failed(request: pytest.FixtureRequest) -> Iterator[None]:
    """No page of any app failed during the test, unless the test is marked `page_fails`."""
    yield
    if request.node.get_closest_marker("page_fails"):
        return
    failures = [failure for part in written(request.node) for failure in part.page_failures()]
    assert not failures, "a page failed:\n" + "\n\n".join(failures)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    running = App(tmp_path_factory.mktemp("app"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with three days of sample traffic."""
    data = tmp_path_factory.mktemp("sample")
    subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-m", "core", "sample"),
            *("--days", "3", "--per-day", "300", "--seed", "7"),
        ],
        cwd=PROJECT,
        env={**os.environ, "DATA_DIR": str(data)},
        check=True,
        capture_output=True,
    )
    running = App(data)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def beside(loaded: App) -> Iterator[Services]:
    """The figures that the app shows, asked by this process."""
    made = build(Settings(data_dir=loaded.log.parent), SystemClock())
    yield made
    made.close()


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A sandbox that asks as live does, with invites."""
    running = App(tmp_path_factory.mktemp("guarded"))
    running._environment |= {
        "VERIFY_ACCESS": "invite",
        "ADMIN_PASSWORD_HASH": hash_password(PASSWORD),
    }
    running.start()
    yield running
    running.stop()


# Not for the whole session: while it is open, a loop runs in this thread that others cannot use.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium_path = chromium()
    assert chromium_path is not None, "no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def options() -> dict[str, Any]:
    """Options of the page's browser context that differ from the usual ones."""
    return {}


@pytest.fixture(scope="package")
def kept_pages(browser: Browser) -> dict[str, Page]:
    """Pages that stay open between tests, by their options. Their processes have compiled all
    scripts, so that a load takes a third of a processor's time that it takes in a new page."""
    return {}


@pytest.fixture
def page(browser: Browser, kept_pages: dict[str, Page], options: dict[str, Any]) -> Iterator[Page]:
    """A page without cookies, stored values and permissions. Tests that add listeners, scripts or
    routes to it use `new_page`."""
    options = {
        "viewport": {"width": 1280, "height": 900},
        "locale": "en-US",
        "timezone_id": "America/New_York",
        **options,
    }
    page = kept_pages.pop(repr(options), None) or browser.new_context(**options).new_page()
    page.context.set_default_timeout(1000 * PATIENCE_SECONDS)
    yield page
    # Where it is closed or shows an error of the browser, a new one takes its place.
    if page.is_closed() or not page.url.startswith("http://localhost:"):
        page.context.close()
        return
    clean(page, options["viewport"])
    kept_pages[repr(options)] = page


def clean(page: Page, viewport: ViewportSize) -> None:
    context = page.context
    for other in context.pages:
        if other != page:
            other.close()
    context.set_offline(False)
    context.clear_permissions()
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    page.goto("about:blank")
    context.clear_cookies()


@pytest.fixture
def context(page: Page) -> BrowserContext:
    return page.context


@pytest.fixture
def new_page(context: BrowserContext) -> Page:
    """A page of one test only."""
    return context.new_page()
