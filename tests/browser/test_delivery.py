"""The Delivery and the Attempts page over sample traffic, in a real Chromium."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from core.access.password import hash_of
from tests.browser.conftest import PROJECT, SHOTS, App

LAST = "What should I do first?"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with three days of sample traffic."""
    data = tmp_path_factory.mktemp("sample")
    subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-m", "core.delivery.sample"),
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


def drawn(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="What should I do first?")).to_be_visible(
        timeout=40_000
    )


def downloaded(page: Page, n: int) -> list[dict[str, str]]:
    with page.expect_download() as caught:
        page.get_by_test_id("stDownloadButton").nth(n).get_by_role("button").click()
    text = caught.value.path().read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_page_says_that_its_traffic_is_simulated_and_how_new_it_is(
    page: Page, loaded: App
) -> None:
    drawn(page, f"{loaded.address}/delivery?range=7+days")
    expect(page.get_by_text("Simulated traffic")).to_be_visible()
    expect(page.get_by_text("Data through")).to_be_visible()
    expect(page.get_by_text("times in America/New_York")).to_be_visible()


def test_a_filter_is_in_the_address_and_the_address_restores_it(page: Page, loaded: App) -> None:
    drawn(page, f"{loaded.address}/delivery?range=7+days")
    page.get_by_label("Channel", exact=True).click()
    page.get_by_role("option", name="Call", exact=True).click()
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("channel") == ["Call"])
    funnel = downloaded(page, 1)
    assert [row["channel"] for row in funnel] == ["voice"]
    page.reload()
    expect(page.get_by_role("heading", name="What should I do first?")).to_be_visible(
        timeout=40_000
    )
    assert downloaded(page, 1) == funnel


def test_the_csv_of_the_steps_adds_up_to_that_of_the_channels(page: Page, loaded: App) -> None:
    drawn(page, f"{loaded.address}/delivery?range=7+days")
    steps, channels = downloaded(page, 0), downloaded(page, 1)
    for column in ("requested", "delivered", "verified", "cost_micros"):
        assert sum(int(row[column]) for row in steps) == sum(int(r[column]) for r in channels)
    assert sum(int(row["requested"]) for row in channels) > 600


def test_a_range_without_traffic_says_so(page: Page, loaded: App) -> None:
    page.goto(f"{loaded.address}/delivery?range=Custom&from=2026-01-01&to=2026-01-02")
    expect(page.get_by_text("Nobody asked for a code in this range")).to_be_visible(timeout=40_000)


def test_an_attempt_opens_into_all_that_was_heard(page: Page, loaded: App) -> None:
    page.goto(f"{loaded.address}/attempts")
    expect(page.get_by_text("older ones live on as figures only")).to_be_visible(timeout=40_000)
    listed = downloaded(page, 0)
    assert len(listed) == 50
    assert all("•" in row["to"] for row in listed)
    page.goto(f"{loaded.address}/attempts?attempt={listed[0]['attempt']}")
    expect(page.get_by_role("heading", name="All that was heard")).to_be_visible(timeout=40_000)
    verification = listed[0]["attempt"].partition("-")[0]
    page.goto(f"{loaded.address}/attempts")
    page.get_by_label("Find").fill(verification)
    page.get_by_role("button", name="Find attempts").click()
    page.wait_for_url(lambda url: verification in url)


def test_a_number_that_is_looked_for_is_not_in_the_address(page: Page, loaded: App) -> None:
    page.goto(f"{loaded.address}/attempts")
    page.get_by_label("Find").fill("+1 415 555 0199")
    page.get_by_role("button", name="Find attempts").click()
    expect(page.get_by_text("No attempt to that number is kept")).to_be_visible()
    assert "0199" not in page.url
    assert "number=" in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("name", "last"), [("delivery", LAST), ("attempts", "")])
def test_the_pages_fit(
    loaded: App, page: Page, name: str, last: str, width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{loaded.address}/{name}?range=7+days" if last else f"{loaded.address}/{name}")
    seen = (
        page.get_by_role("heading", name=last) if last else page.get_by_text("older ones live on")
    )
    expect(seen).to_be_visible(timeout=40_000)
    page.set_viewport_size({"width": width, "height": 3000})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app in live mode, with a password; nothing of it talks to anybody."""
    running = App(tmp_path_factory.mktemp("live"))
    running._environment |= {
        "PLIVO_AUTH_ID": "MAXXXXXXXXXXXXXXXXXX",
        "PLIVO_AUTH_TOKEN": "x" * 40,
        "PLIVO_NUMBER": "+14155550100",
        "SECRET_KEY": "k" * 40,
        "ADMIN_PASSWORD_HASH": hash_of(PASSWORD),
    }
    running.start()
    yield running
    running.stop()


def test_live_the_pages_are_shut_until_the_password_is_given(page: Page, live: App) -> None:
    page.goto(f"{live.address}/attempts")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=40_000)
    expect(page.get_by_label("Find")).to_have_count(0)
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("That is not the password")).to_be_visible(timeout=40_000)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("older ones live on")).to_be_visible(timeout=40_000)
    page.reload()
    expect(page.get_by_text("older ones live on")).to_be_visible(timeout=40_000)
    other = page.context.new_page()
    other.goto(f"{live.address}/delivery")
    expect(other.get_by_text("No code has been sent yet")).to_be_visible(timeout=40_000)
