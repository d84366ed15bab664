"""The views of the QA page."""
