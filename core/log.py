"""How the product logs: an event, then its fields, on one line."""

import hashlib
import logging
import re
import sys

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldsFormatter(logging.Formatter):
    """`time level logger event name=value …`: what was given as `extra` follows the event."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        told = "".join(f" {name}={value!s}" for name, value in fields.items())
        line, newline, trace = super().format(record).partition("\n")
        return f"{line}{told}{newline}{trace}"


def logged_id(one: str) -> str:
    """The id of a verification, an attempt or an event, as a log may have it: the real one can open
    the verification's page. A digest, so that lines about one verification can be found together;
    what follows its id (the number of the attempt, the type of the event) is kept.
    """
    verification, *rest = re.split(r"(?=[-_])", one, maxsplit=1)
    return "".join([hashlib.sha256(verification.encode()).hexdigest()[:12], *rest])


def log_to_stderr() -> None:
    """Once, at the start of the process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldsFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # Its line for each callback would hold the full URL, token included.
    logging.getLogger("httpx").setLevel(logging.WARNING)
