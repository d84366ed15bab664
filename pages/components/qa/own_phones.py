"""The team's own handsets: the list with its prices, and the items that a checklist gets of it."""

from collections.abc import Callable

import streamlit as st

from core.lab.own_phones import items_of_phones
from core.lab.sessions.model import ChecklistItem
from core.model.way import Way
from core.panels.own_phones import OwnPhoneLine, line_words, phone_lines, run_cost, run_cost_words
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.settings.settings import Settings
from core.verification.numbers import Numbers
from core.wording.formats import counted, way_name
from pages.components.access import guarded
from pages.components.qa.tools import SessionTools
from pages.components.shared import plain

#: How often a line is drawn again while a price is being read.
_PRICE_SECONDS = 2
_SELECTED, _WAYS = "qa_phones", "qa_phone_ways"

state = st.session_state


def draw_own_phones(
    numbers: Numbers, provider: PlivoProvider, prices: Prices, settings: Settings
) -> None:
    """Of the view "Numbers"."""
    st.header("Own handsets", anchor=False)
    lines = phone_lines(settings.test_phones, numbers)
    if not lines:
        st.caption(
            "Set TEST_PHONES to go through the team's own handsets, way by way, such as "
            "`TEST_PHONES=Office iPhone=+14155550123`."
        )
        return

    def own_phones() -> None:
        parts = provider.preview(settings.lifetime_minutes).size.parts
        for line in lines:
            words = line_words(line, parts, prices.of(line.region), simulated=settings.is_sandbox)
            st.markdown(f"**{plain(line.label)}**  \n{plain(words)}")

    _until_priced(own_phones, lines, prices)
    st.caption(
        "To go through them, open a session and add items for your handsets. Budgets and access "
        "hold as for every number."
    )


def draw_phone_items(tools: SessionTools, on_add: Callable[[list[ChecklistItem]], None]) -> None:
    """Handsets by ways, and what they cost; nothing without TEST_PHONES. Sends nothing."""
    lines = phone_lines(tools.settings.test_phones, tools.verifications.numbers)
    if not lines:
        return
    for line in lines:
        if line.refusal:
            st.caption(f"**{plain(line.label)}** {plain(line.refusal)}")
    by_label = {line.label: line for line in lines if line.ways}
    available = [way for way in Way if tools.provider.obstacle(way) is None]
    state.setdefault(_SELECTED, list(by_label))
    state.setdefault(_WAYS, available)
    labels = st.pills("Own handsets", list(by_label), key=_SELECTED, selection_mode="multi")
    ways = st.pills(
        "Reached by", available, key=_WAYS, selection_mode="multi", format_func=way_name
    )
    selected = [by_label[label] for label in by_label if label in labels]
    in_order = [way for way in available if way in ways]
    items = items_of_phones(
        (line.label, way) for line in selected for way in in_order if way in line.ways
    )

    def own_phones_cost() -> None:
        parts = tools.provider.preview(tools.settings.lifetime_minutes).size.parts
        assumed = tools.settings.assumed_price
        cost = run_cost(selected, in_order, parts, tools.prices, assumed)
        words = run_cost_words(cost, simulated=tools.settings.is_sandbox)
        st.caption(f"{plain(words)} Each is sent only when you press Send code.")

    if items:
        _until_priced(own_phones_cost, selected, tools.prices)
    st.button(
        f"Add {counted(len(items), 'item')}",
        key="qa_add_phones", icon=":material/playlist_add:", disabled=not items,
        on_click=on_add, args=(items,),
    )  # fmt: skip


def _until_priced(draw: Callable[[], None], lines: list[OwnPhoneLine], prices: Prices) -> None:
    """Draw, again and again while a price is being read."""
    # All are asked for, so that the next one is read when the first is known.
    is_awaited = None in [prices.of(line.region) for line in lines if line.ways]
    st.fragment(guarded(draw), run_every=_PRICE_SECONDS if is_awaited else None)()
