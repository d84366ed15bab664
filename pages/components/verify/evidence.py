"""The evidence of a verification: a file to download and JSON to copy."""

import streamlit as st

from core.charts.evidence_page import evidence_page
from core.panels.evidence import EvidenceReader, evidence_json
from pages.components.access import current_visitor
from pages.components.copy_button import copy_button

#: A line and two buttons, in px.
_HEIGHT = 152


def draw_evidence(verification: str, reader: EvidenceReader, *, key: str) -> None:
    """A popover. Nothing is collected until it is open."""
    popover = st.popover(
        "Evidence", icon=":material/description:", type="tertiary", on_change="rerun", key=key
    )
    # The height is reserved: the browser opens a popover downwards or upwards by its first height.
    body = popover.container(height=_HEIGHT, border=False)
    if not popover.open:
        return
    evidence = reader.read(verification, current_visitor().grant)
    with body:
        if evidence is None:
            st.caption("This verification is no longer kept.")
            return
        st.caption("Number, code and secrets are masked.")
        st.download_button(
            "Download evidence (HTML)",
            lambda: evidence_page(f"Verification of {evidence.to_masked}", [evidence]),
            file_name=f"{evidence.file_name}.html",
            mime="text/html",
            on_click="ignore",
            width="stretch",
            key=f"{key}_html",
        )
        copy_button("Copy as JSON", evidence_json(evidence), key=f"{key}_json")
