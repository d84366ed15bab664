"""Both halves of the entry. Imported, it is the ASGI app; run by Streamlit, it is the navigation.

`streamlit run dashboard.py` and `uvicorn dashboard:app` both work: Streamlit finds `app` by reading
this file, imports it once, and executes it again as a script for every rerun.
"""

import sys
from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parent / "pages"


def pages() -> list[st.Page]:
    """The menu."""
    return [
        st.Page(
            PAGES / "verify.py",
            title="Verify",
            icon=":material/verified_user:",
            default=True,
        ),
        st.Page(PAGES / "delivery.py", title="Delivery", icon=":material/monitoring:"),
        st.Page(PAGES / "attempts.py", title="Attempts", icon=":material/list_alt:"),
        st.Page(PAGES / "api.py", title="API", icon=":material/api:"),
        st.Page(PAGES / "access.py", title="Access", icon=":material/key:"),
    ]


if __name__ == "__main__":
    from pages.components.badge import badge_bar
    from pages.components.look import apply_look

    # A file of ours: the icons that have names are fetched from a server of Google's.
    st.set_page_config(
        page_title="Phone verification",
        page_icon=str(PAGES / "components" / "icon.svg"),
        layout="wide",
    )
    page = st.navigation(pages(), position="top")
    apply_look()
    badge_bar()
    page.run()
else:
    from starlette.middleware import Middleware

    from core.errors import ProductError
    from core.log import log_to_stderr
    from core.sandbox.app import Sandbox
    from core.services import Services
    from core.web.app import Web
    from pages.components.shared import services

    log_to_stderr()

    def make_sandbox(of: Services) -> Sandbox:
        """The simulated Plivo, with the credentials that the app uses."""
        return Sandbox(
            data=of.settings.data_dir / "sandbox",
            auth_id=of.settings.auth_id,
            auth_token=of.auth_token,
            speed=of.settings.sandbox_speed,
        )

    try:
        services()
    except ProductError as error:
        # Before anything is served: a sentence, not a traceback.
        sys.exit(f"{error.cause}\n{error.remedy}")

    # Without this, the first visitor after a start could reach a page's file directly, without the
    # half above: Streamlit treats a folder `pages/` as pages of its own until it is told otherwise.
    st.navigation(pages())
    web = Web(services, make_sandbox)
    app = st.App(
        __file__,
        routes=web.routes,
        lifespan=web.lifespan,
        middleware=[Middleware(web.middleware)],
    )
