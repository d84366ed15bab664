"""The first drawing of the Delivery page over 30 days of sample traffic, in a real Chromium.

From the navigation in a fresh browser context until it is painted: the verdict, the cards and the
first chart (`ratio`); and with every question open, each chart and table (`all_ratio`). The
reference is a bare Streamlit page with one line of text, opened in the same browser, in turns.
Both servers have been visited once before, so neither pays for its imports here.

Then `filter_s`: from the click on a country in the filters until the new figures are painted,
measured in the page; also with as many carriers as `--series` says.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.model.attempt import AttemptEvent, EventKind, Source
from core.model.clock import SystemClock
from core.model.regions import country_of
from core.settings.settings import Settings
from core.wiring import build
from tests.benchmarks import many_series
from tests.browser.conftest import CHROMIUM_FLAGS, PROJECT, App, chromium

PATIENCE = 60_000
MONTH = "/delivery?range=30+days"
QUESTIONS = ("latency", "countries", "errors", "cost", "abuse", "funnel", "endings", "alerts")
ALL_OPEN = "".join(f"&{name}=true" for name in (*QUESTIONS, "logs"))
CHARTS = ("latency", "waterfall", "errors", "funnel", "states")
BARE = 'import streamlit as st\nst.text("Ready")\n'
#: Resolves with the ms from the next click to the frame that shows another number of attempts.
CLICK_TO_PAINT = """() => { window.clickToPaint = new Promise((resolve) => {
  const value = () =>
    document.querySelector('[aria-label="Attempts"] .figure-value')?.textContent;
  const before = value();
  document.addEventListener("pointerdown", () => {
    const began = performance.now();
    const look = () => value() && value() !== before
      ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)))
      : requestAnimationFrame(look);
    look();
  }, {capture: true, once: true});
}); }"""


def painted(page: Page) -> None:
    """The verdict, the cards and the first chart."""
    page.wait_for_function(
        """() => document.querySelector(".st-key-verdict p") && document.querySelector(".figures")
          && document.querySelector(".figure.largest .plot > img")?.complete""",
        timeout=PATIENCE,
    )


def all_painted(page: Page) -> None:
    painted(page)
    for name in CHARTS:
        drawn = page.locator(f".st-key-chart_{name} :is(svg, canvas)").first
        expect(drawn).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Read the last 24 hours")).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE)


def bare(page: Page) -> None:
    expect(page.get_by_text("Ready")).to_be_visible(timeout=PATIENCE)


def opened(browser: Browser, address: str, is_drawn: Callable[[Page], None]) -> float:
    """Seconds from the navigation until it is drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    is_drawn(page)
    spent = time.perf_counter() - began
    context.close()
    return spent


def filtered(browser: Browser, app: App, rounds: int) -> list[float]:
    """Seconds from the click on one country after another to its figures."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(app.address + MONTH)
    painted(page)
    page.get_by_role("button", name="Filters", exact=True).click()
    spent = []
    for n in range(rounds + 1):
        page.get_by_label("Country", exact=True).click()
        name = country_of(many_series.COUNTRIES[n % 3])
        option = page.get_by_role("option", name=name, exact=True)
        expect(option).to_be_visible(timeout=PATIENCE)
        page.evaluate(CLICK_TO_PAINT)
        option.click()
        milliseconds = float(page.evaluate("() => window.clickToPaint"))
        # The first one pays for what the server reads for the first time.
        if n:
            spent.append(milliseconds / 1000)
        expect(page.locator('[data-test-script-state="notRunning"]')).to_have_count(1)
    context.close()
    return spent


def sample(data: Path, days: int, per_day: int) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "core", "sample"),
            *("--days", str(days), "--per-day", str(per_day)),
        ],
        cwd=PROJECT,
        env={**os.environ, "DATA_DIR": str(data)},
        check=True,
        capture_output=True,
    )


def many(data: Path, carriers: int) -> None:
    services = build(Settings(data_dir=data), SystemClock())
    try:
        many_series.fill(services.connection, services.keys, services.clock.now(), carriers)
        at = services.clock.now() - timedelta(minutes=1)
        record = {"channel": "sms", "mode": "sms", "to_masked": "+234", "region": "NG",
                  "carrier": "Carrier 00000"}  # fmt: skip
        attempt = "benchmarkbenchmarkbenchm-1"
        services.ledger.apply(AttemptEvent(attempt, EventKind.REQUESTED, at, Source.APP, record))
        services.fold.settle()
    finally:
        services.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--per-day", type=int, default=2000)
    parser.add_argument("--series", type=int, nargs="*", default=[1500, 10_000])
    chosen = parser.parse_args()
    chromium_path = chromium()
    if chromium_path is None:
        sys.exit("There is no Chromium. Install one with: sudo apt-get install chromium")
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_FLAGS)
        stack.callback(browser.close)

        def started(script: str = "") -> tuple[App, Path]:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            file = data / "bare.py" if script else None
            if file:
                file.write_text(script)
            return App(data, script=file), data

        ours, data = started()
        sample(data, chosen.days, chosen.per_day)
        reference, _ = started(BARE)
        pages = {
            "bare page": (reference, "", bare),
            "first figures": (ours, MONTH, painted),
            "all open": (ours, MONTH + ALL_OPEN, all_painted),
        }
        spent: dict[str, list[float]] = {name: [] for name in pages}
        for app in (ours, reference):
            app.start()
            stack.callback(app.stop)
        for n in range(chosen.rounds + 1):
            for name, (app, path, is_drawn) in pages.items():
                seconds = opened(browser, app.address + path, is_drawn)
                if n:
                    spent[name].append(seconds)
        spent["filter"] = filtered(browser, ours, chosen.rounds)
        for carriers in chosen.series:
            crowded, data = started()
            many(data, carriers)
            crowded.start()
            stack.callback(crowded.stop)
            spent[f"filter, {carriers:,} carriers"] = filtered(browser, crowded, chosen.rounds)
            spent[f"countries, {carriers:,} carriers"] = [
                opened(browser, f"{crowded.address}{MONTH}&countries=true", table_painted)
                for _ in range(2)
            ][1:]
    write = sys.stdout.write
    for name, spans in spent.items():
        write(f"{name:<26}{statistics.median(spans):>6.2f} s, fastest {min(spans):.2f} s\n")
    medians = {name: statistics.median(spans) for name, spans in spent.items()}
    figures = {
        "bare_s": round(medians["bare page"], 2),
        "drawn_s": round(medians["first figures"], 2),
        "ratio": round(medians["first figures"] / medians["bare page"], 2),
        "all_ratio": round(medians["all open"] / medians["bare page"], 2),
        "filter_s": round(medians["filter"], 2),
        **{
            f"filter_{carriers}_s": round(medians[f"filter, {carriers:,} carriers"], 2)
            for carriers in chosen.series
        },
    }
    write(json.dumps(figures) + "\n")


def table_painted(page: Page) -> None:
    table = page.locator(".st-key-question_countries").locator("canvas, table").first
    expect(table).to_be_visible(timeout=PATIENCE)


if __name__ == "__main__":
    main()
