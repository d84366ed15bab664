"""The sandbox's inbox, read by the product over HTTP."""

import pytest

from core.lab.inbox import InboxItem, SandboxInbox
from core.lab.sandbox_client import SandboxClient
from core.model.errors import SandboxUnavailable
from core.model.way import Way
from tests.world import World, until


def newest(inbox: SandboxInbox, number: str) -> InboxItem:
    return until(lambda: inbox.page(number).entries)[0]


def test_an_entry_has_its_code_and_leads_to_its_attempt(at: World) -> None:
    inbox = SandboxInbox(at.services.sandbox)
    number = at.number()
    verification = at.started(number)
    item = newest(inbox, number)
    assert item.code == at.code(verification)
    assert not item.is_call
    assert at.services.ledger.id_by_reference(item.reference) == f"{verification}-1"
    until(lambda: inbox.page(number).entries[0].state == "delivered")
    found = inbox.item(item.reference)
    assert found is not None
    assert found.state_words == "Delivered"
    assert inbox.page(item.code or "").entries[0].reference == item.reference
    for secret in (item.code, number[1:]):
        assert str(secret) not in repr(inbox.page(number))


def test_a_call_is_answered_from_its_entry_and_its_code_is_heard(at: World) -> None:
    inbox = SandboxInbox(at.services.sandbox)
    number = at.number()
    verification = at.started(number, Way.VOICE)
    item = newest(inbox, number)
    assert (item.is_call, item.state_words, item.code) == (True, "Ringing", None)
    phone = at.services.sandbox.handset(item.number)
    phone.answer(item.reference)
    until(lambda: phone.look()["calls"][0]["waits_for_key"])
    phone.press(item.reference, "1")
    until(lambda: newest(inbox, number).code == at.code(verification))
    until(lambda: newest(inbox, number).state_words.startswith("Ended: "))
    kinds = {line.kind for line in newest(inbox, number).transcript or ()}
    assert kinds == {"spoken", "key"}


def test_a_missed_call_says_why(at: World) -> None:
    inbox = SandboxInbox(at.services.sandbox)
    number = at.number("3020")
    at.started(number, Way.VOICE)
    until(lambda: newest(inbox, number).state_words == "Missed: Rejected")


def test_an_unknown_entry_is_none_and_a_sandbox_that_is_away_an_error(at: World) -> None:
    assert SandboxInbox(at.services.sandbox).item("../endings") is None
    away = SandboxInbox(SandboxClient("http://127.0.0.1:9"))
    with pytest.raises(SandboxUnavailable):
        away.page()
    with pytest.raises(SandboxUnavailable):
        away.item("x")
