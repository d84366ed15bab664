"""Starts and stops the embedded Redis server, which runs where REDIS_URL is not set.

It runs in its own session, on a private unix socket, and keeps its data in `<data_dir>/redis/`:
append-only, so a reply leaves the server only after the write it answers was handed to the kernel.
`kill -9` of the server loses nothing that was acknowledged; a power cut may lose the last second.

Three file locks show which processes use it; the kernel releases them when a process ends:

    start.lock   held while a server is started or ended: one process at a time
    users.lock   shared by every process that uses the server; the last of them ends the server
    server.lock  held by the server itself, which inherits it

Invariant: a server is started only with `server.lock` taken, so two never write the same file.
Invariant: no process is ever killed. A server is ended by SHUTDOWN, over a socket behind which it
has confirmed that it uses this folder; a pid from a file may belong to another process by now.
"""

import atexit
import fcntl
import hashlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.model.errors import StoreUnavailable
from core.store.server_binary import find_server, version_of
from core.store.watch import ServerWatch

# sockaddr_un holds 108 bytes on Linux and 104 on macOS.
_LONGEST_SOCKET_PATH = 100
_PATIENCE_SECONDS = 30.0

_CONFIG = """\
daemonize yes
port 0
unixsocket {socket}
unixsocketperm 700
dir {directory}
pidfile {pidfile}
logfile {logfile}
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
maxmemory-policy noeviction
"""


class EmbeddedRedis:
    """The server of one data directory, shared by all processes that start it.

    `patience_seconds` is how long its start (with the loading of its data) and its end may take.
    """

    def __init__(self, data_dir: Path, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._directory = data_dir.resolve() / "redis"
        self._socket = _socket_path(self._directory)
        self._log = self._directory / "redis.log"
        self._users: IO[bytes] | None = None
        self._watch: ServerWatch | None = None
        self._control = redis.Redis(
            unix_socket_path=str(self._socket),
            socket_timeout=2,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            protocol=2,
            driver_info=None,
        )

    @property
    def url(self) -> str:
        """Where the server is, as a `unix://` URL."""
        return f"unix://{quote(str(self._socket))}"

    def start(self) -> str:
        """Find the server or start it; returns its URL. Raises StoreUnavailable."""
        if self._users is not None:
            return self.url
        try:
            _private_folder(self._directory)
            _private_folder(self._socket.parent)
            with self._starting():
                users = _open_lock(self._directory / "users.lock")
                # Never waits: a process that takes it exclusively has `start.lock` too.
                fcntl.flock(users, fcntl.LOCK_SH)
                try:
                    self._run()
                except BaseException:
                    # Also KeyboardInterrupt: the lock would make this process a user of the server.
                    users.close()
                    raise
        except OSError as error:
            raise StoreUnavailable(
                f"The embedded Redis cannot use {self._directory}: {error.strerror}.",
                "Make that folder writable, choose another DATA_DIR, or set REDIS_URL.",
            ) from error
        self._users = users
        self._watch = ServerWatch(self._socket, self.ensure)
        self._watch.start()
        atexit.register(self.stop)
        return self.url

    def ensure(self) -> None:
        """Start the server again if it has ended; else one round trip. Raises StoreUnavailable."""
        if not self._answers():
            with self._starting():
                self._run()

    def stop(self) -> None:
        """Stop using the server; its last user ends it and waits for its end. May be repeated.

        Raises StoreUnavailable when the server does not end.
        """
        if self._users is None or self._watch is None:
            return
        atexit.unregister(self.stop)
        self._watch.stop()
        with self._starting(), self._users as users:
            self._users = None
            if _take(users) and self._answers():
                self._control.shutdown()
                self._wait_for_the_end()
        self._control.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @contextmanager
    def _starting(self) -> Iterator[None]:
        with _open_lock(self._directory / "start.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _run(self) -> None:
        """Under `start.lock`: return when the server answers."""
        deadline = time.monotonic() + self._patience_seconds
        started = False
        while not self._answers():
            # Taken: no server runs. Not taken: a server is starting, loading its data or ending.
            with _open_lock(self._directory / "server.lock") as lock:
                if _take(lock):
                    if started:
                        raise self._unavailable("ended at once")
                    self._spawn(lock)
                    started = True
            if time.monotonic() > deadline:
                raise self._unavailable("does not answer")
            _pause()

    def _spawn(self, lock: IO[bytes]) -> None:
        program = find_server()
        # Servers before 7 ignore that folder, and would start without the data.
        if version_of(program) < (7,) and (self._directory / "appendonlydir").is_dir():
            raise self._newer_data()
        # If the socket file exists, no server listens on it, and the new server replaces it.
        config = _CONFIG.format(
            socket=_quoted(self._socket),
            directory=_quoted(self._directory),
            pidfile=_quoted(self._directory / "server.pid"),
            logfile=_quoted(self._log),
        )
        # With `daemonize` it leaves our session, so Ctrl-C in the terminal does not reach it.
        answer = subprocess.run(  # noqa: S603 - the program comes from find_server
            [program, "-"],
            input=os.fsencode(config),
            capture_output=True,
            pass_fds=[lock.fileno()],
            timeout=self._patience_seconds,
            check=False,
        )
        if answer.returncode != 0:
            raise self._unavailable("refused to start")

    def _answers(self) -> bool:
        """Whether our server answers. Raises StoreUnavailable when another server does."""
        try:
            directory = self._control.config_get("dir")["dir"]
            # A server that loads its data returns its configuration, but answers no ping.
            self._control.ping()
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        if directory != str(self._directory):
            raise self._unavailable(f"finds another server on its socket (of {directory})")
        return True

    def _wait_for_the_end(self) -> None:
        deadline = time.monotonic() + self._patience_seconds
        with _open_lock(self._directory / "server.lock") as lock:
            while not _take(lock):
                if time.monotonic() > deadline:
                    raise self._unavailable("does not end")
                _pause()

    def _newer_data(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"The data in {self._directory} was written by a newer Redis or Valkey than"
            f" {find_server()}, which cannot read it.",
            "Install that server again, or choose another DATA_DIR.",
        )

    def _unavailable(self, what: str) -> StoreUnavailable:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        # The message about data that it cannot read is before the last line.
        if "Can't handle RDB format version" in "".join(lines[-3:]):
            return self._newer_data()
        last = f" Last line of its log: {lines[-1]}" if lines else ""
        return StoreUnavailable(
            f"The embedded Redis in {self._directory} {what}.{last}",
            "Read redis.log there; if a server of it still runs (its id is in server.pid), end it.",
        )


def _socket_path(directory: Path) -> Path:
    """In `directory`, else in a short private folder whose name is a digest of the directory."""
    path = directory / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"redis-{os.getuid()}-{name}" / "redis.sock"


def _private_folder(folder: Path) -> None:
    """Create `folder` for this user only. Raises StoreUnavailable if another user owns it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.lstat().st_uid
    if folder.is_symlink() or owner != os.getuid():
        raise StoreUnavailable(
            f"{folder} belongs to another user of this machine, so Redis is not started in it.",
            "Remove that folder, or choose another DATA_DIR.",
        )
    folder.chmod(0o700)


def _open_lock(path: Path) -> IO[bytes]:
    return path.open("ab")


def _take(lock: IO[bytes]) -> bool:
    """Whether the lock could be taken exclusively, without waiting."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _quoted(path: Path) -> str:
    """A path as redis.conf writes one."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _pause() -> None:
    """Wait a hundredth of a second before a condition with a deadline is checked again."""
    threading.Event().wait(0.01)
