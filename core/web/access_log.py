"""Keeps what is secret in an address out of the server's log.

Its lines are uvicorn's own, `client - "GET /checkcode/+14155550123/123456 HTTP/1.1" 200` and, for
whoever asks for a WebSocket, `client - "WebSocket /checkcode/…" 403`: a number, a code, the token
of a callback, the id of a verification.
"""

import logging
import re

#: A part of a path that names a route of ours. No number, code, token or id looks like that.
_PLAIN = re.compile(r"[a-z_.-]{1,15}|v\d")
#: By logger: what its lines with an address have in them, and which argument the address is.
_LINES = {"uvicorn.access": ("", 2), "uvicorn.error": ('"WebSocket %s"', 1)}


class _HidesAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        said, path = _LINES[record.name]
        if isinstance(record.args, tuple) and len(record.args) > path and said in str(record.msg):
            args = list(record.args)
            args[path] = shown(str(args[path]))
            record.args = tuple(args)
        return True


def hide_addresses() -> None:
    """From now on, this process's server names only routes in its log."""
    for name in _LINES:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _HidesAddresses) for one in logger.filters):
            logger.addFilter(_HidesAddresses())


def shown(path: str) -> str:
    """The path as the log has it: no query, and nothing but the parts that name a route."""
    parts = path.partition("?")[0].split("/")
    return "/".join(part if not part or _PLAIN.fullmatch(part) else "…" for part in parts)
