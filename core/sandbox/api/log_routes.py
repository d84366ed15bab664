"""What the resources with a log share, messages and calls: their routes, lists and numbers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timezone
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.api.answers import answer
from core.sandbox.api.faults import Faults
from core.sandbox.api.gate import ApiGate, Endpoint
from core.sandbox.api.numbers import filter_digits
from core.sandbox.api.paging import Page, allow_filters, parse_page
from core.sandbox.clock import SandboxClock


@dataclass(frozen=True, slots=True)
class LogRoutes:
    """One such resource of the account `auth_id`: `name` is "Message" or "Call". Its records are in
    the time zone `zone`."""

    name: str
    auth_id: str
    zone: timezone
    clock: SandboxClock
    gate: ApiGate
    faults: Faults

    def routes(self, *, create: Endpoint, list: Endpoint, get: Endpoint) -> list[Route]:
        return [
            self.route("", create, "POST"),
            self.route("", list, "GET"),
            self.route("{uuid}/", get, "GET"),
        ]

    def route(self, path: str, endpoint: Endpoint, method: str) -> Route:
        """A guarded route below the resource."""
        whole = f"/v1/Account/{{auth_id}}/{self.name}/{path}"
        return Route(whole, self.gate.guard(endpoint), methods=[method])

    def read_list(self, request: Request, filters: Collection[str]) -> Page:
        """The requested page of the log. Raises Refusal 429, and 400 for an unknown filter."""
        self.gate.count_list()
        allow_filters(request, filters)
        return parse_page(request)

    def answer_list(
        self,
        request: Request,
        page: Page,
        objects: Sequence[dict[str, Any]],
        *,
        more: bool,
        **meta: int,
    ) -> Response:
        """`more`: there are objects after this page. `meta` is added to the fields of the same
        name."""
        path = f"/v1/Account/{self.auth_id}/{self.name}/"
        paging = page.meta(request, path, more=more)
        return answer({"meta": {**paging, **meta}, "objects": objects})


def both_numbers(request: Request) -> dict[str, str | None]:
    """The filters by sender and destination, as digits."""
    return {
        name: filter_digits(request.query_params.get(name)) for name in ("from_number", "to_number")
    }
