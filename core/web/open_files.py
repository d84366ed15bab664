"""Raises the limit of open files. Each connection is one, and many systems start with 1,024."""

import logging
import sys

log = logging.getLogger(__name__)

_MOST = 65_536


def raise_file_limit() -> None:
    """Raise the soft limit of open files to the hard one, to 65,536 at most."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft == resource.RLIM_INFINITY or soft >= limit:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    except (OSError, ValueError) as error:
        log.warning("open files stay limited", extra={"limit": soft, "cause": error})
    else:
        log.info("open files", extra={"limit": limit})
