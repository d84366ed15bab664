"""The reports of a test session."""

from collections.abc import Callable

import streamlit as st

from core.charts.session_page import session_page
from core.lab.sessions.model import TestSession
from core.panels.evidence import EvidenceReader
from core.panels.qa_session import SessionReader
from core.panels.session_files import junit_xml, session_csv
from core.panels.session_report import SessionReport, SessionReportReader, file_name
from pages.components.access import current_visitor
from pages.components.qa.tools import SessionTools


def draw_reports(session: TestSession, tools: SessionTools) -> None:
    """Draw the downloads of this session, in a row. A file is written on the click."""
    reader = SessionReportReader(
        SessionReader(tools.verifications),
        EvidenceReader(tools.verifications, tools.exchanges, tools.settings, tools.chaos),
        tools.clock,
        tools.settings,
    )

    # Not at the click, which is answered outside of the page.
    grant = current_visitor().grant

    def file(write: Callable[[SessionReport], bytes]) -> Callable[[], bytes]:
        # The session as of the click, which may be later than what this run has drawn.
        return lambda: write(reader.read(tools.sessions.find(session.id) or session, grant))

    name = file_name(session)
    with st.container(horizontal=True, key="qa_reports"):
        for label, ending, mime, write in (
            ("Report (HTML)", "html", "text/html", lambda of: session_page(of).encode()),
            ("JUnit XML", "xml", "application/xml", junit_xml),
            ("CSV", "csv", "text/csv", session_csv),
        ):
            st.download_button(
                label, file(write), f"{name}.{ending}", mime, key=f"qa_report_{ending}",
                icon=":material/download:", on_click="ignore", type="tertiary",
            )  # fmt: skip
