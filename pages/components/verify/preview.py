"""What will be sent, in one quiet line: the message with its size and price, or the call."""

import streamlit as st

from core.model.phone_number import PhoneNumber
from core.model.way import Way
from core.panels.message_preview import message_words, price_words
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.settings.settings import Settings
from pages.components.shared import plain


def draw_preview(
    way: Way,
    obstacle: tuple[str, str] | None,
    number: PhoneNumber | None,
    provider: PlivoProvider,
    prices: Prices,
    settings: Settings,
) -> None:
    """`number` gives the country of the price. `obstacle` is why this way cannot be used."""
    if obstacle:
        st.caption(f":orange[{plain(obstacle[0])}] {plain(obstacle[1])}")
        return
    preview = provider.preview(settings.lifetime_minutes)
    match way:
        case Way.SMS:
            text = f"“{preview.text}” · {message_words(preview)}"
        case Way.VOICE:
            text = "The call asks for a key, then reads the code out, digit by digit"
        case Way.PHLO_SMS | Way.PHLO_CALL:
            text = "Your visual workflow gets from, to, otp and mode, and does the rest."
    price = price_words(
        way,
        preview,
        number.country if number else "",
        prices.of(number.region) if number else None,
        simulated=settings.is_sandbox,
    )
    st.caption(plain(" · ".join(filter(None, (text, price)))))
