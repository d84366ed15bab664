"""A world that tells a receiver, and a receiver whose watch goes with the world's clock.

They have a Redis of their own: the world of the other tests tells nobody, and would take part in
what happens here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
import redis
import standardwebhooks.webhooks
from pydantic import SecretStr

from core.store.embedded import EmbeddedRedis
from tests.webhooks.receiver import Receiver, receiving
from tests.world import MovableClock, World, world

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Told:
    """A world, and who is told of it."""

    world: World
    receiver: Receiver


@pytest.fixture(scope="package")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("data"))
    yield embedded.start()
    embedded.stop()


@pytest.fixture(scope="module")
def _told(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Told]:
    data: Path = tmp_path_factory.mktemp("telling")
    with (
        receiving(SECRET) as (receiver, url),
        world(
            data,
            redis_url,
            MovableClock(),
            webhook_url=url,
            webhook_secret=SecretStr(SECRET),
        ) as made,
    ):
        yield Told(made, receiver)


@pytest.fixture
def told(_told: Told, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """The world with an empty Redis and the real time; the receiver takes everything."""
    clock, receiver = _told.world.clock, _told.receiver
    clock.ahead *= 0
    receiver.answers[:] = [(200, {})]
    receiver.heard.clear()
    receiver.strayed.clear()
    let_the_receivers_clock_go_with(clock, monkeypatch)
    yield _told
    clock.ahead *= 0


def let_the_receivers_clock_go_with(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library refuses what is older or newer than five minutes, by the machine's clock."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Moved":
            moment = clock.now().astimezone(tz)
            return cls.fromtimestamp(moment.timestamp(), tz)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Moved)
