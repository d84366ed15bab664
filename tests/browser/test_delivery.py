"""The Delivery and the Attempts page over sample traffic, in a real Chromium."""

import csv
import io
import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from core.access.password import hash_password
from core.charts.palette import DARK, LIGHT
from core.model.clock import SystemClock
from core.panels import countries, figures, tables
from core.panels.abuse import suspects
from core.panels.export import csv_of
from core.panels.figure_inputs import read_inputs
from core.panels.query_state import QueryState, parse_query_state
from core.sample.plan import DAYS, SampleStatus
from core.services import Services
from core.settings.settings import Settings
from core.wiring import build
from tests.browser.conftest import PASSWORD, App
from tests.world import until

LAST = "What do Plivo's logs say?"
ATTEMPTS_NOTE = "older ones live on as figures only"
WEEK = "range=7+days"
#: All questions, open.
QUESTIONS = (
    *("latency", "countries", "errors", "cost", "abuse", "funnel", "endings", "alerts", "logs"),
)
#: The heading of a CSV file.
PLACE = "Country, carrier"
ALL_OPEN = "&".join(f"{name}=true" for name in QUESTIONS)


def drawn(page: Page, address: str, text: str = LAST) -> None:
    page.goto(address)
    expect(page.get_by_text(text).first).to_be_visible()


def button(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}").get_by_role("button")


def file(page: Page, key: str) -> bytes:
    """The bytes of the download with this key."""
    with page.expect_download() as caught:
        button(page, key).click()
    return Path(caught.value.path()).read_bytes()


def choose(page: Page, label: str, option: str) -> None:
    """Choose in one of the selects behind the buttons of the filter line."""
    select = page.get_by_label(label, exact=True)
    if not select.is_visible():
        is_filter = label in {"Channel", "Country", "Carrier"}
        page.get_by_role("button", name="Filters" if is_filter else "View", exact=True).click()
    select.click()
    page.get_by_role("option", name=option, exact=True).click()


def rows(page: Page, key: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file(page, key).decode("utf-8-sig"))))


def rows_with(page: Page, key: str, column: str, values: set[str]) -> list[dict[str, str]]:
    """The rows of a download, once the page is drawn with these values. A filter is in the address
    before the run that draws with it has begun."""

    def drawn_rows() -> list[dict[str, str]] | None:
        run_has_ended(page)
        new = rows(page, key)
        return new if {row[column] for row in new} == values else None

    new_rows = until(drawn_rows)
    assert new_rows is not None
    return new_rows


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def run_has_ended(page: Page) -> None:
    ended = page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
    expect(ended).to_have_count(1)


def wait_for(page: Page, key: str, value: str) -> None:
    """Wait until the address has this value, and no run draws."""
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get(key) == [value])
    run_has_ended(page)


def click_row(page: Page, table: Locator, row: int, *, x: int) -> None:
    """Click a row of a table, which is drawn on a canvas and has no element for a row. Waits until
    the table no longer moves."""
    expect(table.locator("canvas").first).to_be_visible()
    table.scroll_into_view_if_needed()
    boxes: list[object] = []

    def is_still() -> bool:
        boxes.append(table.bounding_box())
        return len(boxes) > 20 and all(box == boxes[-1] for box in boxes[-20:])

    until(is_still)
    box = table.bounding_box()
    assert box is not None
    # The table ignores a press of a pointer that did not move over it before.
    page.mouse.move(box["x"] + x, box["y"] + 17, steps=3)
    page.mouse.move(box["x"] + x, box["y"] + 35 * (row + 1) + 17, steps=3)
    page.mouse.down()
    page.mouse.up()


def test_a_filter_is_in_the_address_and_the_address_restores_it(page: Page, loaded: App) -> None:
    drawn(page, f"{loaded.address}/delivery?{WEEK}&funnel=true")
    choose(page, "Channel", "Call")
    page.keyboard.press("Escape")
    wait_for(page, "channel", "Call")
    funnel = rows_with(page, "csv_funnel", "Channel", {"voice"})
    drawn(page, page.url)
    assert rows(page, "csv_funnel") == funnel


def test_every_choice_is_in_the_address(page: Page, loaded: App) -> None:
    drawn(page, f"{loaded.address}/delivery?{WEEK}")
    choices = {
        "channel": ("Channel", "PHLO"),
        "country": ("Country", "Brazil"),
        "compare": ("Compared with", "last year"),
        "zone": ("Zone", "UTC"),
        "refresh": ("Refresh", "30 s"),
    }
    for key, (label, option) in choices.items():
        choose(page, label, option)
        wait_for(page, key, option)
        page.keyboard.press("Escape")
    assert query(page) == {"range": ["7 days"]} | {k: [v] for k, (_, v) in choices.items()}


def test_a_range_goes_into_the_address_and_a_custom_one_with_its_ends(
    page: Page, loaded: App
) -> None:
    drawn(page, f"{loaded.address}/delivery")
    page.get_by_role("radio", name="30 days").click()
    wait_for(page, "range", "30 days")
    drawn(page, f"{loaded.address}/delivery?range=Custom&from=2026-01-01T09:00&to=2026-01-01T10:30",
          "No code was requested in this range")  # fmt: skip
    assert query(page)["from"] == ["2026-01-01T09:00"]


def test_a_click_on_a_country_filters_the_page_and_there_is_a_way_back(
    page: Page, loaded: App
) -> None:
    drawn(page, f"{loaded.address}/delivery?{WEEK}&countries=true")
    countries = rows(page, "csv_countries")
    worst = countries[0]
    click_row(page, page.locator(".st-key-question_countries [data-testid=stDataFrame]"), 0, x=300)
    wait_for(page, "country", worst[PLACE])
    clear = button(page, "clear")
    expect(clear).to_be_visible()
    carrier = rows_with(page, "csv_countries", "Country code", {worst["Country code"]})[1]
    click_row(page, page.locator(".st-key-question_countries [data-testid=stDataFrame]"), 1, x=300)
    page.wait_for_url(lambda url: "carrier" in parse_qs(urlsplit(url).query))
    assert query(page)["carrier"] == [carrier[PLACE].strip()]
    clear.click()
    page.wait_for_url(lambda url: not {"country", "carrier"} & set(parse_qs(urlsplit(url).query)))
    expect(clear).to_have_count(0)
    # Places, not figures: a week that ends now may have moved on meanwhile.
    places = {(row[PLACE], row["Carrier"]) for row in countries}
    assert {(row[PLACE], row["Carrier"]) for row in rows(page, "csv_countries")} == places


def expected(services: Services, state: QueryState) -> dict[str, pd.DataFrame]:
    """The frame of every download, by the key of its button."""
    queries, over, filters = services.queries, state.range, state.filters
    steps = queries.over_time(over, filters, state.zone)
    heat = queries.heatmap(over, filters, zone=state.zone)
    by_channel = queries.by_channel(over, filters)
    totals = queries.totals(over, filters)
    inputs = read_inputs(queries, over, state.comparison, filters, state.zone)
    compared = queries.compared(over, state.comparison, state.zone)
    assert compared is not None
    before = compared.before
    by_country = queries.by_country(over, filters)
    return {
        "csv_figures": figures.table(figures.figures(inputs)),
        "csv_over_time": steps,
        "csv_funnel": tables.funnel_table(by_channel),
        "csv_rescue": tables.rescue_table(by_channel),
        "csv_time_to_deliver": heat,
        "csv_parts": tables.legs_table(totals),
        "csv_countries": countries.country_table(by_country),
        "csv_errors": tables.error_table(queries.errors(over, filters, before)),
        "csv_by_state": steps,
        "csv_cost": tables.cost_table(by_channel),
        "csv_suspects": suspects(by_country, queries.by_country(before, filters)),
    }


def test_every_csv_is_the_frame_that_its_panel_is_drawn_from(
    page: Page, loaded: App, beside: Services
) -> None:
    # A range that is over, of whole hours: it holds the same whenever it is asked.
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    values = {"range": "custom", "zone": "UTC", "from": today - timedelta(hours=20), "to": today}
    frames = expected(beside, parse_query_state(values, beside.clock.now(), None))
    query = "&".join(f"{end}={values[end]:%Y-%m-%dT%H:%M}" for end in ("from", "to"))
    address = f"{loaded.address}/delivery?range=Custom&zone=UTC&{query}&{ALL_OPEN}"
    for n, (key, frame) in enumerate(frames.items()):
        # Chromium takes ten downloads in a row from a page, and blocks the next.
        if n % 6 == 0:
            drawn(page, address)
        if n == 0:
            page.get_by_role("button", name="Download", exact=True).click()
        assert file(page, key) == csv_of(frame, key.removeprefix("csv_")), key
    page.get_by_role("button", name="Download", exact=True).click()
    expect(button(page, "parquet_delivery")).to_be_visible()
    offered = page.locator("[class*='st-key-csv_']").evaluate_all(
        "all => all.flatMap(one => [...one.classList]).filter(c => c.startsWith('st-key-csv_'))"
    )
    # Of the alerts there may be one more, where there has been a check.
    assert {key.removeprefix("st-key-") for key in offered} - {"csv_alerts"} == set(frames)
    steps = frames["csv_over_time"]
    assert sum(steps["requested"]) == sum(frames["csv_funnel"]["requested"]) > 200
    parquet = pd.read_parquet(io.BytesIO(file(page, "parquet_delivery")))
    pd.testing.assert_frame_equal(parquet, steps, check_freq=False)


def test_the_page_says_whence_and_how_new_its_traffic_is_and_reads_logs_on_demand(
    page: Page, loaded: App
) -> None:
    """And the confirmed rate is the largest thing on it."""
    drawn(page, f"{loaded.address}/delivery?{WEEK}")
    expect(page.get_by_text("Includes sample traffic")).to_be_visible()
    expect(page.get_by_text("Data through")).to_be_visible()
    expect(page.get_by_text("times in America/New_York")).to_be_visible()
    rate = page.locator(".figure.largest .figure-value")
    expect(rate).to_be_visible()
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('.stMain *')]
            .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .map(one => [parseFloat(getComputedStyle(one).fontSize), one.textContent])"""
    )
    largest = max(size for size, _ in sizes)
    (text,) = {text for size, text in sizes if size == largest}
    assert text == rate.inner_text()
    assert text.endswith(" %")
    page.get_by_text("What do Plivo's logs say?").click()
    zone = ZoneInfo("America/New_York")
    before = datetime.now(zone)
    page.get_by_role("button", name="Read the last 24 hours now").click()
    expect(page.get_by_text("Read through: never")).to_have_count(0)
    # The day may change between the two.
    days = f"({before:%d %b}|{datetime.now(zone):%d %b})"
    through = page.get_by_text(re.compile(f"Read through: {days}")).first
    expect(through).to_be_visible()


@pytest.mark.parametrize("options", [{"viewport": {"width": 1280, "height": 720}}])
def test_the_page_at_a_glance_by_keyboard_while_it_scrolls_and_while_redis_is_away(
    page: Page, loaded: App, beside: Services
) -> None:
    drawn(page, f"{loaded.address}/delivery?{WEEK}")
    # The figures and the first chart are above the fold; no chart library is loaded for them.
    for part in (".figures", ".figure.largest .plot > img"):
        # While the last parts arrive, the lines above may still move.
        page.wait_for_function(
            "part => document.querySelector(part)?.getBoundingClientRect().bottom <= 720",
            arg=part,
        )
    scripts = "() => performance.getEntriesByType('resource').map(one => one.name).join()"
    assert not {"ECharts", "DataFrame"} & set(page.evaluate(scripts).replace(".", "/").split("/"))
    # A question is opened by a key, is then in the address, and a filter leaves it open.
    line = page.locator(".st-key-question_errors summary")
    line.focus()
    page.keyboard.press("Enter")
    wait_for(page, "errors", "true")
    expect(page.locator(".st-key-question_errors details")).to_have_attribute("open", "")
    expect(page.locator(".st-key-chart_errors canvas")).to_be_visible()
    # A popover that a key opens has the next Tab stop.
    view = page.get_by_role("button", name="View")
    run_has_ended(page)
    view.press("Enter")
    expect(page.get_by_test_id("stPopoverBody")).to_be_focused()
    compared = page.get_by_label("Compared with")
    expect(compared).to_be_visible()
    page.keyboard.press("Tab")
    expect(compared).to_be_focused()
    page.keyboard.press("Escape")
    expect(view).to_be_focused()
    attempts = page.get_by_role("group", name="Attempts").locator(".figure-value")
    of_all_channels = attempts.inner_text()
    choose(page, "Channel", "SMS")
    wait_for(page, "channel", "SMS")
    page.keyboard.press("Escape")
    clear = button(page, "clear")
    expect(clear).to_have_text(re.compile("Clear SMS"))
    expect(attempts).not_to_have_text(of_all_channels)
    run_has_ended(page)
    expect(page.locator(".st-key-question_errors details")).to_have_attribute("open", "")
    # The filter line stays in sight, and does not cover what has the focus.
    page.locator(".st-key-question_logs summary").focus()
    page.mouse.wheel(0, 4000)
    bar = page.locator(".st-key-filter_line")
    expect(bar).to_be_in_viewport(ratio=1)
    line.focus()
    top, bottom = line.bounding_box(), bar.bounding_box()
    assert top is not None
    assert bottom is not None
    assert top["y"] >= bottom["y"] + bottom["height"]
    # Redis goes away and comes back; nothing is clicked.
    value = page.locator(".figure.largest .figure-value").inner_text()
    server = int(beside.client.info("server")["process_id"])
    os.kill(server, signal.SIGSTOP)
    try:
        expect(page.get_by_text("The page goes on by itself.")).to_be_visible()
        figures_part = page.locator(".st-key-figures_part")
        expect(figures_part).to_have_css("opacity", "0.5")
        expect(page.locator(".figure.largest .figure-value")).to_have_text(value)
    finally:
        os.kill(server, signal.SIGCONT)
    expect(figures_part).to_have_css("opacity", "1")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".figure.largest .figure-value")).to_be_visible()


@pytest.mark.parametrize("options", [{"viewport": {"width": 390, "height": 844}}])
def test_no_figure_is_cut_or_broken_on_a_phone(page: Page, loaded: App) -> None:
    drawn(page, f"{loaded.address}/delivery?{WEEK}")
    texts = page.locator(".figure > p")
    expect(texts.first).to_be_visible()
    for one in texts.all():
        cut, lines = one.evaluate(
            """e => [e.scrollWidth > e.clientWidth + 1 || e.parentElement.scrollWidth
                     > e.parentElement.clientWidth + 1,
                     e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).fontSize)]"""
        )
        assert not cut, one.inner_text()
        assert lines < 2.2, one.inner_text()


def test_an_attempt_opens_with_all_its_events(page: Page, loaded: App) -> None:
    page.set_viewport_size({"width": 1280, "height": 2400})
    drawn(page, f"{loaded.address}/attempts", ATTEMPTS_NOTE)
    listed = rows(page, "csv_attempts")
    assert len(listed) == 50
    assert all("•" in row["To"] for row in listed)
    table = page.get_by_role("table", name="Attempts")
    table.get_by_role("row").nth(1).locator("td").last.click()
    events = page.get_by_role("heading", name="All events")
    expect(events).to_be_visible()
    assert query(page)["attempt"] == [listed[0]["Attempt"]]
    page.get_by_role("button", name="All attempts").click()
    expect(events).to_have_count(0)
    table.get_by_role("link").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(events).to_be_visible()
    assert query(page)["attempt"] == [listed[1]["Attempt"]]
    page.get_by_role("button", name="All attempts").click()
    expect(page.get_by_label("Find")).to_be_visible()
    verification = listed[0]["Attempt"].partition("-")[0]
    page.get_by_label("Find").fill(verification)
    page.get_by_role("button", name="Find attempts").click()
    page.wait_for_url(lambda url: verification in url)
    # A number that is looked for is not in the address.
    page.get_by_label("Find").fill("+1 415 555 0199")
    page.get_by_role("button", name="Find attempts").click()
    expect(page.get_by_text("No attempt to that number is kept")).to_be_visible()
    assert "0199" not in page.url
    assert "number=" in page.url


def test_sample_traffic_is_loaded_though_its_page_is_closed_and_is_removed(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    running = App(tmp_path_factory.mktemp("bare"))
    running.start()
    services = build(Settings(data_dir=running.log.parent), SystemClock())
    sample = services.sample_control
    try:
        drawn(page, f"{running.address}/delivery", "No code has been sent yet")
        page.get_by_role("button", name="Load sample traffic").click()
        expect(page.get_by_text("Loading sample traffic")).to_be_visible()
        page.goto("about:blank")
        days = sample.state().days
        # Not all of them: that takes the processors of half a minute.
        until(lambda: sample.state().days >= min(days + 3, DAYS))
        page.goto(f"{running.address}/delivery")
        # What is loading or loaded can be removed.
        page.get_by_role("button", name="Remove sample traffic").click()
        expect(page.get_by_text("No code has been sent yet")).to_be_visible()
        assert sample.state().status is SampleStatus.ABSENT
    finally:
        services.close()
        running.stop()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app in live mode, with a password. It makes no request to Plivo."""
    running = App(tmp_path_factory.mktemp("live"))
    running._environment |= {
        "PLIVO_AUTH_ID": "MAXXXXXXXXXXXXXXXXXX",
        "PLIVO_AUTH_TOKEN": "x" * 40,
        "PLIVO_NUMBER": "+14155550100",
        "SECRET_KEY": "k" * 40,
        "ADMIN_PASSWORD_HASH": hash_password(PASSWORD),
    }
    running.start()
    yield running
    running.stop()


def test_live_the_pages_are_closed_until_the_password_is_entered(page: Page, live: App) -> None:
    inside = {"attempts": ATTEMPTS_NOTE, "delivery": "No code has been sent yet"}
    for path, text in inside.items():
        page.goto(f"{live.address}/{path}")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_text(text)).to_have_count(0)
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("That is not the password")).to_be_visible()
    expect(page.get_by_text(inside["delivery"])).to_have_count(0)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(inside["delivery"])).to_be_visible()
    # Live, sample traffic is not offered.
    expect(page.get_by_role("button", name="Load sample traffic")).to_have_count(0)
    page.reload()
    expect(page.get_by_text(inside["delivery"])).to_be_visible()
    page.goto(f"{live.address}/attempts")
    expect(page.get_by_text(inside["attempts"])).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)


def test_charts_have_the_colours_of_the_viewers_theme_when_it_changes(
    page: Page, loaded: App
) -> None:
    page.emulate_media(color_scheme="light")
    drawn(page, f"{loaded.address}/delivery?{WEEK}")
    line = page.locator(".figures img").first
    for scheme, palette in (("dark", DARK), ("light", LIGHT)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(line).to_have_attribute("src", re.compile(palette.blue[1:]))
