"""Plivo's PHLO runner: get and run. A run has no callback URL; its result is in the logs."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.api.answers import Body, answer, new_api_id, read_json, requester_ip
from core.sandbox.api.faults import Faults
from core.sandbox.api.gate import ApiGate
from core.sandbox.api.numbers import parse_destination, parse_sender
from core.sandbox.api.parameters import require
from core.sandbox.calls.log import CallOrder
from core.sandbox.calls.own_phlo import PHLO_START, phlo_exists, phlo_text
from core.sandbox.calls.switchboard import Switchboard
from core.sandbox.chaos.chaos import Chaos
from core.sandbox.errors import Refusal
from core.sandbox.facts.effects import EffectChannel
from core.sandbox.messages.carrier import Carrier, MessageOrder
from core.sandbox.messages.text_units import text_units


class PhloApi:
    """The routes of PHLOs. As at Plivo, `account` is lower-case in the path of a run."""

    def __init__(
        self,
        gate: ApiGate,
        faults: Faults,
        carrier: Carrier,
        switchboard: Switchboard,
        chaos: Chaos,
    ) -> None:
        self._gate = gate
        self._faults = faults
        self._carrier = carrier
        self._switchboard = switchboard
        self._chaos = chaos

    def routes(self) -> list[Route]:
        guard = self._gate.guard
        run = "/v1/account/{auth_id}/phlo/{phlo_id}/"
        return [
            Route("/v1/phlo/{phlo_id}/", guard(self.get), methods=["GET"]),
            Route(run, guard(self.run), methods=["POST"]),
        ]

    async def get(self, request: Request) -> Response:
        return answer(
            {
                "phlo_id": _phlo_id(request),
                "name": "Two-factor code",
                "created_on": "2024-01-01 00:00:00.000001+00:00",
            }
        )

    async def run(self, request: Request) -> Response:
        phlo_id, body = _phlo_id(request), await read_json(request)
        require(body, "from", "to", "otp", "mode")
        if str(body["mode"]) not in {"sms", "call"}:
            raise Refusal(400, "mode must be sms or call")
        caller, number = parse_sender(body["from"]), parse_destination(body["to"])
        # Before the plan, which counts the send: a text that is too long is no send.
        order = _order(body, caller, number, requester_ip(request))
        is_call = isinstance(order, CallOrder)
        channel = EffectChannel.CALL if is_call else EffectChannel.SMS
        plans = [self._chaos.plan(number, channel, "phlo")]
        self._faults.refuse(plans, call=is_call)
        api_id = new_api_id()
        node_answer: dict[str, object] = {"api_id": api_id}
        if isinstance(order, CallOrder):
            node_answer |= {
                "message": "call fired",
                "request_uuid": self._switchboard.place([order], plans)[0],
            }
        else:
            node_answer |= {
                "message": "message(s) queued",
                "message_uuid": self._carrier.accept(order, plans),
            }
        await self._faults.delay_answer(request, plans)
        # Plivo writes the node's answer as a Python repr, not as JSON.
        message = f"PHLO triggered; the node answered {node_answer!r}"
        return answer(
            {"api_id": api_id, "phlo_id": phlo_id, "phlo_run_id": api_id, "message": message}, 201
        )


def _order(body: Body, caller: str, number: str, requester_ip: str) -> CallOrder | MessageOrder:
    """Raises Refusal 400 for a text that is too long."""
    otp = str(body["otp"])
    if body["mode"] == "call":
        return CallOrder(
            from_number=caller,
            to_number=number,
            answer_url=PHLO_START,
            machine_detection="hangup",
            phlo_otp=otp,
        )
    text = phlo_text(otp)
    return MessageOrder(caller, (number,), text, text_units(text), requester_ip=requester_ip)


def _phlo_id(request: Request) -> str:
    phlo_id = str(request.path_params["phlo_id"])
    if not phlo_exists(phlo_id):
        raise Refusal(404, "phlo not found")
    return phlo_id
