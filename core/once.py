"""Makes an object of the process when it is first needed."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Call it to get the object. The first call makes it under a lock; if that raises, the next
    call tries again. (Not Streamlit's cache: visitors can empty it through its protocol.)"""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = Lock()
        self._objects: list[T] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._objects:
                self._objects.append(self._make())
            return self._objects[0]

    def forget(self) -> None:
        """For tests: the next call makes a new object."""
        with self._lock:
            self._objects.clear()
