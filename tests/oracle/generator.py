"""Makes traffic from a seed: verifications with their attempts and events, as plain dicts.

Nothing here knows the product, apart from the names of events. An event is

    {"attempt", "verification", "kind", "at_ms", "source", "fields", "look"}

`look` is the first look at the figures before which the event is received. The events of a look are
in the order in which they are received; those of one verification are received by one process.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.model.attempt import EventKind as Kind

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

#: Zones with both changes of their clocks in 2026: forward and back.
CHANGES = {
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30"),  # by half an hour
    "Pacific/Chatham": ("2026-04-04T14:00", "2026-09-26T14:00"),  # 12:45 ahead of UTC
    "America/Santiago": ("2026-04-05T03:00", "2026-09-06T04:00"),  # at midnight
    "Africa/Cairo": ("2026-04-23T22:00", "2026-10-29T21:00"),  # likewise
}
ALWAYS = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")

LONG = "Compañía Telefónica " * 10  # 200 characters
PLACES = [
    ("DE", "Vodafone"),
    ("DE", "O2"),
    ("DE", "O2/E-Plus"),
    ("DE", "a/b/c"),
    ("DE", "50 %2F"),
    ("DE", ""),
    ("US", ""),
    ("US", LONG.strip()),
    ("IN", '=Jio, "4G"'),
    ("IN", "Airtel-IN"),
    ("ID", "Telkomsel"),
    ("", ""),
    ("", "?"),
]
WEIGHTS = [12, 6, 2, 1, 1, 2, 8, 2, 3, 3, 3, 1, 1]
WAYS = [("sms", "sms"), ("voice", "call"), ("phlo", "sms"), ("phlo", "call")]
#: What the send was answered with.
ANSWERS = {Kind.ACCEPTED, Kind.REJECTED, Kind.UNCONFIRMED}
SMS_ERRORS, CALL_ERRORS = ("30", "50", "900", "x/y"), ("3000", "3010", "4000")


@dataclass(frozen=True)
class Look:
    """A moment at which the figures are read, and the zone of the reader."""

    now_ms: int
    zone: str

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)


@dataclass
class Traffic:
    """`attempts` by id, as they were requested; `events` in the order of their receipt."""

    looks: list[Look]
    attempts: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


def make_traffic(seed: int, size: int) -> Traffic:
    """About `size` verifications before each look, and as many over all the months before."""
    return _Generator(random.Random(seed), size).traffic()  # noqa: S311


def looks_of(rng: random.Random) -> list[Look]:
    """An hour or two after each change of clocks, and half a minute after the next midnight."""
    fourth = rng.choice([zone for zone in CHANGES if zone not in ALWAYS])
    looks = []
    for zone in (*ALWAYS, fourth):
        for change in CHANGES[zone]:
            at = datetime.fromisoformat(change).replace(tzinfo=UTC)
            after = at + timedelta(minutes=rng.choice([20, 75, 100]), seconds=rng.randrange(60))
            local = after.astimezone(ZoneInfo(zone))
            midnight = _midnight(local + timedelta(days=1))
            looks += [Look(_ms(after), zone), Look(_ms(midnight) + 31 * SECOND, zone)]
    return sorted(looks, key=lambda look: look.now_ms)


class _Generator:
    def __init__(self, rng: random.Random, size: int) -> None:
        self._rng = rng
        self._size = size
        self._looks = looks_of(rng)
        self._made = Traffic(self._looks)
        #: (received at, in order of making, event)
        self._received: list[tuple[int, int, dict[str, Any]]] = []
        self._verifications = 0

    def traffic(self) -> Traffic:
        rng, looks = self._rng, self._looks
        for number, look in enumerate(looks):
            for moment in self._moments(look):
                self._verification(moment, number)
        first = looks[0].now_ms
        for _ in range(self._size * 3):
            # A year before the later looks, and the weeks around all of them.
            self._verification(rng.randrange(first - 120 * DAY, looks[-1].now_ms - HOUR), 0)
        self._received.sort(key=lambda entry: entry[:2])
        self._made.events = [event for _, _, event in self._received]
        for received_ms, _, event in self._received:
            event["look"] = next(
                (n for n, look in enumerate(looks) if received_ms <= look.now_ms), len(looks)
            )
        self._made.events = [e for e in self._made.events if e["look"] < len(looks)]
        return self._made

    def _moments(self, look: Look) -> Iterator[int]:
        """When verifications start before a look: at every edge of its ranges and around it."""
        rng, now = self._rng, look.now_ms
        zone = ZoneInfo(look.zone)
        local = look.now.astimezone(zone)
        midnights = [_ms(_midnight(local - timedelta(days=n))) for n in (0, 1, 2, 6, 7, 29, 34)]
        edges = [
            now,
            now - now % MINUTE,
            now - 15 * MINUTE - now % MINUTE,
            now - HOUR - now % MINUTE,
            now - now % (15 * MINUTE) - rng.choice([6, 24, 48]) * HOUR,
            *rng.sample(midnights, 4),
        ]
        for edge in edges:
            for moment in {edge - 1, edge, edge + 1}:
                if moment < now and rng.random() < 0.7:
                    yield moment
        for _ in range(self._size):
            span = rng.choice([15 * MINUTE, HOUR, 6 * HOUR, 26 * HOUR, 50 * HOUR, 9 * DAY])
            yield now - rng.randrange(1, span)

    def _verification(self, started: int, look: int) -> None:
        rng = self._rng
        self._verifications += 1
        name = f"{self._verifications:024}"
        place = rng.choices(PLACES, WEIGHTS)[0]
        number = rng.choices([1, 2, 3, 4], [70, 20, 7, 3])[0]
        first: dict[str, Any] | None = None
        requested = started
        attempts = []
        for n in range(1, number + 1):
            way = rng.choices(WAYS, [60, 25, 8, 7])[0]
            if first and rng.random() < 0.5:
                way = first["channel"], first["mode"]
            attempt: dict[str, Any] = {
                "attempt": f"{name}-{n}", "verification": name, "channel": way[0], "mode": way[1],
                "region": place[0], "carrier": place[1], "requested_ms": requested,
                "origin": "first", "first_channel": way[0], "first_ms": requested,
            }  # fmt: skip
            if first:
                same = (first["channel"], first["mode"]) == way
                attempt |= {
                    "origin": "resend" if same else "fallback",
                    "first_channel": first["channel"], "first_ms": first["requested_ms"],
                }  # fmt: skip
            else:
                first = attempt
            attempts.append(attempt)
            requested += rng.choice([30_700, 2 * MINUTE, rng.randrange(1, 20 * MINUTE)])
        attempts = [a for a in attempts if a["requested_ms"] <= self._looks[-1].now_ms]
        for attempt in attempts:
            self._made.attempts[attempt["attempt"]] = attempt
            self._attempt(attempt)
        self._codes(attempts)

    def _attempt(self, attempt: dict[str, Any]) -> None:
        """The request, what follows, and the order in which it is received."""
        rng, at = self._rng, attempt["requested_ms"]
        record = {name: attempt[name] for name in ("channel", "mode", "region", "carrier")}
        record |= {"to_masked": "+1 ••", "origin": attempt["origin"]}
        if attempt["origin"] != "first":
            record |= {
                "first_channel": attempt["first_channel"],
                "first_ms": str(attempt["first_ms"]),
            }
        self._hear(attempt, Kind.REQUESTED, at, "app", record, delay=0)
        is_call = attempt["mode"] == "call"
        queued, sent = (Kind.RINGING, Kind.ANSWERED) if is_call else (Kind.QUEUED, Kind.SENT)
        price = {"cost_micros": str(rng.choice([0, 3_100, 7_700, 52_000])), "units": "1"}
        error = (
            {"hangup_cause": rng.choice(CALL_ERRORS)} if is_call
            else {"error_code": rng.choice(SMS_ERRORS)}
        )  # fmt: skip
        if rng.random() < 0.1:
            error = {}
        times = [at + rng.randrange(30, 900)]
        for _ in range(3):
            longest = rng.choices([2, 12, 40, 300, 80 * 3600], [50, 25, 15, 8, 2])[0] * SECOND
            times.append(times[-1] + rng.randrange(longest))
        steps: list[tuple[Kind, int, dict[str, str]]] = [
            (Kind.ACCEPTED, times[0], {"reference": f"ref-{attempt['attempt']}"}),
            (queued, times[1], {}),
            (sent, times[2], price if rng.random() < 0.7 else {}),
        ]
        final = (Kind.DELIVERED, times[3], price)
        ending = rng.choices(
            ["delivered", "undelivered", "failed", "rejected", "unclear", "open", "unreported",
             "corrected", "wild"],
            [50, 10, 4, 4, 8, 10, 2, 6, 6],
        )[0]  # fmt: skip
        match ending:
            case "delivered":
                steps = [*steps[: rng.randrange(4)], final]
            case "undelivered":
                steps = [*steps[: rng.randrange(3)], (Kind.UNDELIVERED, times[3], price | error)]
            case "failed":
                steps = [steps[0], (Kind.FAILED, times[1], error)]
            case "rejected":
                steps = [
                    (Kind.REJECTED, times[0], {"error_code": "401"} if rng.random() < 0.5 else {})
                ]
            case "unclear":
                settled = [steps[0], *steps[1 : rng.randrange(2, 4)], final]
                steps = [(Kind.UNCONFIRMED, at + 10 * SECOND, self._unclear_fields())]
                if rng.random() < 0.5:
                    steps += settled if rng.random() < 0.7 else [(Kind.REJECTED, times[3], {})]
            case "open":
                steps = steps[: rng.randrange(4)]
            case "unreported":
                steps = [*steps, (Kind.UNREPORTED, at + 72 * HOUR, {})]
            case "corrected":
                lost = (rng.choice([Kind.FAILED, Kind.UNDELIVERED]), times[2], error)
                steps = [*steps[:2], lost, final]
            case _:
                kinds = [Kind.UNCONFIRMED, Kind.ACCEPTED, queued, sent, Kind.UNREPORTED,
                         Kind.REJECTED, Kind.FAILED, Kind.UNDELIVERED, Kind.DELIVERED]  # fmt: skip
                steps = [
                    (
                        kind,
                        at + rng.randrange(-5 * SECOND, 100 * HOUR),
                        rng.choice([{}, error, price]),
                    )
                    for kind in rng.sample(kinds, rng.randrange(1, 6))
                ]
        for kind, moment, fields in steps:
            source = "app" if kind in ANSWERS else "callback"
            self._hear(attempt, kind, moment, source, fields, doubled=rng.random() < 0.25)
        if rng.random() < 0.15:
            # The log has a price of its own, which is final; sometimes a callback comes after it.
            kind, moment, _ = steps[-1] if steps else (Kind.ACCEPTED, times[0], {})
            fields = {"cost_micros": str(rng.choice([2_900, 8_000])), "units": "2"}
            self._hear(attempt, kind, moment, "log", fields)
        if rng.random() < 0.01:
            stray = attempt | {"attempt": f"{attempt['verification']}-9"}
            self._hear(stray, Kind.DELIVERED, times[3], "callback", {})

    def _unclear_fields(self) -> dict[str, str]:
        """How the send failed: 429, a 5xx, or no answer."""
        return self._rng.choice([{}, {"send_status": "503"}, {"send_status": "429"}])

    def _codes(self, attempts: list[dict[str, Any]]) -> None:
        """Entered codes: they are stored with the newest attempt that there is at that moment."""
        rng = self._rng
        if not attempts:
            return
        start = attempts[0]["requested_ms"]
        entered = start + rng.choice([9 * SECOND, 25 * SECOND, rng.randrange(1, 300 * SECOND)])
        right = rng.random() < 0.6
        wrong = [entered - rng.randrange(1, 5 * SECOND) for _ in range(rng.choice([0, 0, 1, 2]))]
        for moment, kind in [*((ms, Kind.CHECKED) for ms in wrong), (entered, Kind.VERIFIED)]:
            newest = [a for a in attempts if a["requested_ms"] <= moment] or attempts[:1]
            if kind is Kind.CHECKED or right:
                self._hear(newest[-1], kind, max(moment, start), "app", {}, delay=0,
                           doubled=rng.random() < 0.1)  # fmt: skip

    def _hear(
        self, attempt: dict[str, Any], kind: Kind, at_ms: int, source: str, fields: dict[str, str],
        *, delay: int | None = None, doubled: bool = False,
    ) -> None:  # fmt: skip
        """Have an event received: usually at once, sometimes late, before its cause, or twice."""
        rng = self._rng
        if delay is None:
            delay = rng.choices(
                [0, rng.randrange(10 * SECOND), rng.randrange(3 * HOUR), rng.randrange(40 * DAY)],
                [60, 25, 10, 5],
            )[0]
        event = {
            "attempt": attempt["attempt"], "verification": attempt["verification"],
            "kind": kind.value, "at_ms": at_ms, "source": source, "fields": dict(fields),
        }  # fmt: skip
        # No event is received before its attempt is written, save a few that come too early.
        earliest = attempt["requested_ms"] - (rng.random() < 0.01) * SECOND
        received = max(at_ms, earliest) + delay
        self._received.append((received, len(self._received), event))
        if doubled:
            later = received + rng.choice([0, 5 * SECOND, 2 * HOUR, 3 * DAY])
            again = event | {"fields": dict(fields), "at_ms": at_ms + rng.choice([0, 0, 700])}
            self._received.append((later, len(self._received), again))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _midnight(local: datetime) -> datetime:
    return datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
