"""Values of widgets that the server sets, and double clicks."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import shared


def _page() -> None:
    import streamlit as st

    from pages.components.shared import is_outdated, set_value

    def choose() -> None:
        if not is_outdated("share"):
            st.session_state["stored"] = st.session_state["share"]

    set_value("share", st.session_state["stored"])
    st.slider("Share", 0, 100, st.session_state["stored"], key="share", on_change=choose)


def test_a_value_that_the_server_has_just_replaced_is_no_choice() -> None:
    """A message that a fragment sent before the new value arrived has the old one."""
    page = AppTest.from_function(_page)
    page.session_state["stored"] = 30
    page.run()
    page.session_state["stored"] = 50
    page.run()
    page.slider(key="share").set_value(30).run()
    assert page.session_state["stored"] == 50
    page.slider(key="share").set_value(40).run()
    assert page.session_state["stored"] == 40
    page.slider(key="share").set_value(50).run()
    assert page.session_state["stored"] == 50


def test_a_new_widget_begins_with_its_value_and_is_set_only_later() -> None:
    """A set value may never reach the browser, which then reports the one that the widget began
    with."""
    page = AppTest.from_function(_page)
    page.session_state["stored"] = 100
    page.run()
    drawn = page.slider(key="share").proto
    assert (list(drawn.default), drawn.set_value) == ([100], False)
    page.session_state["stored"] = 40
    page.run()
    drawn = page.slider(key="share").proto
    assert (list(drawn.value), drawn.set_value) == ([40], True)
    assert not page.warning


def _adding_page() -> None:
    import streamlit as st

    from pages.components.shared import once

    def add() -> bool:
        st.session_state["added"] = st.session_state.get("added", 0) + 1
        return not st.session_state.get("is_refused", False)

    st.button("Add", key="add", on_click=once("add", add))


def test_a_double_click_acts_once_and_a_later_click_or_one_after_a_refusal_acts_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(shared, "monotonic", lambda: now)
    page = AppTest.from_function(_adding_page).run()

    def added_by_click() -> int:
        page.button(key="add").click().run()
        return int(page.session_state["added"])

    assert [added_by_click(), added_by_click()] == [1, 1]
    now += 1
    page.session_state["is_refused"] = True
    assert [added_by_click(), added_by_click()] == [2, 3]
