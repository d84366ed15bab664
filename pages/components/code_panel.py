"""The code field, with the time and tries left, and the buttons to send again and to cancel."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

from pages.components.assets import script, style
from pages.components.events import ignore
from pages.components.session_value import SessionValue, session_value
from pages.components.shared import browser_text, widget_state

NoticeKind = Literal["quiet", "wrong", "warning"]
#: The button of the next step after a failure, which is the primary one.
NextButton = Literal["", "resend", "fallback"]

_PANEL = st.components.v2.component(
    "code_panel", js=script("codes", "code_panel"), css=style("code_panel")
)


@dataclass(frozen=True, slots=True)
class CodePanelContent:
    """What code_panel.js draws, by the same names. Moments are Unix milliseconds of this server."""

    verification: str
    #: Pasted text is searched for a code of this many digits (codes.js).
    digits: int
    #: The name of the sender: digits in it are no code.
    brand: str
    expires_ms: int
    #: The current time, read in every run: it corrects the browser's clock.
    now_ms: int
    checks_left: int
    checks_allowed: int
    #: When a code can be sent again; None: no further code.
    resend_ms: int | None
    resend_label: str
    #: When another way is offered; None: no other way.
    fallback_ms: int | None
    fallback_label: str
    #: Shown beside the button of the other way, once that is offered.
    fallback_reason: str
    next_button: NextButton
    #: At most two lines.
    notice: str
    #: "wrong" also marks the field.
    notice_kind: NoticeKind


@dataclass(frozen=True, slots=True)
class CodePanelActions:
    """What the panel does, as callbacks. `check` gets the code as digits, of the full length. It
    comes from a browser, so `core` validates it again."""

    check: Callable[[str], None]
    resend: Callable[[], None]
    fallback: Callable[[], None]
    cancel: Callable[[], None]


def code_panel(content: CodePanelContent, actions: CodePanelActions, *, key: str) -> None:
    """Draw the panel. An action runs before the run that draws what it has led to.

    A submitted code is cleared when `checks_left` changes. After an action the panel is locked
    until it is drawn again, so that a double click is one action.
    """
    answers: SessionValue[int] = session_value(f"{key}_answers", 0)

    def answered(name: str, action: Callable[[Any], None]) -> Callable[[], None]:
        def act() -> None:
            event = widget_state(key).get(name)
            # A click on the panel of one verification may arrive when the page shows another.
            if not isinstance(event, dict) or event.get("verification") != content.verification:
                return
            try:
                action(event.get("value"))
            finally:
                answers.value += 1

        return act

    def check(entered: object) -> None:
        code = browser_text(entered)
        if code is not None:
            actions.check(code)

    # Callbacks, not events that the run finds in the result: that run may end before it handles
    # them, for one that was requested while Redis was slow.
    on_entered = answered("entered", check)
    on_resend = answered("resend", lambda _: actions.resend())
    on_fallback = answered("fallback", lambda _: actions.fallback())
    on_cancel = answered("cancel", lambda _: actions.cancel())
    _PANEL(
        data=asdict(content) | {"answers": answers.value},
        key=key,
        on_entered_change=on_entered,
        on_resend_change=on_resend,
        on_fallback_change=on_fallback,
        on_cancel_change=on_cancel,
        on_expired_change=ignore,
    )
