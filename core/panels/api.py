"""What the API page shows: examples to paste, and the events that could not be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pandas as pd

from core.access.tokens import Token
from core.webhooks.queue import DeadLetter

#: A fictitious number (555-01xx is kept for fiction).
EXAMPLE_NUMBER = "+12015550123"
#: With an end to the line that an answer is.
_CURL = "curl -sw '\\n'"


@dataclass(frozen=True, slots=True)
class Example:
    """A step: what it does, and the shell lines that do it."""

    title: str
    lines: str


def address(seen: str | None, public: str | None) -> str:
    """Where callers reach this application: PUBLIC_URL, else as the page was reached."""
    if public:
        return public
    try:
        parts = urlsplit(seen or "")
    except ValueError:
        # What the browser calls its address is foreign text.
        parts = urlsplit("")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "http://localhost:8501"


def walk_through(base: str, number: str = EXAMPLE_NUMBER) -> list[Example]:
    """A verification from its start to the right code, and then the figures of it. The shell
    variables that a step sets are used by those after it; TOKEN must be set."""
    auth = '\\\n  -H "Authorization: Bearer $TOKEN"'
    json = "\\\n  -H 'Content-Type: application/json' \\\n  -d"
    pick = 'sed -n \'s/.*"verification":{"id":"\\([^"]*\\).*/\\1/p\''
    api = f"{base}/api/v1"
    one = f"{api}/verifications/$VERIFICATION"
    return [
        Example(
            "Start a verification. The key makes it safe to repeat.",
            f"VERIFICATION=$(curl -s {api}/verifications {auth} "
            '\\\n  -H "Idempotency-Key: $(date +%s)" '
            f'{json} \'{{"number": "{number}"}}\' \\\n  | {pick})\n'
            "echo $VERIFICATION",
        ),
        Example(
            "Read it: its state, its timeline, what may be done next.", f"{_CURL} {one} {auth}"
        ),
        Example(
            "Check what the person entered. Put the code in place of 123456.",
            f'{_CURL} {one}/checks {auth} {json} \'{{"code": "123456"}}\'',
        ),
        Example(
            "Send the same code again, as a call. Too soon, it says how long to wait.",
            f'{_CURL} {one}/resend {auth} {json} \'{{"seen": 1, "call": true}}\'',
        ),
        Example(
            "Ask how delivery goes: sums of the last 24 hours, and the newest attempts.",
            f"{_CURL} '{api}/delivery/totals?range=24h' {auth}\n"
            f"{_CURL} '{api}/attempts?limit=5' {auth}",
        ),
    ]


def handset(base: str, number: str = EXAMPLE_NUMBER) -> Example:
    """How a script reads the code in the sandbox."""
    return Example(
        "In the sandbox, the simulated handset tells the code.",
        f"{_CURL} {base}/sandbox/handset/{number}",
    )


def token_table(tokens: Sequence[Token], zone: ZoneInfo) -> pd.DataFrame:
    """`name`, `scopes`, `made` and `ends` (days of the zone), by name. No token itself: only its
    digest is kept."""
    rows = [
        (
            one.name,
            ", ".join(sorted(one.scopes)),
            f"{one.made_at.astimezone(zone):%d %b %Y}",
            f"{one.expires_at.astimezone(zone):%d %b %Y}",
        )
        for one in tokens
    ]
    return pd.DataFrame(rows, columns=["name", "scopes", "made", "ends"])


def dead_table(letters: Sequence[DeadLetter], zone: ZoneInfo) -> pd.DataFrame:
    """`event` (its id), `type`, `given_up` (in the zone), `tries`, `answer` and `cause` of the last
    try; newest first."""
    rows = [
        (
            one.event.id,
            one.event.type.removeprefix("verification."),
            f"{one.given_up_at.astimezone(zone):%d %b %H:%M:%S}",
            one.tries,
            "none" if one.status is None else str(one.status),
            one.cause,
        )
        for one in letters
    ]
    return pd.DataFrame(rows, columns=["event", "type", "given_up", "tries", "answer", "cause"])


def given_up(count: int) -> str:
    """ "1 was given up", "12 were given up"."""
    return f"{count:,} {'was' if count == 1 else 'were'} given up"


def sent_again(count: int) -> str:
    """ "1 event is sent again.", "12 events are sent again."."""
    return "1 event is sent again." if count == 1 else f"{count:,} events are sent again."
