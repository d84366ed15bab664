"""Query parameters that several routes take, and the refusal of those that a route has not."""

from typing import Annotated

from fastapi import Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator

from core.model.regions import known_region


def _region(letters: str) -> str:
    """Records have the region's own letters: UK is GB."""
    return known_region(letters) or letters


Country = Annotated[
    str, Query(pattern="^[A-Z]{2}$", description="ISO 3166; UK is GB."), AfterValidator(_region)
]


def refuse_unknown_parameters(request: Request) -> None:
    """422 for a query parameter that this route does not take: ignored, it would be taken for
    honoured. The name is not repeated, as nothing of a request is."""
    known = {
        param.alias
        for param in get_flat_params(request.scope["route"].dependant)
        if isinstance(param.field_info, params.Query)
    }
    if not known.issuperset(request.query_params):
        takes = ", ".join(sorted(known)) or "none"
        message = f"This address does not take one of these parameters. It takes: {takes}."
        raise RequestValidationError([{"loc": ("query",), "msg": message, "type": "value_error"}])
