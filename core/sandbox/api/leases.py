"""The routes of leased numbers. No credentials; none of the answers may be cached."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.sandbox.api.answers import NO_STORE, Body, read_json
from core.sandbox.api.parameters import refuse_others
from core.sandbox.errors import Refusal
from core.sandbox.facts.endings import ending_of
from core.sandbox.facts.lease_range import is_ending
from core.sandbox.facts.moments import iso_utc
from core.sandbox.facts.numbers import is_country
from core.sandbox.json_values import whole_number
from core.sandbox.leases import MAX_NUMBERS, MAX_SECONDS, LeaseRecord, Leases

_DEFAULTS: Body = {"ending": ending_of("").suffix, "country": "US", "count": 1, "seconds": 600}


class LeaseApi:
    """Leases, renews and releases numbers."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    def routes(self) -> list[Route]:
        return [
            Route("/numbers", self.show, methods=["GET"]),
            Route("/numbers", self.lease, methods=["POST"]),
            Route("/numbers/{lease}", self.renew, methods=["PUT"]),
            Route("/numbers/{lease}", self.release, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        leases = [_view(lease) for lease in self._leases.in_force()]
        return JSONResponse({"leases": leases}, headers=NO_STORE)

    async def lease(self, request: Request) -> Response:
        body = await _read(request, *_DEFAULTS)
        ending, country = body["ending"], body["country"]
        if not is_ending(ending):
            raise Refusal(400, "ending must be four digits, such as 0030; GET /endings lists them")
        if not isinstance(country, str) or not is_country(country.upper()):
            raise Refusal(400, "country must be the two letters of a country, such as US")
        count = whole_number(body["count"], "count", 1, MAX_NUMBERS)
        seconds = whole_number(body["seconds"], "seconds", 1, MAX_SECONDS)
        lease = self._leases.draw(country.upper(), ending, count, seconds)
        return JSONResponse(_view(lease), 201, headers=NO_STORE)

    async def renew(self, request: Request) -> Response:
        body = await _read(request, "seconds")
        seconds = whole_number(body["seconds"], "seconds", 1, MAX_SECONDS)
        lease = self._leases.renew(request.path_params["lease"], seconds)
        return JSONResponse(_view(lease), headers=NO_STORE)

    async def release(self, request: Request) -> Response:
        self._leases.release(request.path_params["lease"])
        return Response(status_code=204, headers=NO_STORE)


async def _read(request: Request, *names: str) -> Body:
    """The body with the defaults of these fields. Raises Refusal 400 for any other field."""
    is_empty = request.headers.get("Content-Length", "0") == "0"
    body = (
        {} if is_empty and "Transfer-Encoding" not in request.headers else await read_json(request)
    )
    refuse_others(body, names, "field")
    return {name: body.get(name, _DEFAULTS[name]) for name in names}


def _view(lease: LeaseRecord) -> dict[str, Any]:
    return {
        "lease": lease.lease,
        "numbers": [f"+{number}" for number in lease.numbers],
        "country": lease.country,
        "ending": lease.ending,
        "leased_at": iso_utc(lease.leased_at),
        "expires_at": iso_utc(lease.expires_at),
    }
