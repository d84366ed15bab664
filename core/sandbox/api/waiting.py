"""`GET /handset/{number}/wait`: answers as soon as a message or a spoken code has arrived.

Decision: a time-out is answered with 408, not 204, so that `curl --fail` and every client that
checks the status fail at the wait and not later, at a missing code.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.sandbox.api.answers import NO_STORE
from core.sandbox.api.numbers import parse_destination
from core.sandbox.api.parameters import refuse_others
from core.sandbox.api.streams import Streams
from core.sandbox.api.transcripts import MAX_LINES, transcript_lines
from core.sandbox.arrivals import MICROSECONDS, ArrivalKind, ArrivalRecord, Arrivals
from core.sandbox.calls.log import CallLog
from core.sandbox.codes_in_text import code_in_text
from core.sandbox.errors import Refusal
from core.sandbox.facts.moments import iso_utc
from core.sandbox.handsets import Handsets
from core.sandbox.messages.log import MessageLog

DEFAULT_SECONDS = 30.0
MAX_SECONDS = 60.0
MAX_REFERENCE = 64

_CODES = {
    "": (ArrivalKind.MESSAGE, ArrivalKind.SPOKEN_CODE),
    "sms": (ArrivalKind.MESSAGE,),
    "call": (ArrivalKind.SPOKEN_CODE,),
}
_RINGS = (ArrivalKind.RINGING,)
_NOUNS = {
    _CODES[""]: "message and no spoken code",
    _CODES["sms"]: "message",
    _CODES["call"]: "spoken code",
    _RINGS: "ringing call",
}
_PARAMETERS = ("after", "timeout", "channel", "reference", "for")


@dataclass(frozen=True, slots=True)
class WaitOrder:
    """A parsed request: the next arrival of these `kinds` with an id above `after`, later than
    `later_than` (Unix seconds), of the message or call `reference` if that is given."""

    number: str
    seconds: float
    kinds: tuple[ArrivalKind, ...]
    after: int
    later_than: float
    reference: str


class WaitApi:
    """Answers waits. No credentials."""

    def __init__(
        self,
        arrivals: Arrivals,
        handsets: Handsets,
        messages: MessageLog,
        calls: CallLog,
        streams: Streams,
    ) -> None:
        self._arrivals = arrivals
        self._handsets = handsets
        self._messages = messages
        self._calls = calls
        self._streams = streams

    def routes(self) -> list[Route]:
        return [Route("/handset/{number}/wait", self.wait, methods=["GET"])]

    async def wait(self, request: Request) -> Response:
        order = self._order(request)
        try:
            arrival = await self._streams.wait(
                request, order.number, lambda: self._next(order), order.seconds
            )
        except TimeoutError:
            raise Refusal(408, self._nothing(order)) from None
        return JSONResponse(self._view(arrival), headers=NO_STORE)

    def _next(self, order: WaitOrder) -> ArrivalRecord | None:
        return self._arrivals.next(
            order.number,
            order.kinds,
            after=order.after,
            later_than=max(order.later_than, self._handsets.cleared_at(order.number)),
            reference=order.reference,
        )

    def _view(self, arrival: ArrivalRecord) -> dict[str, Any]:
        view = {
            "reference": arrival.reference,
            "channel": "call",
            "time": iso_utc(arrival.at / MICROSECONDS),
        }
        if arrival.kind is ArrivalKind.MESSAGE:
            message = self._messages.find(arrival.reference)
            if message is None:
                raise Refusal(404, "the message has been deleted")
            return {
                **view,
                "channel": "sms",
                "from": message.from_number,
                "text": message.text,
                "code": code_in_text(message.text),
            }
        call = self._calls.find(arrival.reference)
        if call is None:
            raise Refusal(404, "the call has been deleted")
        transcript = transcript_lines(self._calls, arrival.reference, MAX_LINES)
        return {
            **view,
            "from": call.from_number,
            "text": " ".join(line["text"] for line in transcript if line["kind"] == "spoken"),
            "code": self._calls.spoken_code(arrival.reference),
            "status": call.status,
            "transcript": transcript,
        }

    def _nothing(self, order: WaitOrder) -> str:
        """Why a wait has timed out, and what a call on the handset waits for."""
        text = f"no {_NOUNS[order.kinds]} within {order.seconds:g} s"
        for call in self._calls.open_calls():
            if call.to_number == order.number and ArrivalKind.SPOKEN_CODE in order.kinds:
                if call.status == "ringing" and call.rang_at is not None:
                    return f"{text}; a call rings: answer it, or turn auto-answer on"
                if call.waits_for_key:
                    return f"{text}; a call waits for a key: press it, or turn auto-answer on"
        return text

    def _order(self, request: Request) -> WaitOrder:
        query = request.query_params
        refuse_others(query, _PARAMETERS, "parameter")
        number = parse_destination(request.path_params["number"])
        kinds = _kinds(query.get("channel", ""), query.get("for", "code"))
        reference = query.get("reference", "")
        if reference:
            self._require(number, reference)
        after, later_than = 0, 0.0
        if text := query.get("after", "").strip():
            moment = _moment(text)
            if moment is not None:
                later_than = moment
            else:
                after = self._position(number, text, kinds)
        return WaitOrder(
            number, _seconds(query.get("timeout", "")), kinds, after, later_than, reference
        )

    def _require(self, number: str, reference: str) -> None:
        send = self._messages.find(reference) or self._calls.find(reference)
        if send is None or send.to_number != number:
            raise Refusal(400, "reference must be the UUID of a message or call to this number")

    def _position(self, number: str, text: str, kinds: tuple[ArrivalKind, ...]) -> int:
        position = self._arrivals.last_of(number, text[:MAX_REFERENCE], kinds)
        if position is None:
            raise Refusal(
                400,
                "after must be a moment (Unix milliseconds, or ISO 8601), or the reference of"
                " something that has arrived on this handset",
            )
        return position


def _kinds(channel: str, awaited: str) -> tuple[ArrivalKind, ...]:
    if channel not in _CODES:
        raise Refusal(400, "channel must be sms or call")
    if awaited == "ringing":
        if channel == "sms":
            raise Refusal(400, "only a call rings: leave out channel, or set it to call")
        return _RINGS
    if awaited != "code":
        raise Refusal(400, "for must be code or ringing")
    return _CODES[channel]


def _seconds(text: str) -> float:
    if not text:
        return DEFAULT_SECONDS
    # A program may subtract two floats: 29.999998712506, 7e-05.
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,30})?(e-[0-9]{1,3})?", text):
        seconds = float(text)
        if seconds <= MAX_SECONDS:
            return seconds
    raise Refusal(400, f"timeout must be a number of seconds from 0 to {MAX_SECONDS:g}")


def _moment(text: str) -> float | None:
    """Unix seconds of a moment; None for text that is none."""
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text) / 1000
    try:
        # The plus sign of a zone becomes a space in a query.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return None
