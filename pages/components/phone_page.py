"""The page that shows a simulated handset on another phone: one HTML file with all it needs.

`core/web/phone.py` serves it. It is made of the same scripts and styles as the handset on the
Verify page; the variables that Streamlit sets there are set by phone_page.css.
"""

import base64
import hashlib

from pages.components.assets import script, style


def phone_page() -> str:
    """The HTML. Its policy allows only its own script and style, and requests to this server."""
    code = script("codes", "sandbox_phone", "handset", "phone_page")
    look = "\n".join((style("handset"), style("phone_page")))
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src data:; script-src '{_digest(code)}'; "
        f"style-src '{_digest(look)}'; base-uri 'none'; form-action 'none'"
    )
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        f'<meta http-equiv=Content-Security-Policy content="{policy}">'
        "<meta name=viewport content='width=device-width, initial-scale=1, viewport-fit=cover'>"
        "<meta name=robots content=noindex><link rel=icon href='data:,'>"
        f"<title>Phone</title><style>{look}</style></head>"
        f"<body><script type=module>{code}</script></body></html>"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
