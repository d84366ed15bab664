"""Styles that the theme cannot express: text on buttons, and the typography of figures."""

import streamlit as st

# Streamlit writes white on the primary colour: 1.9:1 on the dark theme's mint. This is 9.7:1.
_DARK_ON_MINT = '[data-testid^="stBaseButton-primary"]:not(:disabled) {color: #0E1419}'

# Figures that change keep their width; the confirmed rate is the largest element of its page.
# The interval is below the change and never cut; a card without a change has the same height.
_FIGURES = (
    '[data-testid="stMetricValue"] {font-variant-numeric: tabular-nums}'
    '[data-testid="stMetric"] div:has(> [data-testid="stMetricDeltaDescription"])'
    "{align-content: start; flex-wrap: wrap; min-height: 52px; row-gap: 4px}"
    '[data-testid="stMetricDeltaDescription"] {flex-basis: 100%}'
    '[data-testid="stMetricDeltaDescription"], [data-testid="stMetricDeltaDescription"] *'
    "{white-space: normal; overflow: visible}"
    '.st-key-largest [data-testid="stMetricValue"] {font-size: 4rem; line-height: 1.2}'
)


def apply_look() -> None:
    """Call once a run, before the page is drawn."""
    dark = st.context.theme.type == "dark"
    st.html(f"<style>{_FIGURES}{_DARK_ON_MINT if dark else ''}</style>")
