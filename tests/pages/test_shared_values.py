"""Values of widgets that the server sets."""

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from pages.components.shared import is_outdated, set_value

    def choose() -> None:
        if not is_outdated("share"):
            st.session_state["stored"] = st.session_state["share"]

    set_value("share", st.session_state["stored"])
    st.slider("Share", 0, 100, key="share", on_change=choose)


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
