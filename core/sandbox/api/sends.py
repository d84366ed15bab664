"""The newest messages and calls, and pushing a status onto one by hand. No credentials."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.sandbox.api.answers import NO_STORE, Body, read_json
from core.sandbox.api.parameters import refuse_others
from core.sandbox.calls.log import SandboxCall
from core.sandbox.calls.switchboard import TRANSITIONS as CALL_TRANSITIONS
from core.sandbox.calls.switchboard import Switchboard, progress
from core.sandbox.chaos.document import MAX_ERROR_CODE, NETWORK_ERROR
from core.sandbox.errors import Refusal
from core.sandbox.facts.effects import EffectChannel, EffectPlan
from core.sandbox.facts.hangups import NORMAL, REJECTED
from core.sandbox.facts.moments import iso_utc
from core.sandbox.json_values import choice, hangup_cause
from core.sandbox.messages.carrier import TRANSITIONS as MESSAGE_TRANSITIONS
from core.sandbox.messages.carrier import Carrier
from core.sandbox.messages.log import DELIVERED, SENT, Message
from core.sandbox.plans import Plans, plan_of

MAX_LISTED = 50
SMS, CALL = EffectChannel.SMS, EffectChannel.CALL


class SendsApi:
    """Every answer is one send, except the list."""

    def __init__(self, carrier: Carrier, switchboard: Switchboard, plans: Plans) -> None:
        self._carrier = carrier
        self._switchboard = switchboard
        self._plans = plans

    def routes(self) -> list[Route]:
        return [
            Route("/sends", self.list, methods=["GET"]),
            Route("/sends/{uuid}", self.show, methods=["GET"]),
            Route("/messages/{uuid}/status", self.push_message, methods=["POST"]),
            Route("/calls/{uuid}/status", self.push_call, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        sends = [
            *map(self._message, self._carrier.messages.newest(MAX_LISTED)),
            *map(self._call, self._switchboard.calls.newest(MAX_LISTED)),
        ]
        sends.sort(key=lambda send: str(send["started_at"]), reverse=True)
        return JSONResponse({"sends": sends[:MAX_LISTED]}, headers=NO_STORE)

    async def show(self, request: Request) -> Response:
        uuid = request.path_params["uuid"]
        if message := self._carrier.messages.find(uuid):
            return JSONResponse(self._message(message), headers=NO_STORE)
        if call := self._switchboard.calls.find(uuid):
            return JSONResponse(self._call(call), headers=NO_STORE)
        raise Refusal(404, "no such message or call")

    async def push_message(self, request: Request) -> Response:
        body = await read_json(request)
        message = self._carrier.messages.find(request.path_params["uuid"])
        if message is None:
            raise Refusal(404, "no such message")
        refuse_others(body, ("status", "error_code"), "field")
        status = choice(body.get("status"), "status", MESSAGE_TRANSITIONS)
        message = self._carrier.push(message, status, _error_code(body, status))
        return JSONResponse(self._message(message), headers=NO_STORE)

    async def push_call(self, request: Request) -> Response:
        body = await read_json(request)
        uuid = request.path_params["uuid"]
        call = self._switchboard.calls.find(uuid)
        if call is None:
            raise Refusal(404, "no such call")
        refuse_others(body, ("status", "hangup_cause_code"), "field")
        status = choice(body.get("status"), "status", CALL_TRANSITIONS)
        self._switchboard.push(call, status, _hangup_cause(body, status, call))
        return JSONResponse(
            self._call(self._switchboard.calls.find(uuid) or call), headers=NO_STORE
        )

    def _message(self, message: Message) -> dict[str, Any]:
        plan = self._plans.find(message.message_uuid, message.to_number, SMS)
        return {
            "uuid": message.message_uuid,
            "channel": SMS,
            "number": message.to_number,
            "status": message.state,
            "error_code": message.error_code if message.settled else None,
            "started_at": iso_utc(message.message_time),
            "next": MESSAGE_TRANSITIONS[message.state],
            **_effects(plan, message.to_number, SMS),
        }

    def _call(self, call: SandboxCall) -> dict[str, Any]:
        plan, status = self._switchboard.plan(call), progress(call)
        return {
            "uuid": call.call_uuid,
            "channel": CALL,
            "number": call.to_number,
            "status": status,
            "hangup_cause_code": call.hangup_code,
            "started_at": iso_utc(call.initiated_at),
            "next": CALL_TRANSITIONS[status],
            **_effects(plan, call.to_number, CALL),
        }


def _effects(plan: EffectPlan, number: str, channel: EffectChannel) -> dict[str, Any]:
    return {
        "effects": [
            {"effect": each.kind, "code": each.code or None, "seconds": each.seconds or None}
            for each in plan.effects
        ],
        "by_chaos": plan != plan_of(number, channel),
    }


def _error_code(body: Body, status: str) -> str | None:
    """The error code of a message that failed or is undelivered."""
    code = body.get("error_code")
    if status in {SENT, DELIVERED}:
        if code is not None:
            raise Refusal(400, f"a message that is {status} has no error_code")
        return None
    text = str(NETWORK_ERROR if code is None else code)
    is_short = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ERROR_CODE))
    if not is_short or int(text) < 1:
        raise Refusal(400, f"error_code must be a number from 1 to {MAX_ERROR_CODE}")
    return str(int(text))


def _hangup_cause(body: Body, status: str, call: SandboxCall) -> int:
    """The hangup cause of a call that ends: 4000 if it was answered, else 3020, unless set."""
    code = body.get("hangup_cause_code")
    if status != "ended" and code is not None:
        raise Refusal(400, "only a call that is ended has a hangup_cause_code")
    if code is None:
        return REJECTED if call.answered_at is None else NORMAL
    return hangup_cause(code, "hangup_cause_code")
