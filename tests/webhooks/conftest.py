"""A world with a receiver of its events, whose clock follows the world's.

They have a Redis of their own: the processes of the other tests have no WEBHOOK_URL, and would
change the same verifications.
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
class WebhookWorld:
    """A world, and the receiver of its events."""

    world: World
    receiver: Receiver


@pytest.fixture(scope="package")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("data"))
    yield embedded.start()
    embedded.stop()


@pytest.fixture(scope="module")
def _webhooks(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[WebhookWorld]:
    data: Path = tmp_path_factory.mktemp("webhooks")
    with (
        receiving(SECRET) as (receiver, url),
        world(
            data,
            redis_url,
            MovableClock(),
            webhook_url=url,
            webhook_secret=SecretStr(SECRET),
        ) as at,
    ):
        yield WebhookWorld(at, receiver)


@pytest.fixture
def webhooks(
    _webhooks: WebhookWorld, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WebhookWorld]:
    """The world with an empty Redis and the real time; the receiver accepts everything."""
    clock, receiver = _webhooks.world.clock, _webhooks.receiver
    clock.ahead *= 0
    receiver.answers[:] = [(200, {})]
    receiver.requests.clear()
    receiver.other_paths.clear()
    move_the_receivers_clock(clock, monkeypatch)
    yield _webhooks
    clock.ahead *= 0


def move_the_receivers_clock(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library refuses requests more than five minutes old or new, by the machine's clock."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Moved":
            moment = clock.now().astimezone(tz)
            return cls.fromtimestamp(moment.timestamp(), tz)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Moved)
