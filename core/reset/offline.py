"""Removes the state file of the app's sandbox while the app does not run."""

import sqlite3
from contextlib import closing
from pathlib import Path

from core.model.errors import ResetRefused


def remove_sandbox_file(folder: Path) -> None:
    """Remove the state file: the simulated handsets and Plivo's simulated logs. Raises ResetRefused
    if a sandbox has it open."""
    path = folder / "sandbox.sqlite3"
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as db:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise ResetRefused(
            "A running app uses the sandbox's state file.",
            "Pass its address: python -m core reset --address http://127.0.0.1:8501",
        ) from error
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)
