"""The routes of chaos: its document. No credentials, as for the handsets."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.sandbox.api.answers import NO_STORE, read_json
from core.sandbox.chaos.chaos import Chaos
from core.sandbox.chaos.document import ChaosDocument


class ChaosApi:
    """Every answer is the current document."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos

    @property
    def reading(self) -> Route:
        return Route("/chaos", self.show, methods=["GET"])

    def routes(self) -> list[Route]:
        return [
            self.reading,
            Route("/chaos", self.set, methods=["PUT"]),
            Route("/chaos", self.stop, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        return _answer(self._chaos.document())

    async def set(self, request: Request) -> Response:
        return _answer(self._chaos.set(await read_json(request)))

    async def stop(self, request: Request) -> Response:
        return _answer(self._chaos.stop())


def _answer(document: ChaosDocument) -> Response:
    return JSONResponse(document.to_json(), headers=NO_STORE)
