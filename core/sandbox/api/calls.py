"""Plivo's Call resource: make, list, get and end calls; list and get live calls; cancel calls."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.api.answers import Body, answer, read_json
from core.sandbox.api.log_routes import LogRoutes, both_numbers
from core.sandbox.api.numbers import parse_destination
from core.sandbox.api.paging import (
    PAGE_NAMES,
    allow_filters,
    matches_constants,
    parse_int,
    parse_page,
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
from core.sandbox.calls.log import CONSTANTS, MAX_BILLED, CallFilter, CallOrder, SandboxCall
from core.sandbox.calls.records import live_record, record
from core.sandbox.calls.switchboard import Switchboard
from core.sandbox.chaos.chaos import Chaos
from core.sandbox.errors import NotSimulated, Refusal
from core.sandbox.facts.effects import EffectChannel

DAY = 24 * 3600
LISTED_SECONDS = 7 * DAY
MAX_SPAN = 30 * DAY
MAX_CALL = 86_400  # seconds
MAX_CAUSE = 9999

_LIVE_FILTERS = {"status", "call_direction", "from_number", "to_number", *PAGE_NAMES}
_FILTERS = {
    *PAGE_NAMES,
    *CONSTANTS,
    *with_operators("end_time"),
    *with_operators("bill_duration"),
    *("from_number", "to_number", "hangup_cause_code", "hangup_source"),
}


class CallApi:
    """The routes of calls."""

    def __init__(self, log: LogRoutes, switchboard: Switchboard, chaos: Chaos) -> None:
        self._log = log
        self._switchboard = switchboard
        self._chaos = chaos

    def routes(self) -> list[Route]:
        return [
            *self._log.routes(create=self.create, list=self.list, get=self.get),
            self._log.route("", self.hang_up_all, "DELETE"),
            self._log.route("{uuid}/", self.hang_up, "DELETE"),
            Route(
                "/v1/Account/{auth_id}/Request/{request_uuid}/",
                self._log.gate.guard(self.cancel),
                methods=["DELETE"],
            ),
        ]

    async def create(self, request: Request) -> Response:
        orders = parse_orders(await read_json(request))
        plans = [self._chaos.plan(order.to_number, EffectChannel.CALL, "api") for order in orders]
        self._log.faults.refuse(plans, call=True)
        uuids = self._switchboard.place(orders, plans)
        await self._log.faults.delay_answer(request, plans)
        return answer(
            {"message": "call fired", "request_uuid": uuids[0] if len(uuids) == 1 else uuids}, 201
        )

    async def list(self, request: Request) -> Response:
        query = request.query_params
        if "status" in query:
            return self._list_open(request)
        page = self._log.read_list(request, _FILTERS)
        since, until = self._ended_span(request)
        shortest, longest = _billed_bounds(request)
        if not matches_constants(request, CONSTANTS):
            longest = shortest - 1
        where = CallFilter(
            since=since,
            until=until,
            **both_numbers(request),
            hangup_cause_code=_hangup_cause(request),
            hangup_source=query.get("hangup_source"),
            shortest=shortest,
            longest=longest,
            speed=self._log.clock.speed,
        )
        calls, total = self._switchboard.calls.page(where, page.limit, page.offset)
        more = page.offset + page.limit < total
        objects = [self._record(call) for call in calls]
        return self._log.answer_list(request, page, objects, more=more, total_count=total)

    def _list_open(self, request: Request) -> Response:
        """UUIDs of the calls that are live or queued."""
        allow_filters(request, _LIVE_FILTERS)
        page, query = parse_page(request), request.query_params
        if query["status"] not in {"live", "queued"}:
            raise Refusal(400, "status must be live or queued")
        numbers = both_numbers(request)
        uuids = [
            call.call_uuid
            for call in self._switchboard.calls.open_calls()
            if _has_status(call, query["status"])
            and matches_constants(request, CONSTANTS)
            and numbers["from_number"] in {None, call.from_number}
            and numbers["to_number"] in {None, call.to_number}
        ]
        return answer({"calls": uuids[page.offset : page.offset + page.limit]})

    async def get(self, request: Request) -> Response:
        call = self._switchboard.calls.find(request.path_params["uuid"])
        status = request.query_params.get("status")
        if call is not None and status is not None and _has_status(call, status):
            return answer(live_record(call, self._log.zone))
        if call is not None and status is None and call.ended_at is not None:
            return answer(self._record(call))
        raise Refusal(404, "call not found")

    async def hang_up(self, request: Request) -> Response:
        call = self._switchboard.calls.find(request.path_params["uuid"])
        if call is None:
            raise Refusal(404, "call not found")
        self._switchboard.cancel(call)
        return Response(status_code=204)

    async def hang_up_all(self, request: Request) -> Response:
        for call in self._switchboard.calls.open_calls():
            self._switchboard.cancel(call)
        return Response(status_code=204)

    async def cancel(self, request: Request) -> Response:
        """End a request's call before it is answered. In the sandbox, every call is a request of
        its own, whose UUID is the call's."""
        call = self._switchboard.calls.find(request.path_params["request_uuid"])
        if call is None or call.status != "ringing":
            raise Refusal(404, "request not found")
        self._switchboard.cancel(call)
        return Response(status_code=204)

    def _record(self, call: SandboxCall) -> dict[str, Any]:
        return record(call, self._log.auth_id, self._log.zone, self._log.clock)

    def _ended_span(self, request: Request) -> tuple[float, float]:
        since, until = parse_span(request, "end_time", self._log.clock, LISTED_SECONDS)
        # With one bound, 30 days from there.
        if since == 0.0:
            since = min(until, self._log.clock.now()) - MAX_SPAN
        elif until == float("inf"):
            until = since + MAX_SPAN
        elif min(until, self._log.clock.now()) - since > MAX_SPAN:
            raise Refusal(400, "end_time must span at most 30 days")
        return since, until


def parse_orders(body: Body) -> list[CallOrder]:
    """One order for each destination. Raises Refusal 400 that names the wrong parameter."""
    if body.get("callback_url"):
        raise NotSimulated("callback_url")
    require(body, "from", "to", "answer_url")
    detection = str(body.get("machine_detection") or "").lower()
    if detection not in {"", "true", "hangup"}:
        raise Refusal(400, "machine_detection must be true or hangup")
    caller = parse_destination(body["from"])
    numbers = parse_destinations(body, "to", "from", caller)
    return [
        CallOrder(
            from_number=caller,
            to_number=number,
            answer_url=parse_url(body, "answer_url"),
            answer_method=parse_method(body, "answer_method"),
            ring_url=parse_url(body, "ring_url"),
            ring_method=parse_method(body, "ring_method"),
            hangup_url=parse_url(body, "hangup_url"),
            hangup_method=parse_method(body, "hangup_method"),
            fallback_url=parse_url(body, "fallback_url"),
            fallback_method=parse_method(body, "fallback_method"),
            machine_detection=detection,
            ring_timeout=_seconds(body, "ring_timeout", 120),
            time_limit=_seconds(body, "time_limit", 14_400),
            caller_name=str(body.get("caller_name") or "")[:50],
        )
        for number in numbers
    ]


def _hangup_cause(request: Request) -> int | None:
    name = "hangup_cause_code"
    if name not in request.query_params:
        return None
    code = parse_int(request, name, 0)
    if not 0 <= code <= MAX_CAUSE:
        raise Refusal(400, f"{name} must be 0 to {MAX_CAUSE}")
    return code


def _billed_bounds(request: Request) -> tuple[int, int]:
    """The inclusive bounds that the filters on `bill_duration` set."""
    shortest, longest = 0, MAX_BILLED
    for name in with_operators("bill_duration"):
        if name not in request.query_params:
            continue
        seconds = parse_int(request, name, 0)
        if not 0 <= seconds <= MAX_BILLED:
            raise Refusal(400, f"{name} must be 0 to {MAX_BILLED} seconds")
        if name.endswith(("duration", "__gte", "__gt")):
            shortest = max(shortest, seconds + name.endswith("__gt"))
        if name.endswith(("duration", "__lte", "__lt")):
            longest = min(longest, seconds - name.endswith("__lt"))
    return shortest, longest


def _has_status(call: SandboxCall, status: str) -> bool:
    """Whether a call has this status: "live", or "queued" until it rings."""
    if call.ended_at is not None or status not in {"live", "queued"}:
        return False
    return (call.rang_at is None) == (status == "queued")


def _seconds(body: Body, name: str, default: int) -> float:
    value = body.get(name)
    return float(
        parse_seconds(name, default if value is None or value == "" else value, 1, MAX_CALL)
    )
