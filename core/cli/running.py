"""What the commands share: the services of this process, and errors as sentences."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.model.errors import ProductError
from core.services import Services
from core.settings.reading import read_settings
from core.settings.settings import Settings
from core.wiring import build


@contextmanager
def exiting_on_errors() -> Iterator[None]:
    """End the command with cause and remedy of a ProductError."""
    try:
        yield
    except ProductError as error:
        sys.exit(f"{error.cause}\n{error.remedy}")


@contextmanager
def opened_services(settings: Settings | None = None) -> Iterator[Services]:
    """The services, by default with the settings of this folder; closed at the end."""
    services = build(settings or read_settings())
    try:
        yield services
    finally:
        services.close()
