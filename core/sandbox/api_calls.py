"""The Call resource: make, list, get, hang up; and the calls that are going on."""

from datetime import timezone

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.answers import Body, answer, read_json
from core.sandbox.call_log import Call, CallFilter, CallOrder
from core.sandbox.call_records import live_record, record
from core.sandbox.calls import Switchboard
from core.sandbox.clock import SandboxClock
from core.sandbox.errors import Refusal
from core.sandbox.faults import Faults
from core.sandbox.gate import Gate
from core.sandbox.numbers import destination, searched
from core.sandbox.outgoing import is_web_address
from core.sandbox.paging import page_of, span_of

DAY = 24 * 3600
LISTED_SECONDS = 7 * DAY
LONGEST_SPAN = 30 * DAY
LONGEST_CALL = 86_400  # seconds


class CallApi:
    """Calls over HTTP."""

    def __init__(
        self,
        auth_id: str,
        zone: timezone,
        clock: SandboxClock,
        gate: Gate,
        faults: Faults,
        switchboard: Switchboard,
    ) -> None:
        self._auth_id = auth_id
        self._zone = zone
        self._clock = clock
        self._gate = gate
        self._faults = faults
        self._switchboard = switchboard

    def routes(self) -> list[Route]:
        path = "/v1/Account/{auth_id}/Call/"
        guard = self._gate.guard
        return [
            Route(path, guard(self.create), methods=["POST"]),
            Route(path, guard(self.list), methods=["GET"]),
            Route(path + "{call_uuid}/", guard(self.get), methods=["GET"]),
            Route(path + "{call_uuid}/", guard(self.hang_up), methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        orders = read_orders(await read_json(request))
        numbers = [order.to_number for order in orders]
        self._faults.refuse(numbers, call=True)
        uuids = self._switchboard.place(orders)
        await self._faults.keep_silent(request, numbers)
        return answer(
            {"message": "call fired", "request_uuid": uuids[0] if len(uuids) == 1 else uuids}, 201
        )

    async def list(self, request: Request) -> Response:
        query = request.query_params
        if "status" in query:
            going_on = self._switchboard.calls.going_on()
            return answer({"calls": [c.call_uuid for c in going_on if _is(c, query["status"])]})
        self._gate.count_list()
        page = page_of(request)
        since, until = self._span(request)
        code = query.get("hangup_cause_code")
        if code is not None and not code.isdigit():
            raise Refusal(400, "hangup_cause_code must be a number")
        where = CallFilter(
            since=since,
            until=until,
            from_number=searched(query.get("from_number")),
            to_number=searched(query.get("to_number")),
            hangup_cause_code=int(code) if code is not None else None,
            hangup_source=query.get("hangup_source"),
        )
        calls, total = self._switchboard.calls.page(where, page.limit, page.offset)
        more = page.offset + page.limit < total
        meta = page.meta(request, f"/v1/Account/{self._auth_id}/Call/", more=more)
        objects = [record(call, self._auth_id, self._zone, self._clock) for call in calls]
        return answer({"meta": {**meta, "total_count": total}, "objects": objects})

    async def get(self, request: Request) -> Response:
        call = self._switchboard.calls.find(request.path_params["call_uuid"])
        status = request.query_params.get("status")
        if call is not None and status is not None and _is(call, status):
            return answer(live_record(call, self._zone))
        if call is not None and status is None and call.ended_at is not None:
            return answer(record(call, self._auth_id, self._zone, self._clock))
        raise Refusal(404, "call not found")

    async def hang_up(self, request: Request) -> Response:
        call = self._switchboard.calls.find(request.path_params["call_uuid"])
        if call is None:
            raise Refusal(404, "call not found")
        self._switchboard.cancel(call)
        return Response(status_code=204)

    def _span(self, request: Request) -> tuple[float, float]:
        since, until = span_of(request, "end_time", self._clock, LISTED_SECONDS)
        if since == 0.0:
            since = min(until, self._clock.now()) - LONGEST_SPAN
        elif min(until, self._clock.now()) - since > LONGEST_SPAN:
            raise Refusal(400, "end_time may span 30 days at most")
        return since, until


def read_orders(body: Body) -> list[CallOrder]:
    """One order a destination; Refusal 400 names what is wrong with the request body."""
    for name in ("from", "to", "answer_url"):
        if not body.get(name):
            raise Refusal(400, f"{name} parameter not present")
    detection = str(body.get("machine_detection") or "").lower()
    if detection not in {"", "true", "hangup"}:
        raise Refusal(400, "machine_detection must be true or hangup")
    caller = destination(body["from"])
    numbers = [destination(one) for one in str(body["to"]).split("<")]
    if caller in numbers:
        raise Refusal(400, "to is identical to from")
    return [
        CallOrder(
            from_number=caller,
            to_number=number,
            answer_url=_url(body, "answer_url"),
            answer_method=_method(body, "answer_method"),
            ring_url=_url(body, "ring_url"),
            ring_method=_method(body, "ring_method"),
            hangup_url=_url(body, "hangup_url"),
            hangup_method=_method(body, "hangup_method"),
            fallback_url=_url(body, "fallback_url"),
            fallback_method=_method(body, "fallback_method"),
            machine_detection=detection,
            ring_timeout=_seconds(body, "ring_timeout", 120),
            time_limit=_seconds(body, "time_limit", 14_400),
            caller_name=str(body.get("caller_name") or "")[:50],
        )
        for number in numbers
    ]


def _is(call: Call, status: str) -> bool:
    """Whether a call is "live", or "queued": not ringing yet."""
    if call.ended_at is not None or status not in {"live", "queued"}:
        return False
    return (call.rang_at is None) == (status == "queued")


def _url(body: Body, name: str) -> str:
    url = str(body.get(name) or "")
    if url and not is_web_address(url):
        raise Refusal(400, f"{name} is not a valid URL")
    return url


def _method(body: Body, name: str) -> str:
    method = str(body.get(name) or "POST").upper()
    if method not in {"GET", "POST"}:
        raise Refusal(400, f"{name} must be GET or POST")
    return method


def _seconds(body: Body, name: str, default: int) -> float:
    try:
        seconds = int(str(body.get(name) or default))
    except ValueError:
        raise Refusal(400, f"{name} must be a whole number of seconds") from None
    if not 1 <= seconds <= LONGEST_CALL:
        raise Refusal(400, f"{name} must be 1 to {LONGEST_CALL} seconds")
    return float(seconds)
