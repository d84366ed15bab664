"""The code field, with the time and tries left, and the buttons to send again and to cancel."""

from dataclasses import asdict, dataclass
from typing import Literal

import streamlit as st

from pages.components.assets import script, style
from pages.components.events import ignore
from pages.components.shared import browser_text

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
class CodePanelEvents:
    """The person's actions since the last rerun.

    `entered` is the code as digits, of the full length, or None; it hides from `repr`. It comes
    from a browser, so `core` validates it again. `expired` is reported once, when the time is up.
    """

    entered: str | None
    resend: bool
    fallback: bool
    cancel: bool
    expired: bool

    def __repr__(self) -> str:
        pressed = [n for n in ("resend", "fallback", "cancel", "expired") if getattr(self, n)]
        return f"CodePanelEvents(entered={self.entered is not None}, pressed={pressed})"


def code_panel(content: CodePanelContent, *, key: str) -> CodePanelEvents:
    """Draw the panel and return the actions in it.

    A submitted code is cleared when `checks_left` changes. After an event the panel is locked until
    a later run draws it, so that a double click is one event: handle the event, then rerun.
    """
    # The run that handles an event has already drawn the panel: the next run unlocks it.
    answers_key = f"{key}_answers"
    answers = st.session_state.setdefault(answers_key, 0)
    result = _PANEL(
        data=asdict(content) | {"answers": answers},
        key=key,
        on_entered_change=ignore,
        on_resend_change=ignore,
        on_fallback_change=ignore,
        on_cancel_change=ignore,
        on_expired_change=ignore,
    )
    # A click on the panel of one verification may arrive when the page shows another already.
    entered, resend, fallback, cancel = (
        event.get("value")
        if isinstance(event, dict) and event.get("verification") == content.verification
        else None
        for event in (result.entered, result.resend, result.fallback, result.cancel)
    )
    events = CodePanelEvents(
        entered=browser_text(entered),
        resend=bool(resend),
        fallback=bool(fallback),
        cancel=bool(cancel),
        expired=bool(result.expired),
    )
    if events.entered is not None or events.resend or events.fallback or events.cancel:
        st.session_state[answers_key] = answers + 1
    return events
