"""Phone in hand: a QR code that opens this verification's simulated handset on another phone."""

from html import escape
from urllib.parse import urlsplit

import streamlit as st

from core.access.phone_links import NO_ADDRESS, PhoneLinks, is_this_machine
from core.model.verification import Status, Verification
from core.verification.service import Verifications
from pages.components.access import current_visitor
from pages.components.shared import outage_shown, plain

#: Light also in the dark theme, as cameras expect; four modules of margin (ISO/IEC 18004).
_MODULE_PIXELS, _MARGIN = 5, 4


# Not a fragment: a rerun of one that is requested with a rerun of another, such as that of the live
# verification, can get lost.
def phone_in_hand(verifications: Verifications, links: PhoneLinks) -> None:
    """A popover for the verification that the address names. The link is made when it is opened."""
    identifier = st.query_params.get("verification")
    if not identifier:
        return
    popover = st.popover(
        "Phone in hand", icon=":material/qr_code_2:", on_change="rerun", key="verify_phone_in_hand"
    )
    if not popover.open:
        return
    with popover, outage_shown(key="verify_try_again_phone"):
        view = verifications.look(identifier, current_visitor().grant)
        if view is None or view.verification.status is not Status.PENDING:
            st.caption("This verification is over. Start a new one to hand its phone over.")
            return
        _draw_link(view.verification, links)


def _draw_link(verification: Verification, links: PhoneLinks) -> None:
    link = links.link(verification)
    if link is None:
        cause, remedy = NO_ADDRESS
        st.info(f"**{plain(cause)}** {plain(remedy)}", icon=":material/wifi_off:")
        return
    st.html(_code_html(link))
    reach = f"Scan it with a phone that reaches {plain(urlsplit(link).netloc)}."
    if is_this_machine(link):
        reach = (
            "PUBLIC_URL is this machine only, so no phone reaches it: set it to an address that "
            "phones reach. Here, a click opens the phone in another window."
        )
    st.caption(
        f"{reach} Until this verification ends, it is the phone {plain(verification.to.masked)}."
    )


def _code_html(link: str) -> str:
    # Loaded when a code is first drawn: few visitors draw one.
    import segno

    code = segno.make(link, error="m")
    image = code.svg_data_uri(scale=_MODULE_PIXELS, border=_MARGIN, dark="#000", light="#fff")
    return (
        f'<a href="{escape(link)}" target="_blank" rel="noopener" style="display: block">'
        f'<img src="{escape(image)}" alt="QR code: open this phone on another device" '
        'style="display: block; margin: auto; max-width: 100%; border-radius: 8px"></a>'
    )
