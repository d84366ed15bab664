"""Query parameters that several routes share, and the refusal of unknown query parameters."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator

from core.model.regions import known_region


def _region(letters: str) -> str:
    """The region's letters as records have them: GB for UK."""
    return known_region(letters) or letters


Country = Annotated[
    str, Query(pattern="^[A-Z]{2}$", description="ISO 3166; UK is GB."), AfterValidator(_region)
]


def query_parameters(document: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The names of the query parameters of each operation of an OpenAPI document, by its id."""
    return {
        operation["operationId"]: frozenset(
            parameter["name"]
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        )
        for operations in document["paths"].values()
        for operation in operations.values()
    }


def refuse_unknown_parameters(request: Request) -> None:
    """422 for a query parameter that the route does not take: a client would otherwise believe that
    it has an effect. The name is not repeated, since an error repeats nothing of a request."""
    operation = request.scope["route"].operation_id
    allowed: frozenset[str] = request.app.state.query_parameters[operation]
    if not allowed.issuperset(request.query_params):
        names = ", ".join(sorted(allowed)) or "none"
        message = f"This address does not take one of these parameters. It takes: {names}."
        raise RequestValidationError([{"loc": ("query",), "msg": message, "type": "value_error"}])
