"""Behind the scenes: the exchanges with Plivo in both directions, masked."""

import json
from collections.abc import Sequence

import streamlit as st

from core.model.exchange import Exchange


def draw_exchanges(exchanges: Sequence[Exchange], start_ms: int) -> None:
    """Draw the exchanges, oldest first; times count from `start_ms` (Unix milliseconds)."""
    if not exchanges:
        st.caption("Nothing yet. Each request to Plivo and each callback from it appears here.")
    for number, exchange in enumerate(exchanges, start=1):
        _draw_exchange(number, exchange, start_ms)


def _draw_exchange(number: int, exchange: Exchange, start_ms: int) -> None:
    is_request = exchange.direction == "request"
    arrow = ":material/arrow_upward:" if is_request else ":material/arrow_downward:"
    status = "no answer" if exchange.status is None else str(exchange.status)
    took = f" · {exchange.span_ms} ms" if is_request else ""
    after = max(0, exchange.at_ms - start_ms) / 1000
    st.markdown(
        f"{arrow} **{number}. {exchange.method}** `{exchange.url}` → **{status}**{took}"
        f" · :gray[after {after:.1f} s]"
    )
    if exchange.call:
        st.code(exchange.call, language="python", wrap_lines=True)
    sent, answer = st.columns(2)
    with sent:
        st.caption("Request" if is_request else "Callback from Plivo")
        st.code(_json(exchange.sent), language="json", wrap_lines=True)
    with answer:
        st.caption("Answer" if is_request else "Our answer")
        st.code(_json(exchange.answer), language="json", wrap_lines=True)


def _json(value: object) -> str:
    if value is None or value == "":
        return "(empty)"
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
