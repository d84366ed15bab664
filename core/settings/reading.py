"""Reads and checks all settings at the start of a process.

The environment goes before `.env`, and that before `.streamlit/secrets.toml`. An empty value counts
as not set, and unknown names are ignored. All wrong values are refused in one error.
"""

from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.model.errors import SettingsRefused
from core.settings.settings import Settings
from core.settings.sources import read_sources

#: Settings whose value an error does not quote: secrets, and fields into which a secret is easily
#: typed (the Auth Token in the place of an id, an address with a user and a password).
_NOT_QUOTED = {
    "plivo_auth_id",
    "plivo_auth_token",
    "phlo_id",
    "public_url",
    "sandbox_url",
    "secret_key",
    "redis_url",
    "admin_password_hash",
    "webhook_url",
    "webhook_secret",
    "alert_urls",
    "test_numbers",
    "test_phones",
}


def read_settings(directory: Path | None = None) -> Settings:
    """The settings of the project in `directory` (None: the current one).

    Raises SettingsRefused, whose cause names every wrong variable, its value unless that is secret,
    and the allowed values.
    """
    project = (directory or Path.cwd()).resolve()
    values = read_sources(Settings, project)
    values["data_dir"] = project / Path(values.get("data_dir", ".data")).expanduser()
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsRefused(
            " ".join(_sentence(problem) for problem in error.errors()),
            "Correct that in the environment, .env or .streamlit/secrets.toml, and start again.",
        ) from None  # The original holds the values, secrets too.


def _sentence(problem: ErrorDetails) -> str:
    """The error text for one wrong setting."""
    rule = str(problem["ctx"]["error"]) if problem["type"] == "value_error" else ""
    if not problem["loc"]:
        return rule
    name = str(problem["loc"][0])
    extra = Settings.model_fields[name].json_schema_extra
    if not rule:
        rule = str(extra["rule"]) if isinstance(extra, dict) else "a text"
    value = "" if name in _NOT_QUOTED else f' is "{problem["input"]}", and'
    return f"{name.upper()}{value} must be {rule}."
