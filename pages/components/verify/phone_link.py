"""Phone in hand: a QR code that opens this verification's simulated handset on another phone."""

from html import escape
from urllib.parse import urlsplit

import segno
import streamlit as st

from core.access.phone_links import NO_ADDRESS, PhoneLinks
from core.model.verification import View
from pages.components.shared import plain

#: Light also in the dark theme, as cameras expect; four modules of margin (ISO/IEC 18004).
_MODULE_PIXELS, _MARGIN = 5, 4


def phone_in_hand(view: View, links: PhoneLinks) -> None:
    """A popover for a pending verification in the sandbox. The link is made when it is opened."""
    popover = st.popover(
        "Phone in hand", icon=":material/qr_code_2:", type="tertiary", on_change="rerun",
        key="verify_phone_in_hand",
    )  # fmt: skip
    if not popover.open:
        return
    with popover:
        link = links.link(view.verification)
        if link is None:
            cause, remedy = NO_ADDRESS
            st.info(f"**{plain(cause)}** {plain(remedy)}", icon=":material/wifi_off:")
            return
        st.html(_code_html(link))
        st.caption(
            f"Scan it with a phone that reaches {plain(urlsplit(link).netloc)}. It becomes the "
            f"phone {plain(view.verification.to_masked)} until this verification ends."
        )


def _code_html(link: str) -> str:
    code = segno.make(link, error="m")
    image = code.svg_data_uri(scale=_MODULE_PIXELS, border=_MARGIN, dark="#000", light="#fff")
    return (
        f'<a href="{escape(link)}" target="_blank" rel="noopener" style="display: block">'
        f'<img src="{escape(image)}" alt="QR code: open this phone on another device" '
        'style="display: block; margin: auto; max-width: 100%; border-radius: 8px"></a>'
    )
