"""Sample traffic on the Delivery page: a button that loads it, and for every visitor a line with
its progress, and buttons that stop, resume and remove it."""

from collections.abc import Callable

import streamlit as st

from core.model.errors import ProductError
from core.panels.sample import LOAD_WORDS, sample_words
from core.sample.control import SampleControl
from core.sample.plan import DAYS, PER_DAY, SEED, SampleState, SampleStatus

_SECONDS = 0.5


Body = Callable[[], None]


def sample_line(control: SampleControl, guard: Callable[[Body], Body]) -> None:
    """The state of sample traffic, if there is any. `guard` guards a fragment."""
    has_work = control.state().status.has_work

    def _sample_line() -> None:
        _draw(control, drawn_with_work=has_work)

    st.fragment(guard(_sample_line), run_every=_SECONDS if has_work else None)()


def sample_button(control: SampleControl, *, is_main_action: bool = False) -> None:
    """A button that loads sample traffic, where there is none."""
    if control.state().status is not SampleStatus.ABSENT:
        return
    if is_main_action:
        st.caption(LOAD_WORDS)
    if st.button(
        "Load sample traffic", icon=":material/science:", key="sample",
        type="primary" if is_main_action else "tertiary",
        help=None if is_main_action else LOAD_WORDS,
    ):  # fmt: skip
        _change(lambda: _load(control))


def _load(control: SampleControl) -> None:
    control.load(DAYS, PER_DAY, SEED)
    # The next drawing has the first day; otherwise a second one would have to bring it.
    control.wait_for_first_day()


def _draw(control: SampleControl, *, drawn_with_work: bool) -> None:
    state = control.state()
    _rerun_if_changed(state, drawn_with_work=drawn_with_work)
    words = sample_words(state)
    if not words:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="sample_line"):
        if state.status.has_work:
            st.progress(state.done, words)
        else:
            st.badge(words, icon=":material/science:", color="violet")
        if state.status is SampleStatus.LOADING:
            _button("Stop", "stop", control.stop)
        if state.status is SampleStatus.STOPPED:
            _button("Resume", "play_arrow", control.go_on)
        if state.status is not SampleStatus.REMOVING:
            _button("Remove sample traffic", "delete", control.remove)


def _button(label: str, icon: str, change: Callable[[], object]) -> None:
    if st.button(label, icon=f":material/{icon}:", type="tertiary", key=f"sample_{icon}"):
        _change(change)


def _change(change: Callable[[], object]) -> None:
    try:
        change()
    except ProductError as error:
        st.error(f"**{error.cause}** {error.remedy}")
        return
    # The whole page: only a new run of it gives the line its refresh.
    st.rerun()


def _rerun_if_changed(state: SampleState, *, drawn_with_work: bool) -> None:
    """Draw the whole page again when the first day is in the figures, and at the end."""
    had_days = st.session_state.get("sample_has_days", state.days > 0)
    st.session_state["sample_has_days"] = state.days > 0
    if drawn_with_work != state.status.has_work or had_days != (state.days > 0):
        st.rerun()
