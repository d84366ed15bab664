"""The queries of a look: a range, filters and a comparison each, chosen by the seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.expected import Place
from tests.oracle.generator import LONG, Look

PRESETS = ["15m", "1h", "6h", "24h", "today", "yesterday", "7d", "30d", "90d"]
COMPARISONS = ["previous", "weekday", "year", "none"]
PLACES = [
    Place(),
    Place("sms"),
    Place("voice"),
    Place(None, "DE"),
    Place("phlo", "DE"),
    Place("sms", "US", "unknown"),
    Place(None, "DE", "O2/E-Plus"),
    Place(None, "DE", "50 %2F"),
    Place(None, "DE", "Vodafone"),
    Place(None, "US", LONG.strip()),
    Place(None, "ZZ"),
    Place("sms", "FR"),
]


@dataclass(frozen=True)
class Case:
    """One query. `values` are those of the page's controls, `asked` the range in Unix ms that
    they ask for."""

    look: Look
    name: str
    place: Place
    comparison: str
    asked: tuple[int, int]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.look.zone)

    @property
    def params(self) -> dict[str, str]:
        """The same query in REST."""
        params = {"zone": self.look.zone}
        if self.name in PRESETS:
            params["range"] = self.name
        else:
            start, end = (_utc(ms).isoformat() for ms in self.asked)
            params |= {"start": start, "end": end}
        for name in ("channel", "country", "carrier"):
            if (value := getattr(self.place, name)) is not None:
                params[name] = value
        return params

    def __str__(self) -> str:
        parts = (self.place.channel, self.place.country, self.place.carrier)
        place = " ".join(part[:20] for part in parts if part is not None)
        look = f"{self.look.now:%Y-%m-%d %H:%M:%S} {self.look.zone}"
        return f"{look}, {self.name}, {place or 'all'}, against {self.comparison}"


class Cases:
    """Chooses queries: ranges and places come up in turn, each with the others, in an order that
    the seed gives; the comparison and the custom ranges by chance."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        names = [*PRESETS, "custom", "custom", "local day", "change"]
        places = rng.sample(PLACES, len(PLACES))
        names = rng.sample(names, len(names))
        # The numbers of both have no common divisor, so all pairs come up.
        self._pairs = cycle(islice(zip(cycle(names), cycle(places)), len(names) * len(places)))

    def at(self, look: Look, most: int) -> Iterator[Case]:
        """At most `most` queries at this look."""
        for name, place in islice(self._pairs, most):
            if case := self._case(look, name, place):
                yield case

    def _case(self, look: Look, name: str, place: Place) -> Case | None:
        comparison = self._rng.choice(COMPARISONS)
        values: dict[str, Any] = {"range": name, "zone": look.zone, "compare": comparison}
        for control in ("channel", "country", "carrier"):
            value = getattr(place, control)
            values[control] = "all" if value is None else value
        if name in PRESETS:
            return Case(look, name, place, comparison, _preset(look, name), values)
        moments = _custom(look, name, self._rng)
        values |= {"range": "custom", "from": moments[0], "to": moments[1]}
        start, end = sorted(_ms(moment.replace(tzinfo=ZoneInfo(look.zone))) for moment in moments)
        end = min(end, look.now_ms)
        if start >= end:
            return None
        return Case(look, name, place, comparison, (start, end), values)


def _preset(look: Look, name: str) -> tuple[int, int]:
    """What a preset means at the look."""
    now, zone = look.now_ms, ZoneInfo(look.zone)
    today = look.now.astimezone(zone).date()

    def midnight(days: int) -> int:
        day = today - timedelta(days=days)
        return _ms(datetime(day.year, day.month, day.day, tzinfo=zone))

    match name:
        case "15m" | "1h":
            return (now - {"15m": 15, "1h": 60}[name] * 60_000) // 60_000 * 60_000, now
        case "6h" | "24h":
            return (now - int(name[:-1]) * 3_600_000) // 900_000 * 900_000, now
        case "today":
            return midnight(0), now
        case "yesterday":
            return midnight(1), midnight(0)
        case _:
            return midnight(int(name[:-1]) - 1), now


def _custom(look: Look, name: str, rng: random.Random) -> tuple[datetime, datetime]:
    """The naive local moments of a custom range."""
    local = look.now.astimezone(ZoneInfo(look.zone)).replace(tzinfo=None)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "local day":
        first = midnight - timedelta(days=rng.choice([1, 2, 3, 30, 34, 36, 60]))
        return first, first + timedelta(days=rng.choice([1, 1, 2, 7]))
    if name == "change":
        first = local.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
        return first, first + timedelta(hours=rng.choice([1, 2, 3]))
    length = timedelta(minutes=rng.choice([1, 7, 90, 200, 40 * 60, 5 * 24 * 60, 50 * 24 * 60]))
    back = timedelta(minutes=rng.choice([0, 5, 100, 3000, 60_000]) * rng.random())
    last = (local - back).replace(microsecond=0)
    return last - length, last


def _utc(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, ZoneInfo("UTC"))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
