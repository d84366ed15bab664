"""Runs single commands over connections that one thread at a time has to itself.

redis-py's pool and client cost 40 to 50 µs a command, a third of a check of a code. Here an idle
connection is taken from a list and put back, both without a lock. At most once: a command is sent
over a connection that has just been seen to be open, and after any error the connection is closed
and the command is not sent again. Only MOVED of a Cluster is followed, because nothing ran.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hiredis import pack_command
from redis.exceptions import MovedError, RedisError, ResponseError
from redis.retry import Retry

from core.store.failures import store_errors

#: More than the threads of one process that check codes at the same moment.
MOST_IDLE = 64


class Connection(Protocol):
    """The part of a connection of redis-py that is used here. `retry` is for MOVED only. A closed
    connection opens when it sends."""

    retry: Retry

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def can_read(self) -> bool: ...
    def send_packed_command(self, command: list[bytes], check_health: bool) -> None: ...
    def read_response(self) -> Any: ...


class OwnConnections:
    """Connections made by `make`, at most MOST_IDLE of them idle. May be used by many threads and,
    after a fork, by the child: it opens connections of its own."""

    def __init__(self, make: Callable[[], Connection]) -> None:
        self._make = make
        self._process = os.getpid()
        # Newest last. Its methods are atomic.
        self._idle: deque[Connection] = deque()
        self._is_closed = False

    def run(self, *command: Any) -> Any:
        """The answer to a command. Raises StoreUnavailable, and the ResponseError of a script."""
        (answer,) = self.run_all([command])
        if isinstance(answer, ResponseError):
            with store_errors():
                raise answer
        return answer

    def run_all(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The answers to commands, in one round trip; a ResponseError in place of the answer of a
        command that failed. Raises StoreUnavailable: some may have run."""
        if not commands:
            return []
        # redis-py's own packer converts each argument first, which takes three times as long. All
        # in one piece, because redis-py writes each piece by a system call of its own.
        packed = b"".join([pack_command(command) for command in commands])
        with store_errors():
            connection = self._take()
            try:
                answers = _exchange(connection, packed, len(commands))
            except BaseException:
                # Also KeyboardInterrupt: the next command would read the answer that is left.
                connection.disconnect()
                raise
            self._put_back(connection)
        return answers

    def _take(self) -> Connection:
        if self._process != os.getpid():
            # After a fork these belong to the parent, which still reads from their sockets.
            self._idle = deque()
            self._process = os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._make()
        else:
            if _is_open(connection):
                return connection
            connection.disconnect()
        connection.connect()
        return connection

    def _put_back(self, connection: Connection) -> None:
        if self._is_closed or len(self._idle) >= MOST_IDLE:
            connection.disconnect()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the idle connections; those in use close when they are put back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().disconnect()


def _exchange(connection: Connection, packed: bytes, commands: int) -> list[Any]:
    def send() -> list[Any]:
        connection.send_packed_command([packed], check_health=False)
        answers = [_read(connection) for _ in range(commands)]
        # Where the slot moved in between, some have run, and none is sent again.
        if all(isinstance(answer, MovedError) for answer in answers):
            raise answers[0]
        return answers

    try:
        return send()
    except MovedError:
        connection.disconnect()
        return connection.retry.call_with_retry(send, lambda error: connection.disconnect())


def _read(connection: Connection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        # It was read to its end, so the connection can serve again.
        return error


def _is_open(connection: Connection) -> bool:
    """Whether the server has neither closed it nor sent anything since the last answer."""
    try:
        return not connection.can_read()
    except (RedisError, OSError):
        return False
