"""Values of a session that a callback may set after a slow call."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

T = TypeVar("T")


@dataclass(slots=True)
class SessionValue(Generic[T]):
    """A value of this browser tab's session, such as the answer to its last click.

    Streamlit may end a callback wherever it uses `st.session_state` or draws, for a run that was
    requested while Plivo or Redis was slow. What the callback has not stored by then is lost. So it
    gets this object before the slow call, and sets `value` after it. The run that shows an answer
    forgets it after it has drawn it.
    """

    value: T


def session_value(key: str, first: object = None) -> SessionValue[Any]:
    """The value with this key, the same object in each run of the session; it begins as `first`."""
    kept: SessionValue[Any] = st.session_state.setdefault(key, SessionValue(first))
    return kept
