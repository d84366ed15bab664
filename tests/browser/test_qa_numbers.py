"""The view "Numbers" of the QA page, whose list of leases is drawn again by itself."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.lab.sandbox_client import SandboxClient, SandboxError
from tests.browser.conftest import App
from tests.world import PATIENCE_SECONDS


def lease_all(sandbox: SandboxClient, leases: ExitStack) -> None:
    """Lease the numbers of the United States that a lease is of by default, until none is free."""

    def lease_many(count: int) -> None:
        while True:
            leases.enter_context(sandbox.lease(count=count))

    for count in (100, 10, 1):
        with pytest.raises(SandboxError, match="are free"):
            lease_many(count)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[App]:
    """An app whose numbers nobody else leases."""
    running = App(tmp_path)
    running.start()
    yield running
    running.stop()


def test_why_nothing_was_leased_stays_while_the_list_is_drawn_again(page: Page, alone: App) -> None:
    sandbox = SandboxClient(f"{alone.address}/sandbox", seconds=PATIENCE_SECONDS)
    problem = page.get_by_text("Nothing was leased: 0 of 1 numbers of US")
    page.goto(f"{alone.address}/qa?qa_view=numbers")
    lease = page.get_by_role("button", name="Lease numbers")
    expect(lease).to_be_enabled()
    with ExitStack() as leases:
        lease_all(sandbox, leases)
        lease.click()
        expect(problem).to_be_visible()
        # Another program leases a number, which the list shows when it is drawn again.
        with sandbox.lease(country="DE"):
            expect(page.get_by_text(re.compile("^Germany: 1 number"))).to_be_visible()
            expect(problem).to_be_visible()
