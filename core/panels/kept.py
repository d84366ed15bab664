"""Keeps what a page was last drawn from, so that it can be drawn again while Redis is away."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from core.model.errors import StoreUnavailable
from core.panels.query_state import QueryState
from core.wording.formats import duration

T = TypeVar("T")


class KeptAnswers:
    """The answers that one session's page was drawn from. `at`: when, None before the first time.

    Between `begin` and `end` answers are read and kept. After `repeat`, and after a read that
    failed, those of the last whole drawing are given again, and what was not part of it raises the
    error of the outage. `shown_old`: whether the page is drawn as one of old figures.
    """

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.state: QueryState | None = None
        self.error: StoreUnavailable | None = None
        self.shown_old = False
        self._answers: dict[Hashable, Any] = {}
        self._drawn: dict[Hashable, Any] = {}

    def begin(self) -> None:
        self.error = None
        self._answers = {}

    def end(self, now: datetime, state: QueryState) -> None:
        self.at, self.state, self._drawn = now, state, self._answers

    def repeat(self, error: StoreUnavailable) -> None:
        self.error = error

    def reader(self, service: T) -> T:
        """The service, whose methods keep and repeat their answers."""
        return cast(T, _Reader(service, self))

    def answer(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        if self.error is None:
            try:
                self._answers[key] = answer = ask()
                return answer
            except StoreUnavailable as error:
                self.error = error
        if key not in self._drawn:
            raise self.error
        return self._drawn[key]


class _Reader:
    def __init__(self, service: Any, kept: KeptAnswers) -> None:
        self._service = service
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._service, name)
        if not callable(method):
            return method

        def read(*args: Any, **named: Any) -> Any:
            key = type(self._service).__name__, name, args, tuple(sorted(named.items()))
            return self._kept.answer(key, lambda: method(*args, **named))

        return read


def age_words(age: timedelta) -> str:
    """How old the figures are that are drawn again."""
    return f"The figures below are {duration(age)} old. The page goes on by itself."
