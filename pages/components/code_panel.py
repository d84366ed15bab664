"""The code field, with the time and tries left, and the buttons to send again and to cancel."""

from dataclasses import dataclass
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


def code_panel(
    *,
    verification: str,
    digits: int,
    brand: str,
    expires_ms: int,
    now_ms: int,
    checks_left: int,
    checks_allowed: int,
    resend_ms: int | None,
    resend_label: str,
    fallback_ms: int | None,
    fallback_label: str,
    fallback_reason: str,
    next_button: NextButton,
    notice: str,
    notice_kind: NoticeKind,
    key: str,
) -> CodePanelEvents:
    """Draw the panel and return the actions in it.

    Pasted text is searched for a code of `digits` digits (codes.js); digits in the name of the
    sender, `brand`, are ignored. `expires_ms`, `resend_ms` and `fallback_ms` are Unix milliseconds
    of this server, and `now_ms` is its current time, read in every run: it corrects the browser's
    clock. `resend_ms` None: no further code; `fallback_ms` None: no other way. `fallback_reason` is
    shown beside its button once that is offered. `notice` has room for two lines; `wrong` also
    marks the field. A submitted code is cleared when `checks_left` changes.

    After an event the panel is locked until a later run draws it, so that a double click is one
    event: handle the event, then rerun.
    """
    # The run that handles an event has already drawn the panel: the next run unlocks it.
    answers_key = f"{key}_answers"
    answers = st.session_state.setdefault(answers_key, 0)
    result = _PANEL(
        data={
            "verification": verification,
            "digits": digits,
            "brand": brand,
            "expires_ms": expires_ms,
            "now_ms": now_ms,
            "checks_left": checks_left,
            "checks_allowed": checks_allowed,
            "resend_ms": resend_ms,
            "resend_label": resend_label,
            "fallback_ms": fallback_ms,
            "fallback_label": fallback_label,
            "fallback_reason": fallback_reason,
            "next_button": next_button,
            "notice": notice,
            "notice_kind": notice_kind,
            "answers": answers,
        },
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
        if isinstance(event, dict) and event.get("verification") == verification
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
