"""Fetches the next document of a call, from the product or from the sandbox's own PHLO.

Sources: Plivo's pages on hangup causes (the code of each failure), on calls (the fallback URL) and
on URL settings (the time-out). Plivo does not document its delay between attempts; the sandbox
retries at once.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from core.sandbox.calls.log import SandboxCall
from core.sandbox.calls.own_phlo import PHLO_SCHEME, phlo_document
from core.sandbox.calls.records import call_form
from core.sandbox.calls.xml import parse
from core.sandbox.errors import InvalidXml
from core.sandbox.outgoing import MAX_BYTES, Outgoing, Reply, is_web_address

ANSWER_ATTEMPTS = 3
OTHER_ATTEMPTS = 2
#: Of each attempt, in real seconds.
_TIMEOUT_SECONDS = 40.0


class Purpose(StrEnum):
    """Which URL a document comes from."""

    ANSWER = "answer"
    ACTION = "action"
    REDIRECT = "redirect"


# The last digit of hangup causes 701x to 801x is the purpose.
_DIGIT = {Purpose.ANSWER: 1, Purpose.ACTION: 2, Purpose.REDIRECT: 4}
_UNREACHABLE, _INVALID_URL, _INVALID_METHOD, _INVALID_XML = 7010, 7020, 7030, 8010


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """What to fetch; `extra` is added to the form.

    `follow`: whether the answer is executed as a document, or ignored.
    """

    purpose: Purpose
    url: str = field(repr=False)
    method: str
    extra: dict[str, str] = field(default_factory=dict, repr=False)
    follow: bool = True


@dataclass(frozen=True, slots=True)
class FetchResult:
    """A document and its URL, or the hangup cause code of a failure, or neither if not followed.

    `problem` says what is wrong with the document, in a sentence.
    """

    document: bytes | None = field(default=None, repr=False)
    url: str = field(default="", repr=False)
    hangup_code: int | None = None
    problem: str = ""


class Fetcher:
    """Fetches documents."""

    def __init__(self, auth_id: str, outgoing: Outgoing) -> None:
        self._auth_id = auth_id
        self._outgoing = outgoing

    async def fetch(self, call: SandboxCall, request: DocumentRequest) -> FetchResult:
        """The document of a request. Failures of the product are returned as hangup causes."""
        if call.phlo_otp and request.url.startswith(PHLO_SCHEME):
            return FetchResult(phlo_document(request.url, call.phlo_otp), request.url)
        digit = _DIGIT[request.purpose]
        if not is_web_address(request.url):
            return FetchResult(hangup_code=_INVALID_URL + digit)
        if request.method not in {"GET", "POST"}:
            return FetchResult(hangup_code=_INVALID_METHOD + digit)
        url, reply = await self._request(call, request)
        if not reply.ok:
            return FetchResult(hangup_code=_UNREACHABLE + digit)
        if not request.follow:
            return FetchResult()
        try:
            if len(reply.body) > MAX_BYTES:
                raise InvalidXml(f"The document is longer than {MAX_BYTES:,} bytes.")
            parse(reply.body)
        except InvalidXml as e:
            return FetchResult(hangup_code=_INVALID_XML + digit, problem=f"Invalid XML: {e}")
        return FetchResult(reply.body, url)

    async def _request(self, call: SandboxCall, request: DocumentRequest) -> tuple[str, Reply]:
        """The URL that replied and its reply: those of the fallback if the answer URL fails."""
        is_answer = request.purpose is Purpose.ANSWER
        event = "StartApp" if is_answer else "Redirect"
        form = {**call_form(call, self._auth_id, event), **request.extra}
        attempts = ANSWER_ATTEMPTS if is_answer else OTHER_ATTEMPTS
        reply = await self._send_with_retries(attempts, request.method, request.url, form)
        if reply.ok or not is_answer or not is_web_address(call.fallback_url):
            return request.url, reply
        fallback = await self._send_with_retries(1, call.fallback_method, call.fallback_url, form)
        return call.fallback_url, fallback

    async def _send_with_retries(
        self, attempts: int, method: str, url: str, form: dict[str, str]
    ) -> Reply:
        reply = await self._outgoing.send(method, url, form, seconds=_TIMEOUT_SECONDS)
        for _ in range(attempts - 1):
            if reply.ok:
                break
            reply = await self._outgoing.send(method, url, form, seconds=_TIMEOUT_SECONDS)
        return reply
