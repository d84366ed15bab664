"""`GET /endings`: the table of endings, for pages, tests and documentation. No credentials."""

import dataclasses
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.sandbox.facts.endings import ENDINGS, Ending, EndingGroup

#: Before the ending in the example numbers.
EXAMPLE_PREFIX = "+1415555"


def listing() -> dict[str, Any]:
    """The groups in their order, and the endings by group."""
    return {
        "groups": [{"name": group.value, "summary": group.summary} for group in EndingGroup],
        "endings": [_ending(ending) for ending in ENDINGS],
    }


def _ending(ending: Ending) -> dict[str, Any]:
    return {
        "suffix": ending.suffix,
        "pattern": ending.pattern,
        "group": ending.group.value,
        "kind": ending.kind.value,
        "title": ending.title,
        "channels": [channel.value for channel in ending.channels],
        "example": EXAMPLE_PREFIX + ending.suffix,
        "sms": dataclasses.asdict(ending.message),
        "call": dataclasses.asdict(ending.call),
    }


class EndingsApi:
    """The route of the table."""

    def routes(self) -> list[Route]:
        return [Route("/endings", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        return JSONResponse(listing())
