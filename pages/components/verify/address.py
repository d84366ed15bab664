"""The address of the Verify page: the verification that it shows, or the item of a checklist that
the next send is for."""

import streamlit as st

_VERIFICATION, _ITEM = "verification", "item"


def show_verification(verification: str) -> None:
    """Show this verification. The next send is for no item."""
    st.query_params.from_dict({_VERIFICATION: verification})


def show_form(*, item: str | None = None) -> None:
    """Show the form, for this item."""
    st.query_params.from_dict({_ITEM: item} if item else {})


def shown_verification() -> str | None:
    """The verification that the address names."""
    return st.query_params.get(_VERIFICATION)


def named_item() -> str | None:
    """The item that the address names."""
    return st.query_params.get(_ITEM)
