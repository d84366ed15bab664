"""What every page shares: the process's services."""

from pathlib import Path

import streamlit as st

from core.services import Services, build
from core.settings import read_settings

PROJECT = Path(__file__).parents[2]


@st.cache_resource(show_spinner=False)
def services() -> Services:
    """The services of this process: the same object in every page, route and session."""
    return build(read_settings(PROJECT))
