"""Both halves of the entry. Imported, it is the ASGI app; run by Streamlit, it is the navigation.

`streamlit run dashboard.py` and `uvicorn dashboard:app` both work: Streamlit finds `app` by reading
this file, imports it once, and executes it again as a script for every rerun.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from core.sandbox.app import Sandbox
    from core.sandbox.storage import Storage

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
        st.Page(PAGES / "qa.py", title="QA", icon=":material/science:"),
        st.Page(PAGES / "api.py", title="API", icon=":material/api:"),
        st.Page(PAGES / "access.py", title="Access", icon=":material/key:"),
    ]


if __name__ == "__main__":
    from pages.components.address import follow_address
    from pages.components.badge import badge_bar
    from pages.components.chaos_band import chaos_band
    from pages.components.connection import connection_bar
    from pages.components.history import tidy_history
    from pages.components.look import apply_look, set_page_icon
    from pages.components.popovers import follow_popovers
    from pages.components.shared import services

    st.set_page_config(page_title="Phone verification", layout="wide")
    set_page_icon()
    page = st.navigation(pages(), position="top")
    st.set_page_config(page_title=f"{page.title} · Phone verification")
    apply_look()
    connection_bar()
    tidy_history()
    follow_popovers()
    badge_bar()
    if services().settings.is_sandbox:
        chaos_band(services().chaos)
    page.run()
    follow_address(f"/{page.url_path}", key="page_address")
    services().page_drawn.set()
else:
    import gc

    # The modules stay loaded: without this, the collector would look through them again
    # and again while they are loaded, a sixth of the start.
    gc.disable()

    from starlette.middleware import Middleware

    from core.log import log_to_stderr
    from core.model.errors import ProductError
    from core.sandbox.errors import FileInUse, StorageFailed
    from core.sandbox.on_demand import OnDemandSandbox
    from core.services import Services
    from core.web.app import Web
    from core.web.headers import broken
    from pages.components.failures import show_failure
    from pages.components.phone_page import phone_page
    from pages.components.protocol.base_path import refuse_base_path
    from pages.components.protocol.guard import ProtocolGuard
    from pages.components.protocol.paths import OtherPaths
    from pages.components.shared import services, without_session

    log_to_stderr()

    def make_sandbox(of: Services) -> OnDemandSandbox:
        """The simulated Plivo, with the credentials that the app uses."""

        def make(storage: "Storage") -> "Sandbox":
            from core.sandbox.app import Sandbox

            return Sandbox(
                data=storage,
                auth_id=of.settings.auth_id,
                auth_token=of.auth_token,
                speed=of.settings.sandbox_speed,
            )

        return OnDemandSandbox(of.settings.data_dir / "sandbox", make)

    web = Web(services, make_sandbox, phone_page())
    # Without this, the first visitor after a start could reach a page's file directly, without the
    # half above: Streamlit treats a folder `pages/` as pages of its own until it is told otherwise.
    with without_session():
        st.navigation(pages())
    app = st.App(
        __file__,
        routes=[*web.routes, OtherPaths(page.stem for page in PAGES.glob("*.py"))],
        lifespan=web.lifespan,
        middleware=[*web.front, Middleware(ProtocolGuard, own=web.routes)],
        on_script_error=show_failure,
        exception_handlers={Exception: broken},
    )
    try:
        # After `st.App`, which finds the folder of config.toml.
        refuse_base_path()
        services()
        web.claim()
    except ProductError as error:
        # Before anything is served: a sentence, not a traceback.
        sys.exit(f"{error.cause}\n{error.remedy}")
    except FileInUse as error:
        sys.exit(f"{error}\nEnd that application, or set another DATA_DIR for this one.")
    except StorageFailed as error:
        sys.exit(f"{error}\nFree disk space, or set another DATA_DIR.")
    gc.freeze()
    gc.enable()
