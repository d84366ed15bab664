"""What will be sent, in one quiet line: the message with its size and price, or the call."""

import streamlit as st

from core.model.phone_number import PhoneNumber
from core.model.way import Way
from core.panels.message_preview import message_words, price_words
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.settings.settings import Settings
from pages.components.shared import plain

#: How often the line is drawn again while the price is being read.
_PRICE_SECONDS = 2


def draw_preview(
    way: Way,
    obstacle: tuple[str, str] | None,
    number: PhoneNumber | None,
    provider: PlivoProvider,
    prices: Prices,
    settings: Settings,
    *,
    region: str | None,
) -> None:
    """`obstacle` is why this way cannot be used; `number` gives the country of the price, and
    before there is a number the price for the visitor's `region` is read ahead."""
    if obstacle:
        st.caption(f":orange[{plain(obstacle[0])}] {plain(obstacle[1])}")
        return

    def line() -> None:
        st.caption(_line(way, number, provider, prices, settings))

    country = number.region if number else region
    is_known = prices.of(country or "") is not None
    is_awaited = number is not None and not is_known
    st.fragment(line, run_every=_PRICE_SECONDS if is_awaited else None)()


def _line(
    way: Way,
    number: PhoneNumber | None,
    provider: PlivoProvider,
    prices: Prices,
    settings: Settings,
) -> str:
    preview = provider.preview(settings.lifetime_minutes)
    match way:
        case Way.SMS:
            text = f"“{preview.text}” · {message_words(preview)}"
        case Way.VOICE:
            text = "The call asks for a key and then reads the code out, digit by digit"
        case Way.PHLO_SMS | Way.PHLO_CALL:
            text = "Your visual workflow gets from, to, otp and mode, and does the rest."
    price = price_words(
        way,
        preview,
        number.country if number else "",
        prices.of(number.region) if number else None,
        simulated=settings.is_sandbox,
    )
    return plain(" · ".join(filter(None, (text, price))))
