"""The product under test: two processes on one Redis, whose clock stands where a test puts it."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from core.model.attempt import AttemptEvent, EventKind, Source
from core.services import Services
from tests.oracle.generator import Look
from tests.world import MovableClock, World, second_process, world

KEEP_DAYS = 90


class StandingClock(MovableClock):
    """Stands at the moment that a test sets."""

    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


class Product:
    """Two processes. One of them serves HTTP."""

    def __init__(self, at: World, second: Services, clock: StandingClock) -> None:
        self.processes: list[Services] = [at.services, second]
        self.http: httpx.Client = at.http
        #: Of the last answer that is a list, Unix ms.
        self.range_read = (0, 0)
        self._clock = clock
        self._token = at.services.tokens.sandbox_token

    def stand_at(self, look: Look) -> None:
        self._clock.moment = look.now

    def receive(self, events: Iterable[dict[str, Any]]) -> None:
        """Apply the events in both processes at once; each verification is of one of them."""
        shares: list[list[AttemptEvent]] = [[], []]
        for event in events:
            shares[int(event["verification"]) % 2].append(_event(event))
        with ThreadPoolExecutor(2) as pool:
            applied = [
                pool.submit(services.ledger.apply_all, share, batch=40)
                for services, share in zip(self.processes, shares, strict=True)
            ]
            for future in applied:
                future.result()
        for services in self.processes:
            services.fold.settle(60)
            services.queries.forget()

    def get(self, path: str, **params: str) -> Any:
        """The JSON of a GET of the REST API."""
        answer = self.http.get(f"/api/v1/delivery/{path}", params=params, headers=self._headers)
        assert answer.status_code == 200, (path, params, answer.text)
        if header := answer.headers.get("Range-Read"):
            start, end = (datetime.fromisoformat(text) for text in header.split("/"))
            self.range_read = round(start.timestamp() * 1000), round(end.timestamp() * 1000)
        return answer.json()

    def metrics(self) -> str:
        answer = self.http.get("/metrics", headers=self._headers | {"Accept": "text/plain"})
        assert answer.status_code == 200, answer.text
        return answer.text

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


@contextmanager
def product(data: Path, redis_url: str) -> Iterator[Product]:
    clock = StandingClock()
    settings = {"attempt_retention_days": KEEP_DAYS, "api_requests_per_minute": 1_000_000}
    with world(data, redis_url, clock, **settings) as at, second_process(at) as second:
        yield Product(at, second, clock)


def _event(event: dict[str, Any]) -> AttemptEvent:
    return AttemptEvent(
        event["attempt"],
        EventKind(event["kind"]),
        datetime.fromtimestamp(event["at_ms"] // 1000, UTC).replace(
            microsecond=event["at_ms"] % 1000 * 1000
        ),
        Source(event["source"]),
        event["fields"],
    )
