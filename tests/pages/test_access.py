"""The Access page: making invites, and who may open it."""

import pytest

from core.access.invites import InviteState
from core.services import Services
from pages.components.shared import services as of_process
from tests.pages.conftest import Settle, opened, said
from tests.pages.test_api import LIVE
from tests.world import quick_hash

HASH = quick_hash("correct horse battery staple")


def test_an_invite_is_made_and_its_link_is_shown_and_opens(services: Services) -> None:
    at = opened("access")
    assert "VERIFY_ACCESS is `open`" in said(at)
    at.text_input(key="invite_label").set_value("A demo")
    at.number_input(key="invite_sends").set_value(3)
    at.multiselect(key="invite_countries").set_value(["DE"])
    at.button[0].click().run()
    assert not at.exception, at.exception
    (invite,) = services.invites.all()
    assert (invite.label, invite.sends, invite.countries) == ("A demo", 3, frozenset({"DE"}))
    link = str(at.code[0].value)
    state, found = services.invites.recognise(link.rpartition("/invite/")[2])
    assert (state, found) == (InviteState.VALID, invite)
    (table,) = at.dataframe
    assert table.value[["label", "state", "sends"]].to_numpy().tolist() == [
        ["A demo", "● valid", "0 of 3"]
    ]


def test_an_invite_without_a_label_is_refused_in_words(services: Services) -> None:
    at = opened("access")
    at.button[0].click().run()
    assert "An invite needs a label" in said(at)
    assert services.invites.all() == []


@pytest.mark.parametrize("access", [None, "password", "invite"])
@pytest.mark.parametrize("page", ["access", "verify"])
def test_live_pages_without_a_password_ask_for_it_and_offer_nothing(
    settle: Settle, redis_url: str, client: object, page: str, access: str | None
) -> None:
    chosen = {"VERIFY_ACCESS": access} if access else {}
    settle(REDIS_URL=redis_url, ADMIN_PASSWORD_HASH=HASH, **LIVE, **chosen)
    at = opened(page)
    assert not at.text_input
    assert not at.button
    if page == "verify":
        # The test client's cookies are of no session and no invite.
        assert "cost money" in said(at) or "not a valid invite" in said(at)
    of_process().close()
