"""Streamlit with a clock that a test moves: `python -m tests.browser.moved_app run dashboard.py`.

The file that CLOCK_AHEAD names holds the seconds that are added to the machine's time.
"""

import os
import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.model.clock import SystemClock


def now(self: SystemClock) -> datetime:
    ahead = Path(os.environ["CLOCK_AHEAD"]).read_text()
    return datetime.now(UTC) + timedelta(seconds=float(ahead))


if __name__ == "__main__":
    SystemClock.now = now  # type: ignore[method-assign]
    runpy.run_module("streamlit", run_name="__main__")
