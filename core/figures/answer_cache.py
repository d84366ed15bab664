"""Caches the answers of queries for a few seconds, since panels and viewers ask the same ones."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from core.model.clock import Clock

#: How old a cached answer may be.
MAX_AGE = timedelta(seconds=3)
_MAX_ANSWERS = 200

P = ParamSpec("P")
R = TypeVar("R")


class AnswerCache:
    """Answers of one process by query. Callers share an answer, so they must not change it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[Hashable, tuple[datetime, Any]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], R]) -> R:
        """The cached answer, or that of `compute`. Two threads may compute it at the same time."""
        now = self._clock.now()
        with self._lock:
            cached_at, answer = self._answers.get(key, (None, None))
        # A clock that was set back must not extend the age.
        if cached_at is not None and timedelta() <= now - cached_at < MAX_AGE:
            return cast(R, answer)
        answer = compute()
        with self._lock:
            if len(self._answers) >= _MAX_ANSWERS:
                self._answers.clear()
            self._answers[key] = now, answer
        return answer

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()


class HasAnswerCache(Protocol):
    answers: AnswerCache
    settle: Callable[[], None]


S = TypeVar("S", bound=HasAnswerCache)


def cached(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Cache a method's answers by its arguments. A new answer is computed from settled figures."""

    @wraps(method)
    def from_cache(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (method.__name__, args, tuple(sorted(kwargs.items())))

        def compute() -> R:
            self.settle()
            return method(self, *args, **kwargs)

        return self.answers.get(key, compute)

    return from_cache
