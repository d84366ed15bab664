"""Foreign text in a record never looks like a line of the log."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.log import escaped

PROJECT = Path(__file__).parents[1]
FORGED = "2026-01-01 00:00:00,000 ERROR forged"

#: A process that logs as ours does, with the loggers that uvicorn and Streamlit set up themselves,
#: one before and one after our own start.
PROGRAM = rf"""
import logging
import uvicorn
import uvicorn.logging
uvicorn.Config("no:app")
from streamlit.logger import get_logger
early = get_logger("streamlit.early")
from core.log import log_to_stderr
log_to_stderr()
late = get_logger("streamlit.late")
text = "a\n{FORGED}\r\x1b[31m\u2028\ud83d"
for name in ("ours", "uvicorn.error", "asyncio"):
    logging.getLogger(name).warning("in the message %s", text)
early.warning("in the message %s", text)
late.warning(text)
late.warning("an object: %s", Exception(text))
logging.getLogger("ours").warning("in a field", extra={{"field": text}})
access = logging.getLogger("uvicorn.access")
access.info('%s - "%s %s HTTP/%s" %d', text, "GET", text, "1.1", 200)
try:
    try:
        raise ValueError(text)
    except ValueError as error:
        error.add_note(text)
        raise ExceptionGroup(text, [KeyError(text)]) from error
except ExceptionGroup:
    for logger in (logging.getLogger("ours"), logging.getLogger("uvicorn.error"), late):
        logger.exception("failed")
logging.getLogger("ours").warning("without an exception", exc_info=True)
"""


@pytest.fixture(scope="module")
def output() -> str:
    done = subprocess.run(  # noqa: S603  a program of ours
        [sys.executable, "-c", PROGRAM], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_no_foreign_text_begins_a_line_in_any_logger(output: str) -> None:
    assert output.count("forged") > 15
    assert "Logging error" not in output
    for line in output.splitlines():
        # Lines of a traceback are indented, an exception's notes too.
        assert not line.startswith("2026-01-01"), line


def test_control_and_invisible_characters_are_escaped_in_every_logger(output: str) -> None:
    assert set(re.findall(r"[^ -~\n]", output)) == set()
    assert rf"a\n{FORGED}\r\x1b[31m\u2028\ud83d" in output


def test_a_traceback_keeps_its_frames_as_lines(output: str) -> None:
    assert '\n    File "<string>", line' in output


@given(st.text())
def test_escaped_text_is_one_printable_line_and_stays_as_it_is(text: str) -> None:
    once = escaped(text)
    assert once.isprintable()
    assert escaped(once) == once
    assert not text.isprintable() or once == text
