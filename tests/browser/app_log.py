"""What the log of an app under test holds about a failed page."""

import re
from pathlib import Path

#: pages/components/failures.py logs it for each failed run of a page, after its traceback.
PAGE_FAILED = "page failed"
#: Enough for a traceback through Streamlit.
TAIL_LINES = 80
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class LogPart:
    """What is written to a log from now on, or from its beginning if `whole`."""

    def __init__(self, file: Path, *, whole: bool = False) -> None:
        self.file = file
        self._start = file.stat().st_size if file.exists() and not whole else 0

    def text(self) -> str:
        """All lines so far."""
        if not self.file.exists():
            return ""
        with self.file.open("rb") as log:
            log.seek(self._start)
            return _COLOUR.sub("", log.read().decode(errors="replace"))

    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self.text().splitlines()[-TAIL_LINES:])

    def tracebacks(self) -> str:
        """From the line before the first traceback on; empty without one."""
        lines = self.text().splitlines()
        first = next((n for n, line in enumerate(lines) if "Traceback" in line), None)
        return "" if first is None else "\n".join(lines[max(first - 1, 0) : first + TAIL_LINES])

    def page_failures(self) -> list[str]:
        """For each failed page the lines before it, with the traceback, and its own."""
        lines = self.text().splitlines()
        ends = [n + 1 for n, line in enumerate(lines) if PAGE_FAILED in line]
        starts = [0, *ends]
        return [
            "\n".join(lines[max(start, end - TAIL_LINES) : end])
            for start, end in zip(starts, ends, strict=False)
        ]
