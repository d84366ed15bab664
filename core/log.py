"""Log format: the event and its fields on one line.

Foreign text in a record (a path, a name, an exception's message) must not look like lines of the
log. The record class escapes it, not a formatter: uvicorn and Streamlit install handlers and
formatters of their own, some of them late.
"""

import hashlib
import logging
import re
import sys
import traceback
from typing import Any

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

#: A stack frame of a traceback, also inside an exception group: file names and source lines.
_FRAME = re.compile(r'[ |]*File "')


def escaped(text: str) -> str:
    """The text on one line: newlines, control and invisible characters become Python escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class EscapedRecord(logging.LogRecord):
    """A record whose message is one line and whose traceback has lines for frames only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's access formatter reads the arguments, not the message.
        if isinstance(self.args, tuple):
            self.args = tuple(escaped(a) if isinstance(a, str) else a for a in self.args)
        if self.exc_info and self.exc_info[0] is not None:
            # Formatters use this text if it is set.
            self.exc_text = _traceback_text(*self.exc_info)

    def getMessage(self) -> str:
        return escaped(super().getMessage())


class FieldsFormatter(logging.Formatter):
    """`time level logger event name=value …`: the fields of `extra` follow the event."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        suffix = "".join(f" {name}={escaped(str(value))}" for name, value in fields.items())
        line, newline, trace = super().format(record).partition("\n")
        return f"{line}{suffix}{newline}{trace}"


def logged_id(identifier: str) -> str:
    """A digest of the id of a verification, an attempt or an event, for logs.

    The real id opens the verification's page, so logs do not show it. All lines about one
    verification have the same digest. The suffix (number of the attempt, type of the event) stays.
    """
    verification, *rest = re.split(r"(?=[-_])", identifier, maxsplit=1)
    return "".join([hashlib.sha256(verification.encode()).hexdigest()[:12], *rest])


def log_to_stderr() -> None:
    """Set up logging. Call it once, at the start of the process."""
    logging.setLogRecordFactory(EscapedRecord)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldsFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # httpx would log the full URL of each callback, with its token.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _traceback_text(kind: Any, error: Any, trace: Any) -> str:
    """The traceback as Python prints it, each line indented, an exception's message on one line."""
    lines = []
    for chunk in traceback.format_exception(kind, error, trace):
        text = chunk.strip("\n")
        parts = text.split("\n") if _FRAME.match(text) else [text]
        lines += [f"  {escaped(part)}" for part in parts]
    return "\n".join(lines)
