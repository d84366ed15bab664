"""Signs an event, posts it, and interprets the answer.

The signature is that of Standard Webhooks (standardwebhooks.com): HMAC-SHA-256 over the id, the
time of this try and the body, with a secret that the receiver has too. The time lets the receiver
refuse replayed requests.
"""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from standardwebhooks import Webhook

from core.model.clock import Clock
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from core.webhooks.answer import Answer, Verdict
from core.webhooks.event import QueuedEvent

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
#: For the whole exchange: the other time-outs start again with each byte.
DEADLINE = timedelta(seconds=10)
#: How much of an answer is read, so that its connection can be used again.
_ANSWER_BYTES = 4096
_GONE = 410


class WebhookSender:
    """Sends to one address. Neither the address, which may hold a token, nor the secret is in its
    repr, a log or an answer. `deadline` is for one exchange, in real time."""

    def __init__(self, url: str, secret: str, clock: Clock, deadline: timedelta = DEADLINE) -> None:
        self._url = url
        self._deadline_seconds = deadline.total_seconds()
        self._webhook = Webhook(secret)
        self._clock = clock

    async def send(self, http: httpx.AsyncClient, event: QueuedEvent) -> Answer:
        """Post an event, once. There is an answer by the deadline, whatever the receiver does."""
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
                await _read_start(response)
        except (TimeoutError, httpx.TimeoutException):
            # The status is the answer, whatever happens to the body.
            return answer or _unanswered("It did not answer in time.")
        except httpx.ConnectError:
            return answer or _unanswered("It cannot be reached.")
        except httpx.HTTPError:
            # The error's text may hold the address.
            return answer or _unanswered("Its answer broke off, or was not HTTP.")
        return answer


def http_client() -> httpx.AsyncClient:
    """A client for `WebhookSender.send`; the caller closes it."""
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    # A redirect could lead to any address, also without TLS.
    return httpx.AsyncClient(timeout=timeout, follow_redirects=False)


def signing_secret(settings: Settings, keyring: Keyring) -> str:
    """WEBHOOK_SECRET, else the sandbox's own: `whsec_` and the base64 of 32 bytes."""
    if settings.webhook_secret is not None:
        return settings.webhook_secret.get_secret_value()
    return f"whsec_{base64.b64encode(keyring.signing_key('webhook')).decode()}"


async def _read_start(response: httpx.Response) -> None:
    byte_count = 0
    async for chunk in response.aiter_raw():
        byte_count += len(chunk)
        if byte_count > _ANSWER_BYTES:
            return


def _answer(response: httpx.Response, now: datetime) -> Answer:
    status = response.status_code
    if response.is_success:
        return Answer(Verdict.ACCEPTED, status, "")
    if status == _GONE:
        return Answer(Verdict.GONE, status, "It wants no more events (HTTP 410).")
    retry_after = _retry_after(response.headers.get("retry-after", ""), now)
    if response.is_redirect:
        cause = f"It answered with a redirect (HTTP {status}), which is not followed."
    else:
        cause = f"It answered with HTTP {status}."
    return Answer(Verdict.REFUSED, status, cause, retry_after)


def _unanswered(cause: str) -> Answer:
    return Answer(Verdict.REFUSED, None, cause)


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds, or a date. None for any other text."""
    if text.isascii() and text.isdigit():
        # Longer than any wait here, and within the range of a timedelta.
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(moment.replace(tzinfo=moment.tzinfo or UTC) - now, timedelta())
