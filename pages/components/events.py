"""Callbacks for the events of components."""

from collections.abc import Callable

from pages.components.shared import browser_text, widget_state


def ignore() -> None:
    """For an event that is read from the component's result: Streamlit lists an event there only
    where it has a callback."""


def on_text(
    key: str, name: str, action: Callable[[str], None], *, may_be_empty: bool = False
) -> Callable[[], None]:
    """A callback that calls `action` with the text of the event `name` of the component `key`.
    Other values from the browser, and by default "", are ignored."""

    def changed() -> None:
        text = browser_text(widget_state(key).get(name))
        if text or (text is not None and may_be_empty):
            action(text)

    return changed
