"""How the product logs: an event, then its fields, on one line.

Foreign text in a record (a path, a name, an exception's message) must not look like lines of the
log. The records themselves escape it, because uvicorn and Streamlit bring handlers and formatters
of their own, some of them only when a module is first imported.
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
    """The text on one line: newlines, control characters and invisible ones as Python escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class EscapedRecord(logging.LogRecord):
    """A record whose message is one line, and whose traceback has only the lines of frames."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's access formatter reads the arguments, not the message.
        if isinstance(self.args, tuple):
            self.args = tuple(escaped(a) if isinstance(a, str) else a for a in self.args)
        if self.exc_info and self.exc_info[0] is not None:
            # Formatters use this text where it is set.
            self.exc_text = _traceback_text(*self.exc_info)

    def getMessage(self) -> str:
        return escaped(super().getMessage())


class FieldsFormatter(logging.Formatter):
    """`time level logger event name=value …`: what was given as `extra` follows the event."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        shown = "".join(f" {name}={escaped(str(value))}" for name, value in fields.items())
        line, newline, trace = super().format(record).partition("\n")
        return f"{line}{shown}{newline}{trace}"


def logged_id(one: str) -> str:
    """The id of a verification, an attempt or an event, as a log may have it: the real one can open
    the verification's page. A digest, so that lines about one verification can be found together;
    what follows its id (the number of the attempt, the type of the event) is kept.
    """
    verification, *rest = re.split(r"(?=[-_])", one, maxsplit=1)
    return "".join([hashlib.sha256(verification.encode()).hexdigest()[:12], *rest])


def log_to_stderr() -> None:
    """Once, at the start of the process."""
    logging.setLogRecordFactory(EscapedRecord)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldsFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # Its line for each callback would hold the full URL, token included.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _traceback_text(kind: Any, error: Any, trace: Any) -> str:
    """As Python prints it, but each line is indented, and an exception's message is one line."""
    lines = []
    for chunk in traceback.format_exception(kind, error, trace):
        text = chunk.strip("\n")
        parts = text.split("\n") if _FRAME.match(text) else [text]
        lines += [f"  {escaped(part)}" for part in parts]
    return "\n".join(lines)
