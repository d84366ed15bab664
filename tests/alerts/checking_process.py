"""A process that checks alerts at a moment, and is killed before it has notified anyone.

python -m tests.alerts.checking_process REDIS_URL MOMENT_MS
"""

import os
import signal
import sys
from datetime import datetime

import redis

from core.alerts.alerts import Alerts
from core.alerts.figures import AlertFigures
from core.alerts.notifications import Announcer
from core.model.clock import from_ms
from core.store.keys import Keys
from core.webhooks.alert_event import WEBHOOK
from core.wording.alert_messages import PageAddress, alert_message, test_alert_message

BASE = PageAddress("https://verify.example.com")


class StandingClock:
    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


ANNOUNCER = Announcer(
    (WEBHOOK,),
    lambda item, now: alert_message(item.kind, item.status, now, "sandbox", BASE),
    lambda: test_alert_message("sandbox", BASE),
)


def main() -> None:
    url, moment_ms = sys.argv[1:]
    client = redis.Redis.from_url(url, decode_responses=True)
    raw = redis.Redis.from_url(url)
    keys, clock = Keys("sandbox"), StandingClock(from_ms(int(moment_ms)))
    reader = AlertFigures(client, raw, keys, lambda: None)  # type: ignore[arg-type]
    Alerts(client, keys, clock, reader, ANNOUNCER).check()  # type: ignore[arg-type]
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
