"""The view "Inbox" of the QA page as Streamlit runs it, without a browser."""

from core.services import Services
from tests.pages.conftest import opened, said


def test_from_another_machine_an_open_sandbox_shows_no_codes(services: Services) -> None:
    # A run without a browser has no Host header, as a request that cannot be of this machine.
    at = opened("qa", qa_view="inbox")
    assert "open on this machine only" in said(at)
    assert not at.get("bidi_component")
