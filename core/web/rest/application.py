"""Makes the FastAPI application of the REST API, which is mounted at `/api/v1`."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from core.web.batch import Batch
from core.web.body_limit import BodyLimit
from core.web.rest import alerts, attempts, delivery, verifications
from core.web.rest.bearer import admit
from core.web.rest.objects import ProbeObject, RestServices
from core.web.rest.parameters import query_parameters
from core.web.rest.problems import Problem, documented, handle_problems, too_large
from core.web.send_threads import SendThreads

_DESCRIPTION = """
Verify phone numbers on Plivo, and read how delivery goes.

Send a bearer token (`Authorization: Bearer …`) with the scope of the routes: **verify** for
verifications, **read** for delivery and attempts. Errors are problem details (RFC 9457) with a
stable `code`. `RateLimit-…` headers say how many requests a token has left in this minute.
"""
#: No request of this API needs more, in bytes.
LONGEST_BODY = 16 * 1024


class Health(BaseModel):
    """This process serves, and its Redis takes writes."""

    status: str


def rest_api(services: Callable[[], RestServices]) -> FastAPI:
    """The application; `services` is called at each request."""
    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        # A redirect would repeat the request's Host and, behind a proxy that ends TLS, say http://.
        redirect_slashes=False,
        title="Phone verification",
        version="1",
        description=_DESCRIPTION,
        swagger_ui_parameters={"persistAuthorization": False, "defaultModelsExpandDepth": 0},
    )
    app.state.services = services
    # Concurrent requests share one round trip to Redis.
    app.state.admissions = Batch(lambda presented: admit(services(), presented))
    app.state.checks = Batch(lambda entered: services().verifications.check_all(entered))
    app.state.send_threads = SendThreads()
    handle_problems(app)
    app.add_middleware(BodyLimit, longest=LONGEST_BODY, refuse=too_large)
    for router in (verifications.router, delivery.router, alerts.router, attempts.router):
        app.include_router(router)

    @app.get(
        "/health",
        tags=["Health"],
        operation_id="health",
        summary="Whether this process can serve",
        responses=documented(503),
    )
    def health(probe: ProbeObject) -> Health:
        """No token is needed. 503, with cause and remedy, while Redis cannot be written."""
        probe.check()
        return Health(status="ok")

    app.openapi_schema = _document(app)
    app.state.query_parameters = query_parameters(app.openapi_schema)
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. FastAPI leaves out the schema of a response of another media type."""
    document = app.openapi()
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    return document
