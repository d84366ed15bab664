"""Refuses `server.baseUrlPath`: our routes, cookies and callbacks do not support a path prefix."""

import streamlit as st

from core.model.errors import SettingsRefused


def refuse_base_path() -> None:
    """Raises SettingsRefused where `server.baseUrlPath` is set, by a flag, by the environment or in
    config.toml."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/ ")
    if path:
        raise SettingsRefused(
            f'server.baseUrlPath is "{path}", and this application serves no path prefix.',
            "Remove it (the flag --server.baseUrlPath, STREAMLIT_SERVER_BASE_URL_PATH or "
            "config.toml), and give the application a host name of its own.",
        )
