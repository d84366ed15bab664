"""The Verify page: verify that a person holds a phone number, and watch each step."""

import streamlit as st

from pages.components.access import current_visitor, invite_refusal
from pages.components.badge import badge_for
from pages.components.presenter import presenter
from pages.components.shared import outage_shown, services
from pages.components.verify.address import shown_verification
from pages.components.verify.form import draw_form, show_last_send
from pages.components.verify.layout import heading, page_places
from pages.components.verify.no_access import draw_no_access
from pages.components.verify.recording import draw_recording
from pages.components.verify.reset import clean_page
from pages.components.verify.running import draw_verification
from pages.components.verify.sandbox_tools import draw_sandbox_tools

app = services()
verifications, settings = app.verifications, app.settings


def main() -> None:
    """The verification that the address names; else the form, or why this visitor may not send."""
    tools = heading()
    with outage_shown(key="verify_try_again"):
        show_last_send()
        identifier = shown_verification()
        visitor = current_visitor()
        with tools:
            collector = draw_recording(
                visitor, app.recordings, app.test_sessions, app.endings, settings, app.clock
            )
            if settings.is_sandbox:
                draw_sandbox_tools(
                    visitor, verifications, settings, app.reset, app.endings, app.phone_links,
                    collector,
                )  # fmt: skip
            if not visitor.grant.refusal:
                presenter(
                    lambda: clean_page(app.reset, verifications, settings), key="verify_presenter"
                )
        if refusal := invite_refusal():
            cause, remedy = refusal
            st.error(f"**{cause}** {remedy}", icon=":material/link_off:")
        view = verifications.look(identifier, visitor.grant) if identifier else None
        if view:
            badge_for(view.verification.to.region)
            draw_verification(
                view.verification.id,
                verifications,
                app.exchanges,
                app.prices,
                settings,
                app.chaos,
                collector,
            )
        elif visitor.grant.refusal:
            draw_no_access(visitor)
        else:
            draw_form(
                visitor,
                verifications,
                app.provider,
                app.prices,
                settings,
                collector,
                is_unknown=bool(identifier),
            )


with page_places():
    main()
