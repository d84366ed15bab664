"""The team's own handsets on the QA and the Verify page."""

from streamlit.testing.v1 import AppTest

from core.lab.own_phones import items_of_phones
from core.model.way import Channel, Way
from core.services import Services
from pages.components.shared import services as of_process
from tests.pages.conftest import Settle, opened, opened_in, said
from tests.pages.test_access import HASH
from tests.pages.test_api import LIVE

NUMBER = "+12123331234"
PHONES = f"Anna's Pixel={NUMBER},Bo | iPhone=+12123331235"


def form_for_item(services: Services, label: str) -> AppTest:
    """The Verify page of a browser that records, opened for an item of this handset."""
    session = services.test_sessions.start("Live", "Ada", "1")
    (item,) = services.test_sessions.add_items(session.id, items_of_phones([(label, Way.VOICE)]))
    token = services.recordings.start(session.id, None)
    return opened_in({"tester_token": token}, "verify", item=item.id)


def test_handsets_are_listed_masked_and_become_items_that_fill_in_the_form(
    settle: Settle, redis_url: str, client: object
) -> None:
    settle(REDIS_URL=redis_url, TEST_PHONES=PHONES)
    services = of_process()
    numbers = opened_in({"qa_view": "numbers"}, "qa")
    assert "Anna's Pixel" in said(numbers)
    assert "3331234" not in said(numbers).replace(" ", "")

    session = services.test_sessions.start("Live", "Ada", "1")
    page = opened("qa", session=session.id)
    assert r"\(simulated\) if each is made once" in said(page)
    assert "Each is sent only when you press Send code." in said(page)
    page.button(key="qa_add_phones").click().run()
    assert not page.exception
    kept = services.test_sessions.find(session.id)
    assert kept is not None
    # Calls need an address for callbacks, which is not set here.
    ways = [way for way in Way if services.provider.obstacle(way) is None]
    assert [item.way for item in kept.items] == [*ways, *ways]
    assert {item.phone for item in kept.items} == {"Anna's Pixel", "Bo | iPhone"}

    form = form_for_item(services, "Anna's Pixel")
    assert form.text_input(key="verify_typed").value == NUMBER
    assert form.session_state["verify_channel"] is Channel.VOICE
    assert NUMBER[1:] not in str(form.query_params)
    # A handset that TEST_PHONES has no longer: no other number stays in the form.
    assert form_for_item(services, "Sold phone").text_input(key="verify_typed").value == ""
    services.close()


def test_live_only_the_operator_gets_the_number_of_a_handset(
    settle: Settle, redis_url: str, client: object
) -> None:
    settle(
        REDIS_URL=redis_url, TEST_PHONES=PHONES, VERIFY_ACCESS="open", ADMIN_PASSWORD_HASH=HASH,
        **LIVE,
    )  # fmt: skip
    services = of_process()
    page = opened_in({"qa_view": "numbers"}, "qa")
    assert "Own handsets" not in [heading.value for heading in page.header]
    assert "Pixel" not in said(page)
    form = form_for_item(services, "Anna's Pixel")
    assert form.text_input(key="verify_typed").value == ""
    services.close()
