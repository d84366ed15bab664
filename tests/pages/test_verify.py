"""The Verify page: who may send, its sandbox tools and its warnings."""

import json

import pytest

from core.access.admission import BrowserAccess
from core.access.invites import REFUSALS, InviteState
from core.access.password import AccessState
from core.model.grant import OPERATOR, Grant
from core.model.way import Way
from core.services import Services
from core.settings.choices import VerifyAccess
from pages.components.shared import services as of_process
from tests.pages.conftest import Settle, opened, said
from tests.pages.test_access import HASH
from tests.pages.test_api import LIVE


def test_live_without_a_password_set_says_how_to_set_one(
    settle: Settle, redis_url: str, client: object
) -> None:
    settle(REDIS_URL=redis_url, **LIVE)
    at = opened("verify")
    assert "ADMIN_PASSWORD_HASH" in said(at)
    assert not at.text_input
    of_process().close()


def test_open_live_offers_the_form_and_warns(
    settle: Settle, redis_url: str, client: object
) -> None:
    settle(REDIS_URL=redis_url, VERIFY_ACCESS="open", **LIVE)
    at = opened("verify")
    assert r"VERIFY\_ACCESS is open" in said(at)
    assert at.text_input
    of_process().close()


@pytest.mark.parametrize("state", [one for one in InviteState if one in REFUSALS])
def test_a_link_that_does_not_work_is_explained(services: Services, state: InviteState) -> None:
    assert REFUSALS[state][0] in said(opened("verify", invite=state.value))
    assert "Phone number" in [one.label for one in opened("verify", invite="odd").text_input]


@pytest.mark.parametrize("access", [VerifyAccess.PASSWORD, VerifyAccess.INVITE])
@pytest.mark.parametrize("password_hash", [HASH, None], ids=["password set", "no password"])
def test_in_a_sandbox_that_is_not_open_a_visitor_sees_neither_its_numbers_nor_the_reset(
    settle: Settle, redis_url: str, client: object, access: str, password_hash: str | None
) -> None:
    password = {"ADMIN_PASSWORD_HASH": password_hash} if password_hash else {}
    settle(REDIS_URL=redis_url, VERIFY_ACCESS=access, **password)
    at = opened("verify")
    assert not at.button
    assert not at.text_input
    assert "The sandbox did not answer." not in said(at)
    assert "Removes the counts" not in said(at)
    can_sign_in = password_hash is not None
    assert [heading.value for heading in at.header] == ["Sign in as the operator"] * can_sign_in
    assert ("ADMIN_PASSWORD_HASH" in said(at)) != can_sign_in
    of_process().close()


def test_in_an_open_sandbox_everyone_sees_its_endings_and_the_reset(services: Services) -> None:
    at = opened("verify")
    # Here no sandbox is served; tests/browser has the drawer.
    assert "The sandbox did not answer." in said(at)
    assert "Reset everything" in [button.label for button in at.button]


def test_a_click_sends_to_the_number_that_has_just_replaced_another(services: Services) -> None:
    """The click arrives before a run has drawn the button for the new number."""
    at = opened("verify")
    at.text_input(key="verify_typed").set_value("+1 415 555 2345").run()
    at.text_input(key="verify_typed").set_value("+1 415 555 2399")
    (send,) = [button for button in at.button if button.label == "Send code"]
    send.click().run()
    view = services.verifications.look(str(at.query_params["verification"]))
    assert view is not None
    assert view.verification.to.e164 == "+14155552399"


def test_a_number_is_described_and_a_click_starts_its_verification(services: Services) -> None:
    at = opened("verify")
    at.text_input(key="verify_typed").set_value("+1 415 555 2345").run()
    assert "**+1 415-555-2345** · United States" in said(at)
    (send,) = [button for button in at.button if button.label == "Send code"]
    send.click().run()
    assert not at.exception, at.exception
    identifier = str(at.query_params["verification"])
    view = services.verifications.look(identifier)
    assert view is not None
    assert f"{view.verification.to.masked} · United States" in said(at)
    assert "2345" not in said(at).replace(view.verification.to.masked, "")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("12", ":red["),
        ("6595551234", "2 different phone numbers"),
    ],
)
def test_a_number_that_cannot_be_sent_to_is_explained(
    services: Services, typed: str, sentence: str
) -> None:
    at = opened("verify")
    at.text_input(key="verify_typed").set_value(typed).run()
    assert sentence in said(at)
    assert [button.disabled for button in at.button if button.label == "Send code"] == [True]


def test_a_verification_that_is_not_known_leads_to_the_form(services: Services) -> None:
    at = opened("verify", verification="a" * 24)
    assert "That verification is not known" in said(at)
    assert "Send code" in [button.label for button in at.button]


def test_a_verification_links_its_attempts(services: Services) -> None:
    result = services.verifications.start(
        "+12125550177", Way.SMS, grant=OPERATOR, idempotency_key="links"
    )
    at = opened("verify", verification=str(result.verification))
    drawn = [each.proto for each in at.get("bidi_component")]
    (data,) = [json.loads(each.json) for each in drawn if each.component_name == "timeline"]
    (row,) = data["rows"]
    assert row["href"] == f"attempts?attempt={result.verification}-1"
    assert all(step["is_linked"] for step in row["steps"])


@pytest.mark.parametrize("gate", list(AccessState))
def test_attempts_are_linked_only_for_those_who_may_open_them(gate: AccessState) -> None:
    visitor = BrowserAccess(Grant("visitor"), gate)
    assert visitor.sees_operator_pages is (gate in {AccessState.OPEN, AccessState.SIGNED_IN})


def test_a_number_without_a_public_carrier_has_no_line_about_it(services: Services) -> None:
    at = opened("verify")
    at.text_input(key="verify_typed").set_value("+1 415 555 2345").run()
    facts = "**+1 415-555-2345** · United States · mobile or landline"
    assert facts in [caption.value for caption in at.caption]
    at.text_input(key="verify_typed").set_value("+49 1511 2340030").run()
    assert "Germany · mobile · T-Mobile" in said(at)
