"""What a newcomer waits for, in a real Chromium: a usable page, and a ringing handset.

`healthy_s` is from the start of the process to a page whose number field can be typed into; it
counts the server's start, an empty data folder (the embedded Redis starts, too) and the page's
first drawing. `ring_s` is from the click on "Send code" to the handset's "Answer"; the sandbox
rings 0.2 s after it was asked to, by design, and that is part of it. The reference is a bare
Streamlit page with one text field, started and opened in the same way, in turns. Both run with
written byte code, as after the first start on a machine: one start of each comes before the
measured ones, and PYTHONDONTWRITEBYTECODE is removed from their environment.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, App, chromium

GOAL_HEALTHY, GOAL_RING, GOAL_RATIO = 3.0, 1.0, 1.5
PATIENCE = 60_000
BARE = 'import streamlit as st\nst.text_input("Phone number")\n'


def opened(browser: Browser, app: App) -> float:
    """Seconds from the start of the process to a page that can be typed into."""
    began = time.perf_counter()
    app.start()
    page = browser.new_page(locale="en-US", timezone_id="America/New_York")
    page.goto(app.address)
    expect(page.get_by_label("Phone number")).to_be_editable(timeout=PATIENCE)
    spent = time.perf_counter() - began
    page.close()
    return spent


def rung(browser: Browser, app: App, line: int) -> float:
    """Seconds from the click on Send to the ring."""
    page = browser.new_page(locale="en-US", timezone_id="America/New_York")
    page.goto(app.address)
    page.get_by_label("Phone number").fill(f"+1 212 {200 + line} 5555")
    page.get_by_role("radio", name="Call", exact=True).click()
    send = page.get_by_role("button", name="Send code", exact=True)
    expect(send).to_be_enabled(timeout=PATIENCE)
    # The page has settled: what follows is the send alone.
    page.wait_for_timeout(500)
    began = time.perf_counter()
    send.click()
    page.get_by_role("button", name="Answer", exact=True).wait_for(timeout=PATIENCE)
    spent = time.perf_counter() - began
    page.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    found = chromium()
    if found is None:
        sys.exit("There is no Chromium. Install one with: sudo apt-get install chromium")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    ours: list[float] = []
    bare: list[float] = []
    rings: list[float] = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        script = Path(folder) / "bare.py"
        script.write_text(BARE)
        for n in range(-1, rounds):
            data = Path(folder) / f"data-{n}"
            data.mkdir()
            for app, spans in ((App(data), ours), (App(data, script=script), bare)):
                try:
                    spent = opened(browser, app)
                    if n < 0:
                        continue
                    spans.append(spent)
                    if app.script is None:
                        rings += [rung(browser, app, line) for line in range(2)]
                finally:
                    app.stop()
            shutil.rmtree(data, ignore_errors=True)
        browser.close()
    say = sys.stdout.write
    say(f"{'':<34}{'median':>9}{'fastest':>9}{'slowest':>9}\n")
    for name, spans in (
        ("start to usable page", ours),
        ("the same, a bare Streamlit page", bare),
        ("Send to ring", rings),
    ):
        columns = (statistics.median(spans), min(spans), max(spans))
        say(f"{name:<34}" + "".join(f"{seconds:>7.2f} s" for seconds in columns) + "\n")
    healthy, ring = statistics.median(ours), statistics.median(rings)
    ratio = healthy / statistics.median(bare)
    say(f"goals: {GOAL_RATIO} times the bare page, {GOAL_HEALTHY} s and {GOAL_RING} s\n")
    figures = {
        "healthy_s": round(healthy, 2),
        "ring_s": round(ring, 2),
        "bare_healthy_s": round(statistics.median(bare), 2),
        "ratio": round(ratio, 2),
    }
    say(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
