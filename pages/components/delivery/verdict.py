"""The verdict: the first thing on the Delivery page."""

from pages.components.delivery.context import PanelContext


def draw_verdict(context: PanelContext) -> None:
    """Nothing yet."""
