"""Behind the scenes: each exchange with Plivo, both ways, as it may be shown."""

import json
from collections.abc import Sequence

import streamlit as st

from core.model.exchange import Exchange


def scenes(exchanges: Sequence[Exchange], began_ms: int) -> None:
    """Draw the exchanges, oldest first; moments count from `began_ms` (Unix milliseconds)."""
    if not exchanges:
        st.caption("Nothing yet. Each request to Plivo and each callback from it appears here.")
    for number, exchange in enumerate(exchanges, start=1):
        _scene(number, exchange, began_ms)


def _scene(number: int, exchange: Exchange, began_ms: int) -> None:
    ours = exchange.direction == "request"
    arrow = ":material/arrow_upward:" if ours else ":material/arrow_downward:"
    status = "no answer" if exchange.status is None else str(exchange.status)
    took = f" · {exchange.span_ms} ms" if ours else ""
    after = max(0, exchange.at_ms - began_ms) / 1000
    st.markdown(
        f"{arrow} **{number}. {exchange.method}** `{exchange.url}` → **{status}**{took}"
        f" · :gray[after {after:.1f} s]"
    )
    if exchange.call:
        st.code(exchange.call, language="python", wrap_lines=True)
    sent, answer = st.columns(2)
    with sent:
        st.caption("Request" if ours else "Callback from Plivo")
        st.code(_json(exchange.sent), language="json", wrap_lines=True)
    with answer:
        st.caption("Answer" if ours else "Our answer")
        st.code(_json(exchange.answer), language="json", wrap_lines=True)


def _json(value: object) -> str:
    if value is None or value == "":
        return "(empty)"
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
