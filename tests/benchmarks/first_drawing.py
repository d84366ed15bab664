"""The first drawing of the Delivery page over 30 days of sample traffic, in a real Chromium.

From the navigation in a fresh browser context to the last panel's heading and every chart drawn.
The reference is a bare Streamlit page with one line of text, opened in the same browser, in turns.
Both servers have been visited once before, so neither pays for its imports here.
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
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, PROJECT, App, chromium

PATIENCE = 60_000
CHARTS = ("states", "rate", "funnel", "latency", "waterfall", "errors")
BARE = 'import streamlit as st\nst.text("Ready")\n'


def delivery(page: Page) -> None:
    last = page.get_by_role("heading", name="What do Plivo's logs say?")
    expect(last).to_be_visible(timeout=PATIENCE)
    for name in CHARTS:
        drawn = page.locator(f".st-key-chart_{name} :is(svg, canvas)").first
        expect(drawn).to_be_visible(timeout=PATIENCE)


def bare(page: Page) -> None:
    expect(page.get_by_text("Ready")).to_be_visible(timeout=PATIENCE)


def opened(browser: Browser, address: str, is_drawn: Callable[[Page], None]) -> float:
    """Seconds from the navigation until it is drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 6000})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    is_drawn(page)
    spent = time.perf_counter() - began
    context.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--per-day", type=int, default=2000)
    chosen = parser.parse_args()
    found = chromium()
    if found is None:
        sys.exit("There is no Chromium. Install one with: sudo apt-get install chromium")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        sample = ["--days", str(chosen.days), "--per-day", str(chosen.per_day)]
        subprocess.run(
            [sys.executable, "-m", "core", "sample", *sample],
            cwd=PROJECT,
            env={**os.environ, "DATA_DIR": folder},
            check=True,
            capture_output=True,
        )
        script = data / "bare.py"
        script.write_text(BARE)
        ours, reference = App(data), App(data, script=script)
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        pages = {
            "Delivery page": (ours, "/delivery?range=30+days", delivery),
            "bare page": (reference, "", bare),
        }
        spent: dict[str, list[float]] = {name: [] for name in pages}
        for app in (ours, reference):
            app.start()
        try:
            for n in range(chosen.rounds + 1):
                for name, (app, path, is_drawn) in pages.items():
                    seconds = opened(browser, app.address + path, is_drawn)
                    if n:
                        spent[name].append(seconds)
        finally:
            for app in (ours, reference):
                app.stop()
        browser.close()
    say = sys.stdout.write
    for name, spans in spent.items():
        say(f"{name:<16}{statistics.median(spans):>6.2f} s, fastest {min(spans):.2f} s\n")
    medians = [statistics.median(spans) for spans in spent.values()]
    figures = {
        "drawn_s": round(medians[0], 2),
        "bare_s": round(medians[1], 2),
        "ratio": round(medians[0] / medians[1], 1),
    }
    say(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
