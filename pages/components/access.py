"""Who may see the pages that are for the operator."""

from pages.components.shared import services


def require_admin() -> None:
    """Every such page calls this first. In the sandbox all are let in."""
    services()
