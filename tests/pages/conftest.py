"""The operator's pages as Streamlit runs them, on services of their own and a real Redis."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.services import Services
from pages.components.delivery.empty import last_good
from pages.components.shared import services as of_process

PROJECT = Path(__file__).parents[2]
VIEWER = "America/New_York"
PATIENCE_SECONDS = 60
_OURS = (
    "PLIVO_",
    "REDIS_URL",
    "PHLO_ID",
    "PUBLIC_URL",
    "SECRET_KEY",
    "ADMIN_",
    "DATA_DIR",
    "VERIFY_ACCESS",
    "TEST_PHONES",
)

Settle = Callable[..., None]


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settle]:
    """Sets the environment that the pages' services are built from, instead of the machine's."""

    def chosen(**settings: str) -> None:
        for name in [name for name in os.environ if name.startswith(_OURS)]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        of_process.forget()
        last_good.forget()

    yield chosen
    of_process.forget()
    last_good.forget()


@pytest.fixture
def services(settle: Settle, own_database: str) -> Iterator[Services]:
    """Those of the pages: the sandbox's, with an empty database. The background of the world, if
    another test of this process has started it, does not check or load there."""
    settle(REDIS_URL=own_database)
    made = of_process()
    yield made
    made.close()


def opened(page: str, **query: str) -> AppTest:
    """A page, run once for a viewer in New York."""
    return opened_in({}, page, **query)


def opened_in(state: Mapping[str, object], page: str, **query: str) -> AppTest:
    """The same, in a session with this state."""
    at = AppTest.from_file(str(PROJECT / "pages" / f"{page}.py"), default_timeout=PATIENCE_SECONDS)
    at.query_params.update(query)
    for name, value in state.items():
        at.session_state[name] = value
    at.context["timezone"] = VIEWER
    at.run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    """All that a page says in sentences."""
    parts = [*at.info, *at.error, *at.warning, *at.caption, *at.markdown, *at.title]
    return "\n".join(str(part.value) for part in parts)
