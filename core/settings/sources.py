"""Reads unchecked values from the environment, `.env` and Streamlit's `secrets.toml`.

Streamlit's file also holds tables for Streamlit itself (`[connections.…]`, `[auth]`): only values
at the top level are read, and only those with the name of a setting.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

from core.model.errors import SettingsRefused

#: With or without the byte-order mark that some editors of Windows write.
_ENCODING = "utf-8-sig"


def read_sources(settings: type[BaseSettings], project: Path) -> dict[str, Any]:
    """The unchecked values for the fields of `settings`. The environment wins, then `.env`.

    Raises SettingsRefused for a file that cannot be read.
    """
    dotenv, toml = project / ".env", project / ".streamlit" / "secrets.toml"
    with _readable(toml):
        values = _top_level(toml)
    with _readable(dotenv):
        _refuse_broken_line(dotenv)
        values |= DotEnvSettingsSource(settings, dotenv, _ENCODING)()
    values |= EnvSettingsSource(settings)()
    return {name: value for name, value in values.items() if name in settings.model_fields}


def _refuse_broken_line(dotenv: Path) -> None:
    """The reader of `.env` leaves out a line that it cannot parse, which might be PLIVO_MODE."""
    try:
        with dotenv.open(encoding=_ENCODING) as file:
            broken = [binding.original.line for binding in parse_stream(file) if binding.error]
    except FileNotFoundError:
        return
    if broken:
        raise SettingsRefused(
            f".env has a line that cannot be read: line {broken[0]}.",
            "Write it as NAME=value, or begin it with # for a comment, and start again.",
        )


def _top_level(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(_ENCODING))
    except FileNotFoundError:
        return {}
    return {
        name.lower(): value
        for name, value in document.items()
        if value != "" and not isinstance(value, dict)
    }


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    place = f"{path.parent.name}/{path.name}" if path.suffix else path.name
    try:
        yield
    except tomllib.TOMLDecodeError as error:
        # Its message has the line and column, and of the content at most a key.
        raise SettingsRefused(
            f"{place} is not valid TOML: {error}.", "Correct that line, and start again."
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsRefused(
            f"{place} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8."
        ) from None  # The error holds the file's bytes.
    except OSError as error:
        raise SettingsRefused(
            f"{place} cannot be read: {error.strerror}.", "Make it readable for this user."
        ) from error
