"""Signs one event, posts it, and says what the answer means.

The signature is that of Standard Webhooks (standardwebhooks.com): HMAC-SHA-256 over id, moment of
this try, and body, with a secret that the receiver has too. The moment lets it refuse what somebody
has recorded and sends again.
"""

import asyncio
import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx
from standardwebhooks import Webhook

from core.model.clock import Clock
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.webhooks.event import WebhookEvent

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
#: For the whole exchange: a receiver that sends a byte now and then never runs into the others.
DEADLINE = timedelta(seconds=10)
#: What is read of an answer, only so that its connection can be used again.
_ANSWER_BYTES = 4096
_GONE = 410


class Verdict(StrEnum):
    """What an answer means for the event."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # it may be taken another time
    GONE = "gone"  # the receiver wants no more of it


@dataclass(frozen=True, slots=True)
class Answer:
    """How one try ended. `status` is None where there was no answer; `cause` is a sentence that is
    safe to log and to show, "" when the event was taken; `retry_after` is what was asked for."""

    verdict: Verdict
    status: int | None
    cause: str
    retry_after: timedelta | None = None


class WebhookSender:
    """Sends to one address. Neither that nor the secret is in its repr, a log or an answer: an
    address may well hold a token. `deadline` is for one exchange, in real time."""

    def __init__(self, url: str, secret: str, clock: Clock, deadline: timedelta = DEADLINE) -> None:
        self._url = url
        self._deadline_seconds = deadline.total_seconds()
        self._webhook = Webhook(secret)
        self._clock = clock

    def client(self) -> httpx.AsyncClient:
        """A client for `send`; whoever asks for it closes it."""
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        # A redirect could lead anywhere, in clear text too.
        return httpx.AsyncClient(timeout=timeout, follow_redirects=False)

    async def send(self, http: httpx.AsyncClient, event: WebhookEvent) -> Answer:
        """Post one event, once. Whatever the receiver does, there is an answer by the deadline."""
        now = self._clock.now()
        body = event.body
        headers = {
            "content-type": "application/json",
            "user-agent": "phone-verification",
            "webhook-id": event.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(event.id, now, body.decode("ascii")),
        }
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout(self._deadline_seconds),
                http.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                answer = _answer(response, now)
                await _read_a_little(response)
        except (TimeoutError, httpx.TimeoutException):
            # Once the status is there, nothing after it changes what was said.
            return answer or _unanswered("It did not answer in time.")
        except httpx.ConnectError:
            return answer or _unanswered("It cannot be reached.")
        except httpx.HTTPError:
            # Their texts may hold the address.
            return answer or _unanswered("Its answer was broken off, or was no HTTP.")
        return answer


def signing_secret(settings: Settings, keyring: Keyring) -> str:
    """WEBHOOK_SECRET, else the sandbox's own: `whsec_` and the base64 of 32 bytes."""
    if settings.webhook_secret is not None:
        return settings.webhook_secret.get_secret_value()
    return f"whsec_{base64.b64encode(keyring.signing_key('webhook')).decode()}"


async def _read_a_little(response: httpx.Response) -> None:
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > _ANSWER_BYTES:
            return


def _answer(response: httpx.Response, now: datetime) -> Answer:
    status = response.status_code
    if response.is_success:
        return Answer(Verdict.ACCEPTED, status, "")
    if status == _GONE:
        return Answer(Verdict.GONE, status, "It wants no more events (HTTP 410).")
    asked = _retry_after(response.headers.get("retry-after", ""), now)
    if response.is_redirect:
        cause = f"It answered with a redirect (HTTP {status}), which is not followed."
    else:
        cause = f"It answered with HTTP {status}."
    return Answer(Verdict.REFUSED, status, cause, asked)


def _unanswered(cause: str) -> Answer:
    return Answer(Verdict.REFUSED, None, cause)


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds, or a date. None for what is neither."""
    if text.isascii() and text.isdigit():
        # Longer than anybody waits, and within what a timedelta can hold.
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(moment.replace(tzinfo=moment.tzinfo or UTC) - now, timedelta())
