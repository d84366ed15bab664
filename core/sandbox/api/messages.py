"""Plivo's Message resource: send, list, get."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.api.answers import Body, answer, read_json, requester_ip
from core.sandbox.api.log_routes import LogRoutes, both_numbers
from core.sandbox.api.numbers import parse_sender
from core.sandbox.api.paging import (
    PAGE_NAMES,
    matches_constants,
    parse_span,
    with_operators,
)
from core.sandbox.api.parameters import (
    parse_destinations,
    parse_method,
    parse_seconds,
    parse_url,
    require,
)
from core.sandbox.chaos.chaos import Chaos
from core.sandbox.errors import NotSimulated, Refusal
from core.sandbox.facts.effects import EffectChannel
from core.sandbox.messages.carrier import Carrier, MessageOrder
from core.sandbox.messages.log import CONSTANTS, Message, MessageFilter, record
from core.sandbox.messages.text_units import text_units

LISTED_SECONDS = 24 * 3600
MIN_EXPIRY, MAX_EXPIRY = 5, 10_800  # seconds

_FILTERS = {
    *PAGE_NAMES,
    *CONSTANTS,
    *with_operators("message_time"),
    *("message_state", "error_code", "from_number", "to_number", "destination_country_iso2"),
}
_LOGS = {"true", "false", "content_only", "number_only"}


class MessageApi:
    """The routes of messages: send, list and read.

    Of the values of `log`, content_only masks the number. Plivo does not document whether false
    does.
    """

    def __init__(self, log: LogRoutes, carrier: Carrier, chaos: Chaos) -> None:
        self._log = log
        self._carrier = carrier
        self._chaos = chaos

    def routes(self) -> list[Route]:
        return self._log.routes(create=self.create, list=self.list, get=self.get)

    async def create(self, request: Request) -> Response:
        order = parse_order(await read_json(request), requester_ip(request))
        plans = [self._chaos.plan(to, EffectChannel.SMS, "api") for to in order.destinations]
        self._log.faults.refuse(plans)
        uuids = self._carrier.accept(order, plans)
        await self._log.faults.delay_answer(request, plans)
        return answer({"message": "message(s) queued", "message_uuid": uuids}, 202)

    async def list(self, request: Request) -> Response:
        page = self._log.read_list(request, _FILTERS)
        since, until = parse_span(request, "message_time", self._log.clock, LISTED_SECONDS)
        query = request.query_params
        messages: list[Message] = []
        if matches_constants(request, CONSTANTS):
            where = MessageFilter(
                since=since,
                until=until,
                state=query.get("message_state"),
                error_code=query.get("error_code"),
                **both_numbers(request),
                country=query.get("destination_country_iso2"),
            )
            messages = self._carrier.messages.page(where, page.limit + 1, page.offset)
        more = len(messages) > page.limit
        objects = [self._record(message) for message in messages[: page.limit]]
        return self._log.answer_list(request, page, objects, more=more)

    async def get(self, request: Request) -> Response:
        message = self._carrier.messages.find(request.path_params["uuid"])
        if message is None:
            raise Refusal(404, "message not found")
        return answer(self._record(message))

    def _record(self, message: Message) -> dict[str, Any]:
        mask = message.log == "content_only"
        return record(message, self._log.auth_id, self._log.zone, mask=mask)


def parse_order(body: Body, requester_ip: str) -> MessageOrder:
    """Parse a request body. Raises Refusal 400 that names the wrong parameter."""
    if body.get("powerpack_uuid"):
        raise NotSimulated("powerpack_uuid")
    kind = str(body.get("type") or "sms")
    if kind in {"mms", "whatsapp"}:
        raise NotSimulated(f"type {kind}")
    if kind != "sms":
        raise Refusal(400, "type must be sms, mms or whatsapp")
    require(body, "src", "dst", "text")
    src = parse_sender(body["src"])
    destinations = parse_destinations(body, "dst", "src", src)
    url, method = parse_url(body, "url"), parse_method(body, "method")
    log = str(body.get("log", "true")).lower()
    if log not in _LOGS:
        raise Refusal(400, f"log must be one of {', '.join(sorted(_LOGS))}")
    text = str(body["text"])
    return MessageOrder(
        src=src,
        destinations=tuple(destinations),
        text=text,
        units=text_units(text),
        url=url,
        method=method,
        log=log,
        expiry=_expiry(body.get("message_expiry")),
        requester_ip=requester_ip,
    )


def _expiry(value: object) -> int | None:
    if value is None:
        return None
    return parse_seconds("message_expiry", value, MIN_EXPIRY, MAX_EXPIRY)
