"""Two processes check the same alerts and are killed; each change is notified once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import redis

from core.background import Periodic
from core.model.clock import to_ms
from core.settings.keyring import Keyring
from core.store.keys import Keys
from core.store.scripts import Scripts
from core.webhooks.notifier import Notifier
from core.webhooks.queue import Outbox
from core.webhooks.receivers import Receivers
from core.webhooks.sender import WebhookSender
from core.webhooks.worker import WebhookWorker
from tests.alerts.test_alerts import DEAD, GOOD, MINUTE, Room
from tests.alerts.test_alerts import room as room
from tests.webhooks.conftest import SECRET, move_the_receivers_clock
from tests.webhooks.receiver import Receiver, receiving
from tests.world import until

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def receiver(room: Room, own_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that is down at first, and the worker of a process that stays."""
    move_the_receivers_clock(room.clock, monkeypatch)
    with (
        receiving(SECRET) as (receiver, url),
        redis.Redis.from_url(own_database, decode_responses=True) as client,
    ):
        receiver.answers[:] = [(503, {}), (200, {})]
        outbox = Outbox(
            client,
            Scripts(client),
            Keys("sandbox"),
            room.clock,
            "example.com",
            lambda: 0.0,
        )
        sender = WebhookSender(url, SECRET, room.clock)
        receivers = Receivers(sender, Notifier((), Keyring(b"k" * 32)))
        background: Periodic = WebhookWorker(outbox, None, receivers).background
        background.start()
        yield receiver
        background.stop()


def check_in_two_processes(room: Room, url: str) -> None:
    """Check the next minute in two processes at once; both are killed after it."""
    room.was_checked()
    room.clock.advance(MINUTE)
    command = [sys.executable, "-m", "tests.alerts.checking_process", url]
    moment = str(to_ms(room.clock.now()))
    processes = [subprocess.Popen([*command, moment], cwd=PROJECT) for _ in range(2)]  # noqa: S603
    assert [process.wait() for process in processes] == [-signal.SIGKILL] * 2


def is_settled(room: Room) -> bool:
    """Whether the answer of a try is recorded, and with it when the next try is due."""
    return any(str(name).endswith(" last") for name in room.client.hkeys(room.keys.outbox_events))


def test_an_alert_is_notified_once_by_two_processes_that_die_and_a_receiver_that_was_down(
    room: Room, receiver: Receiver, own_database: str
) -> None:
    room.healthy("sms/DE/O2")
    room.alerts.check()
    room.add("sms/DE/O2", 20, DEAD | {"unclear": 2})
    room.clock.advance(9 * MINUTE)
    check_in_two_processes(room, own_database)
    # The retry is due relative to the moment at which the first try is settled.
    until(lambda: is_settled(room))
    room.clock.advance(timedelta(seconds=10))
    until(lambda: len(receiver.requests) == 2)
    refused, firing = receiver.requests
    assert refused.body == firing.body
    assert firing.event["type"] == "alert.firing"
    assert (firing.data["channel"], firing.data["measure"]) == ("sms", "unclear")
    query = parse_qs(urlsplit(firing.data["link"]).query)
    assert query["channel"] == ["sms"]
    assert query["range"] == ["Custom"]

    room.add("sms/DE/O2", 100, GOOD, 20)
    room.clock.advance(50 * MINUTE)
    check_in_two_processes(room, own_database)
    until(lambda: len(receiver.requests) == 3)
    assert receiver.requests[-1].event["type"] == "alert.resolved"
    assert receiver.requests[-1].data["measure"] == firing.data["measure"]
