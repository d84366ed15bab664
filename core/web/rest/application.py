"""Makes the FastAPI application that is mounted at `/api/v1`."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from core.services import Services
from core.web.batch import Batch
from core.web.rest import attempts, delivery, verifications
from core.web.rest.bearer import App, admit
from core.web.rest.body_limit import BodyLimit
from core.web.rest.problems import Problem, documented, handle_problems
from core.web.send_threads import SendThreads

_DESCRIPTION = """
Verify phone numbers on Plivo, and read how delivery goes.

Send a bearer token (`Authorization: Bearer …`) with the scope of the routes: **verify** for
verifications, **read** for delivery and attempts. Errors are problem details (RFC 9457) with a
stable `code`. `RateLimit-…` headers say how many requests a token has left in this minute.
"""


class Health(BaseModel):
    """That this process serves, and that its Redis takes writes."""

    status: str


def rest_api(services: Callable[[], Services]) -> FastAPI:
    """The application; `services` is asked for at each request."""
    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        # A redirect would name the Host that was asked for and, where a proxy ends TLS, http://.
        redirect_slashes=False,
        title="Phone verification",
        version="1",
        description=_DESCRIPTION,
        swagger_ui_parameters={"persistAuthorization": False, "defaultModelsExpandDepth": 0},
    )
    app.state.services = services
    # What many ask at once goes to Redis as one.
    app.state.admissions = Batch(lambda presented: admit(services(), presented))
    app.state.checks = Batch(lambda entered: services().verifications.check_all(entered))
    app.state.send_threads = SendThreads()
    handle_problems(app)
    app.add_middleware(BodyLimit)
    for router in (verifications.router, delivery.router, attempts.router):
        app.include_router(router)

    @app.get(
        "/health",
        tags=["Health"],
        operation_id="health",
        summary="Whether this process can serve",
        responses=documented(503),
    )
    def health(services: App) -> Health:
        """No token is needed. 503, with cause and remedy, while Redis cannot be written."""
        services.probe.check()
        return Health(status="ok")

    app.openapi_schema = _document(app)
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. FastAPI leaves out what answers only with another media type."""
    document = app.openapi()
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    return document
