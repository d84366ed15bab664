"""The events of an alert, their JSON, and their place in the queue.

    {"id": "alert_<digest>_<checked, Unix ms>_<kind>", "type": "alert.<kind>", "timestamp": …,
     "data": {"title", "text", "link", "channel", "country", "carrier", "measure", "since", …}}

Each receiver has an event of its own, so a receiver that is down delays no other: WEBHOOK_URL, and
each service of ALERT_URLS.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.model.clock import duration_ms, read_ms, to_ms
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.store.keys import Keys
from core.webhooks.envelope import envelope

#: The receiver that is WEBHOOK_URL.
WEBHOOK = ""
PREFIX = "alert."
#: How ids of events of alerts begin, and no other id; `claim_events.lua` has it too.
ID_PREFIX = "alert_"
#: As long as `_outbox.lua` keeps the queue after its newest event.
_KEEP_MS = duration_ms(timedelta(days=30))


#: A value of an event for programs; None is not sent.
Fact = str | int | float | list[str] | None


class AlertEventKind(StrEnum):
    """What an event reports of an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"
    TEST = "test"  # a person has asked for it


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """An event of an alert for one receiver. `at` is aware, in UTC; `title` and `text` are for
    people; `link` opens the Delivery page on the range and filters of the alert, "" while the
    address of the page is not known; `facts` are the same for programs. `after`: the id of the
    event that the receiver gets before this one, "" if none."""

    id: str
    kind: AlertEventKind
    at: datetime
    receiver: str
    title: str
    text: str
    link: str
    facts: dict[str, Fact]
    after: str = ""

    @property
    def type(self) -> str:
        """The type that the receiver sees."""
        return f"{PREFIX}{self.kind}"

    @property
    def body(self) -> bytes:
        """The JSON, in ASCII, without unknown values."""
        known: dict[str, object] = {
            name: value for name, value in self.facts.items() if value is not None
        }
        texts = {"title": self.title, "text": self.text}
        if self.link:
            texts["link"] = self.link
        return envelope(self.id, self.type, self.at, texts | known)

    @property
    def stored(self) -> str:
        """The text that `read_alert_event` reads."""
        return json.dumps(
            {
                "type": self.type,
                "at_ms": to_ms(self.at),
                "receiver": self.receiver,
                "title": self.title,
                "text": self.text,
                "link": self.link,
                "facts": self.facts,
                "after": self.after,
            }
        )


def read_alert_event(event_id: str, fields: dict[str, Any]) -> AlertEvent:
    """The reverse of `AlertEvent.stored`. Raises KeyError, TypeError or ValueError."""
    return AlertEvent(
        id=event_id,
        kind=AlertEventKind(fields["type"].removeprefix(PREFIX)),
        at=read_ms(str(fields["at_ms"])),
        receiver=fields["receiver"],
        title=fields["title"],
        text=fields["text"],
        link=fields["link"],
        facts=dict(fields["facts"]),
        after=fields.get("after", ""),
    )


def event_id(subject: str, at: datetime, kind: AlertEventKind, receiver: str) -> str:
    """An id in ASCII. `subject` names the alert; `at` is the moment of the check."""
    digest = hashlib.blake2s(subject.encode(), digest_size=8).hexdigest()
    suffix = f"_{receiver}" if receiver else ""
    return f"{ID_PREFIX}{digest}_{to_ms(at)}_{kind}{suffix}"


def receiver_of(url: str, keyring: Keyring) -> str:
    """The name of a service of ALERT_URLS in the queue: a keyed digest, since the address may hold
    a password."""
    key = keyring.signing_key("alert receiver")[:32]
    return hashlib.blake2s(url.encode(), key=key, digest_size=8).hexdigest()


def alert_receivers(settings: Settings, keyring: Keyring) -> tuple[str, ...]:
    """The receivers of alerts, each once."""
    webhook = (WEBHOOK,) if settings.webhook_url is not None else ()
    services = (receiver_of(url.get_secret_value(), keyring) for url in settings.alert_urls)
    return webhook + tuple(dict.fromkeys(services))


def queue_alerts(pipe: Any, keys: Keys, events: Sequence[AlertEvent], now: datetime) -> None:
    """Queue events with a pipeline of the caller, in the same step as what they report."""
    for event in events:
        pipe.hset(keys.outbox_events, event.id, event.stored)
        pipe.zadd(keys.outbox, {event.id: to_ms(now)})
    if events:
        pipe.pexpire(keys.outbox, _KEEP_MS)
        pipe.pexpire(keys.outbox_events, _KEEP_MS)
