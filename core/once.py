"""An object of the process that is made when it is first needed."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Call it to get the object; the first call makes it, under a lock. If that raises, the next
    call tries again. (Not Streamlit's cache: a message of its protocol empties that.)"""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def forget(self) -> None:
        """For tests: the next call makes another one."""
        with self._lock:
            self._made.clear()
