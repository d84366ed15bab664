"""Keeps secrets in addresses out of the server's log.

uvicorn's own lines are `client - "GET /checkcode/+14155550123/123456 HTTP/1.1" 200` and
`client - "WebSocket /checkcode/…" 403`. A path may contain a number, a code, the token of a
callback or the id of a verification.
"""

import logging
import re

#: A part of a path that names a route. No number, code, token or id has this form.
_PLAIN = re.compile(r"[a-z_.-]{1,15}|v\d")
#: By logger: the text of its lines with an address, and which argument the address is.
_LINES = {"uvicorn.access": ("", 2), "uvicorn.error": ('"WebSocket %s"', 1)}


class _HidesAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        text, path = _LINES[record.name]
        if isinstance(record.args, tuple) and len(record.args) > path and text in str(record.msg):
            args = list(record.args)
            args[path] = redacted(str(args[path]))
            record.args = tuple(args)
        return True


def hide_addresses() -> None:
    """Let the server of this process log only the parts of addresses that name routes."""
    for name in _LINES:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _HidesAddresses) for known in logger.filters):
            logger.addFilter(_HidesAddresses())


def redacted(path: str) -> str:
    """The path for the log: without a query, and only with the parts that name a route."""
    parts = path.partition("?")[0].split("/")
    return "/".join(part if not part or _PLAIN.fullmatch(part) else "…" for part in parts)
