"""The reports of a test session."""

from core.lab.sessions.model import TestSession
from pages.components.qa.tools import SessionTools


def draw_reports(session: TestSession, tools: SessionTools) -> None:
    """Draw the downloads of this session, in a row."""
