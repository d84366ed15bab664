"""The content of the API page: examples to paste, tokens, and undelivered webhook events."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pandas as pd

from core.access.tokens import Token
from core.webhooks.queue import DeadLetter
from core.wording.formats import counted

#: A fictitious number (555-01xx is kept for fiction).
EXAMPLE_NUMBER = "+12015550123"
#: Adds a line end after the response.
_CURL = "curl -sw '\\n'"
_AUTH = '\\\n  -H "Authorization: Bearer $TOKEN"'


@dataclass(frozen=True, slots=True)
class Example:
    """A step: its purpose, and its shell lines."""

    title: str
    lines: str


def base_address(page_url: str | None, public: str | None) -> str:
    """The base URL of this application for callers: PUBLIC_URL, else that of the page."""
    if public:
        return public
    try:
        parts = urlsplit(page_url or "")
    except ValueError:
        # The URL comes from the browser, so it may be malformed.
        parts = urlsplit("")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "http://localhost:8501"


def walk_through(base: str, number: str = EXAMPLE_NUMBER) -> list[Example]:
    """A verification from its start to the right code, then its figures. Later steps use the shell
    variables of earlier ones; TOKEN must be set."""
    json = "\\\n  -H 'Content-Type: application/json' \\\n  -d"
    pick = 'sed -n \'s/.*"verification":{"id":"\\([^"]*\\).*/\\1/p\''
    api = f"{base}/api/v1"
    verification = f"{api}/verifications/$VERIFICATION"
    return [
        Example(
            "Start a verification. The key makes it safe to repeat.",
            f"VERIFICATION=$(curl -s {api}/verifications {_AUTH} "
            '\\\n  -H "Idempotency-Key: $(date +%s)" '
            f'{json} \'{{"number": "{number}"}}\' \\\n  | {pick})\n'
            "echo $VERIFICATION",
        ),
        Example(
            "Read it: its state, its timeline, what may be done next.",
            f"{_CURL} {verification} {_AUTH}",
        ),
        Example(
            "Check what the person entered. Put the code in place of 123456.",
            f'{_CURL} {verification}/checks {_AUTH} {json} \'{{"code": "123456"}}\'',
        ),
        Example(
            "Send the same code again, as a call. Too soon, it says how long to wait.",
            f'{_CURL} {verification}/resend {_AUTH} {json} \'{{"seen": 1, "call": true}}\'',
        ),
        Example(
            "Ask how delivery goes: sums of the last 24 hours, and the newest attempts.",
            f"{_CURL} '{api}/delivery/totals?range=24h' {_AUTH}\n"
            f"{_CURL} '{api}/attempts?limit=5' {_AUTH}",
        ),
    ]


def handset(base: str, number: str = EXAMPLE_NUMBER) -> Example:
    """How a script reads the code in the sandbox."""
    return Example(
        "In the sandbox, read the code from the simulated handset.",
        f"{_CURL} {base}/sandbox/handset/{number} {_AUTH}",
    )


def token_table(tokens: Sequence[Token], zone: ZoneInfo) -> pd.DataFrame:
    """`name`, `scopes`, `made` and `ends` (days of the zone), by name. The tokens themselves
    are not stored, only their digests."""
    rows = [
        (
            token.name,
            ", ".join(sorted(token.scopes)),
            f"{token.made_at.astimezone(zone):%d %b %Y}",
            f"{token.expires_at.astimezone(zone):%d %b %Y}",
        )
        for token in tokens
    ]
    return pd.DataFrame(rows, columns=["name", "scopes", "made", "ends"])


def dead_letter_table(letters: Sequence[DeadLetter], zone: ZoneInfo) -> pd.DataFrame:
    """`event` (its id), `type`, `given_up` (in the zone), `tries`, `answer` and `cause` of the last
    try; newest first."""
    rows = [
        (
            letter.event.id,
            letter.event.type.removeprefix("verification."),
            f"{letter.given_up_at.astimezone(zone):%d %b %H:%M:%S}",
            letter.tries,
            "none" if letter.status is None else str(letter.status),
            letter.cause,
        )
        for letter in letters
    ]
    return pd.DataFrame(rows, columns=["event", "type", "given_up", "tries", "answer", "cause"])


def receivers_text(host: str | None, services: int) -> str:
    """Where events go: to the host of WEBHOOK_URL, and alerts to so many services of ALERT_URLS."""
    parts = []
    if host:
        parts.append(f"Outcomes of verifications and alerts go to **{host}**.")
    if services:
        parts.append(f"Alerts go to {counted(services, 'service')} of ALERT_URLS.")
    return " ".join(parts)


def given_up_text(count: int) -> str:
    """ "1 was given up", "12 were given up"."""
    return f"{count:,} {'was' if count == 1 else 'were'} given up"


def sent_again_text(count: int) -> str:
    """ "1 event will be sent again.", "12 events will be sent again."."""
    return f"{counted(count, 'event')} will be sent again."
