"""Stores the sandbox's state in SQLite: one file, one connection, one process.

Decision: every statement runs on the event loop's thread. A statement takes microseconds, and a
record cannot change between a read and a write that have no `await` between them.
Decision: the file is locked for one process (`locking_mode=EXCLUSIVE`): two processes on one
schedule would run every job twice.
"""

import dataclasses
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.sandbox.errors import FileInUse, NotRunning, StorageFailed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

log = logging.getLogger(__name__)

RETENTION_SECONDS = 7 * 24 * 3600
PROBED_BYTES = 256 * 1024
#: What SQLite raises for a full disk and for a damaged file. Its other errors are bugs.
_FAILURES = {sqlite3.OperationalError, sqlite3.DatabaseError}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    message_uuid TEXT PRIMARY KEY, from_number TEXT NOT NULL, to_number TEXT NOT NULL,
    text TEXT NOT NULL, url TEXT NOT NULL, method TEXT NOT NULL, log TEXT NOT NULL,
    country TEXT, units INTEGER NOT NULL, requester_ip TEXT NOT NULL, state TEXT NOT NULL,
    error_code TEXT, message_time REAL NOT NULL, sent_time REAL, updated_time REAL,
    received_at REAL);
CREATE INDEX IF NOT EXISTS messages_by_time ON messages (message_time);
CREATE INDEX IF NOT EXISTS messages_by_number ON messages (to_number, received_at);

CREATE TABLE IF NOT EXISTS calls (
    call_uuid TEXT PRIMARY KEY, from_number TEXT NOT NULL, to_number TEXT NOT NULL,
    answer_url TEXT NOT NULL, answer_method TEXT NOT NULL,
    ring_url TEXT NOT NULL, ring_method TEXT NOT NULL,
    hangup_url TEXT NOT NULL, hangup_method TEXT NOT NULL,
    fallback_url TEXT NOT NULL, fallback_method TEXT NOT NULL,
    machine_detection TEXT NOT NULL, ring_timeout REAL NOT NULL, time_limit REAL NOT NULL,
    caller_name TEXT NOT NULL, phlo_otp TEXT NOT NULL, country TEXT,
    initiated_at REAL NOT NULL, rang_at REAL, answered_at REAL, ended_at REAL,
    hangup_code INTEGER, hangup_source TEXT NOT NULL,
    turn INTEGER NOT NULL, document BLOB NOT NULL, document_url TEXT NOT NULL,
    step INTEGER NOT NULL, prompt INTEGER NOT NULL, loops INTEGER NOT NULL,
    tries INTEGER NOT NULL, keys TEXT NOT NULL, waits_for_key INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS calls_by_time ON calls (initiated_at);
CREATE INDEX IF NOT EXISTS calls_by_end ON calls (ended_at);
CREATE INDEX IF NOT EXISTS calls_by_number ON calls (to_number, rang_at);

CREATE TABLE IF NOT EXISTS transcript (
    call_uuid TEXT NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS transcript_by_call ON transcript (call_uuid);

CREATE TABLE IF NOT EXISTS schedule (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, job TEXT NOT NULL,
    lane TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS schedule_by_due ON schedule (due, id);

CREATE TABLE IF NOT EXISTS callbacks (
    callback_id TEXT PRIMARY KEY, reference TEXT NOT NULL, event TEXT NOT NULL,
    url TEXT NOT NULL, method TEXT NOT NULL, form TEXT NOT NULL, state TEXT NOT NULL,
    forged INTEGER NOT NULL, created_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS callbacks_by_reference ON callbacks (reference);

CREATE TABLE IF NOT EXISTS callback_attempts (
    callback_id TEXT NOT NULL, at REAL NOT NULL, status INTEGER, problem TEXT);
CREATE INDEX IF NOT EXISTS callback_attempts_by_callback ON callback_attempts (callback_id);

CREATE TABLE IF NOT EXISTS handsets (
    number TEXT PRIMARY KEY, auto_answer INTEGER NOT NULL DEFAULT 0,
    press TEXT NOT NULL DEFAULT '1', cleared_at REAL NOT NULL DEFAULT 0);

CREATE TABLE IF NOT EXISTS plans (reference TEXT PRIMARY KEY, effects TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS chaos (
    id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, document TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS chaos_sends (
    recipient TEXT PRIMARY KEY, sends INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL UNIQUE, channel TEXT NOT NULL,
    number TEXT NOT NULL, code TEXT, words TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inbox_by_number ON inbox (number);

CREATE TABLE IF NOT EXISTS arrivals (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL, kind TEXT NOT NULL,
    reference TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (reference, kind));
CREATE INDEX IF NOT EXISTS arrivals_by_number ON arrivals (number, id);

CREATE TABLE IF NOT EXISTS leases (
    number TEXT PRIMARY KEY, lease TEXT NOT NULL, country TEXT NOT NULL, ending TEXT NOT NULL,
    leased_at REAL NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS leases_by_lease ON leases (lease);

CREATE TABLE IF NOT EXISTS room (id INTEGER PRIMARY KEY, filler BLOB NOT NULL);
"""

_PRUNING = (
    "DELETE FROM messages WHERE message_time < :oldest",
    "DELETE FROM calls WHERE initiated_at < :oldest",
    "DELETE FROM inbox WHERE reference NOT IN"
    " (SELECT message_uuid FROM messages UNION ALL SELECT call_uuid FROM calls)",
    "DELETE FROM transcript WHERE at < :oldest",
    "DELETE FROM callbacks WHERE created_at < :oldest",
    "DELETE FROM callback_attempts WHERE at < :oldest",
    "DELETE FROM plans WHERE reference NOT IN"
    " (SELECT message_uuid FROM messages UNION SELECT call_uuid FROM calls)",
    "DELETE FROM arrivals WHERE at < :oldest * 1000000",
    "DELETE FROM leases WHERE expires_at < :oldest",
)


class Storage:
    """The state file in `folder`, usable between `open` and `close`.

    Every method raises StorageFailed if SQLite fails, for example on a full disk. The first failure
    is logged and sets `is_failing`; a successful `probe` clears it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sandbox.sqlite3"
        self._connection: sqlite3.Connection | None = None
        self.is_failing = False

    def open(self, now: float) -> None:
        """Open or create the file with mode 0600, and delete records older than a week.

        Does nothing if it is open. Raises FileInUse when another process, or another Sandbox, has
        locked it, and StorageFailed when it is damaged or cannot be opened, such as on a full disk.
        """
        if self._connection is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Before SQLite opens it: its -wal file gets the mode of this file.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self.path.chmod(0o600)
        except OSError as error:
            raise StorageFailed(f"{self.path} cannot be opened: {error.strerror}.") from error
        connection = sqlite3.connect(
            self.path, timeout=1, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=WAL")
            # A killed process loses nothing; a power failure may lose the last transactions.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as e:
            connection.close()
            if "locked" in str(e):
                raise FileInUse(f"Another sandbox uses {self.path}.") from e
            if not isinstance(e, sqlite3.OperationalError):
                raise StorageFailed(
                    f"{self.path} is damaged: {e}. Remove it to begin with an empty sandbox."
                ) from e
            raise StorageFailed(f"{self.path} cannot be opened: {e}.") from e
        self._connection = connection
        with suppress(StorageFailed):  # `_execute` has logged it; the next start tries again
            for statement in _PRUNING:
                self.run(statement, oldest=now - RETENTION_SECONDS)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all writes inside together, or none. Can be nested; the outermost commits."""
        db = self._db()
        if db.in_transaction:
            yield
            return
        try:
            self._execute("BEGIN IMMEDIATE")
            yield
            self._execute("COMMIT")
        except BaseException:
            # Depending on the statement that failed, SQLite has already rolled back.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def run(self, sql: str, /, **values: Any) -> int:
        """Execute one statement; return the number of rows it changed."""
        return self._execute(sql, values).rowcount

    def rows(self, sql: str, /, **values: Any) -> list[sqlite3.Row]:
        return self._execute(sql, values).fetchall()

    def row(self, sql: str, /, **values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._execute(sql, values).fetchone()
        return row

    def probe(self) -> None:
        """Write more than any job does, and clear `is_failing` if that succeeds: on an almost full
        disk a small write may succeed and the next one fail."""
        self.run("INSERT OR REPLACE INTO room VALUES (1, zeroblob(:bytes))", bytes=PROBED_BYTES)
        self.run("DELETE FROM room")
        self.is_failing = False
        log.warning("sandbox can write its state file again")

    def save(self, table: str, record: "DataclassInstance") -> None:
        """Insert or replace a record; its fields are the table's columns."""
        values = dataclasses.asdict(record)
        columns = ", ".join(values)
        placeholders = ", ".join(f":{name}" for name in values)
        # The names come from the code, never from a request.
        self.run(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({placeholders})", **values)  # noqa: S608

    def _execute(self, sql: str, values: dict[str, Any] | None = None) -> sqlite3.Cursor:
        try:
            return self._db().execute(sql, values or {})
        except sqlite3.DatabaseError as error:
            if type(error) not in _FAILURES:
                raise
            if not self.is_failing:
                self.is_failing = True
                log.error("sandbox cannot write its state file", extra={"cause": str(error)})
            raise StorageFailed(f"The sandbox cannot write its state file: {error}.") from error

    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise NotRunning("The sandbox is not running; enter Sandbox.running() first.")
        return self._connection
