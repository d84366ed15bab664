"""The log of callbacks, for tests and debugging. Plivo has no such resource."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.api.answers import answer
from core.sandbox.api.gate import ApiGate
from core.sandbox.api.paging import allow_filters
from core.sandbox.callbacks import Callbacks


class CallbackApi:
    """The route of the log; `?reference=` selects one message or call."""

    def __init__(self, gate: ApiGate, callbacks: Callbacks) -> None:
        self._gate = gate
        self._callbacks = callbacks

    def routes(self) -> list[Route]:
        return [Route("/v1/sandbox/callbacks", self._gate.guard(self.list), methods=["GET"])]

    async def list(self, request: Request) -> Response:
        allow_filters(request, {"reference"})
        reference = request.query_params.get("reference")
        return answer({"objects": self._callbacks.log(reference)})
