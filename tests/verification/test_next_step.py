"""What may be sent next: at once after a proven failure, and nothing that cannot work."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.model.attempt import Attempt, EventKind, State
from core.model.grant import OPERATOR
from core.model.verification import SendOutcome, View
from core.model.way import Mode, Way
from core.panels.verdict import VerdictFacts, verdict_facts
from core.plivo.pricing import Price
from core.verification.policy import Policy
from core.wording.formats import wait_time
from tests.world import DiesWhileSending, World, second_process, until


def lost(at: World, verification: str, attempts: int = 1) -> View:
    """The view once the newest of that many attempts is known to be lost."""

    def is_lost() -> bool:
        newest = at.look(verification).attempts[-1]
        return newest.number == attempts and newest.state.is_lost

    until(is_lost)
    return at.look(verification)


def declined(at: World, number: str, verification: str, attempts: int = 1) -> View:
    at.touch(number, at.call(number, "ringing"), "decline")
    return lost(at, verification, attempts)


@pytest.mark.parametrize("ending", ["0030", "0402"])
def test_after_a_message_that_failed_both_ways_are_possible_at_once(at: World, ending: str) -> None:
    verification = at.started(at.number(ending))
    view = lost(at, verification)
    assert view.verification.next_send_at <= view.now
    assert view.fallback is not None
    assert view.fallback.way is Way.VOICE
    assert view.fallback.at <= view.now
    # A lost message is replaced by a call; what Plivo refused is tried again the same way.
    assert view.next_way is (Way.SMS if ending == "0402" else Way.VOICE)
    again = at.services.verifications.resend(verification, grant=OPERATOR, seen=1)
    assert again.outcome in {SendOutcome.SENT, SendOutcome.REJECTED}


def test_after_a_call_that_failed_it_can_be_placed_again_and_then_be_a_message(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.VOICE)
    service = at.services.verifications
    view = declined(at, number, verification)
    assert view.next_way is Way.VOICE
    assert service.resend(verification, grant=OPERATOR, seen=1).outcome is SendOutcome.SENT
    view = declined(at, number, verification, attempts=2)
    assert view.fallback is not None
    assert view.fallback.way is Way.SMS
    assert view.call_offer is None
    result = service.resend(verification, grant=OPERATOR, seen=2, mode=Mode.SMS)
    assert result.outcome is SendOutcome.SENT
    assert at.code(verification) in until(lambda: at.message(number))
    # A message is on its way: the cooldown applies again.
    assert at.look(verification).next_way is None
    too_soon = service.resend(verification, grant=OPERATOR, seen=3)
    assert too_soon.outcome is SendOutcome.TOO_SOON


def test_a_caller_who_names_a_newer_attempt_waits_for_its_cooldown(at: World) -> None:
    """Two requests at once: the second one counts the attempt that the first one is sending."""
    verification = at.started(at.number("0030"))
    view = lost(at, verification)
    service = at.services.verifications
    assert view.next_way is Way.VOICE
    first = service.resend(verification, grant=OPERATOR, seen=1)
    assert first.outcome is SendOutcome.SENT
    # What the second request has read before the first one wrote its attempt.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "look", lambda *_: view)
        second = service.resend(verification, grant=OPERATOR, seen=2)
    assert second.outcome is SendOutcome.TOO_SOON
    assert at.look(verification).attempts[-1].number == 2


def attempt(number: int, way: Way, state: State) -> Attempt:
    at = datetime(2026, 11, 26, 12, 0, number, tzinfo=UTC)
    moments = {EventKind.REQUESTED: at}
    return Attempt(f"v-{number}", way, state, "+1 212 ••• ••55", "US", "", moments)


def test_a_refused_call_does_not_end_the_cooldown_of_a_message_on_its_way(at: World) -> None:
    policy = Policy(at.services.settings)
    attempts = [attempt(1, Way.SMS, State.SENT), attempt(2, Way.VOICE, State.REJECTED)]
    cooldown_end = datetime(2026, 11, 26, 12, 0, 31, tzinfo=UTC)
    assert policy.next_send(attempts, cooldown_end) == cooldown_end
    offer = policy.fallback(Way.SMS, attempts, cooldown_end)
    assert offer is not None
    assert (offer.way, offer.reason) == (Way.VOICE, "No delivery report yet.")


def test_a_message_that_was_never_sent_is_not_called_one_that_did_not_arrive(at: World) -> None:
    policy = Policy(at.services.settings)
    rejected = [attempt(1, Way.SMS, State.REJECTED)]
    offer = policy.fallback(Way.SMS, rejected, rejected[0].moments[EventKind.REQUESTED])
    assert offer is not None
    assert offer.reason == "The message was not sent."


class NoCalls(DiesWhileSending):
    """A provider without an address for the callbacks of calls."""

    def obstacle(self, way: Way) -> tuple[str, str] | None:
        return ("No PUBLIC_URL.", "Set it.") if way.is_call else None


def test_no_way_is_offered_that_cannot_be_used(at: World) -> None:
    verification = at.started(at.number("0030"))
    assert lost(at, verification).fallback is not None
    with second_process(at, NoCalls()) as other:
        view = other.verifications.look(verification)
        assert view is not None
        assert view.fallback is None
        assert view.next_way is Way.SMS


def test_a_landline_is_not_offered_a_message(at: World) -> None:
    number = "+493012345678"
    verification = at.started(number, Way.VOICE)
    assert declined(at, number, verification).fallback is None


def test_the_facts_of_a_verdict_are_time_way_and_cost(at: World) -> None:
    price = Price(Decimal("0.0077"), Decimal("0.0077"), Decimal("0.01"), Decimal("0.02"))
    number = at.number()
    verification = at.started(number)
    facts = verdict_facts(at.look(verification), price)
    assert (facts.way, facts.cost) == ("SMS", "$0.0077")
    at.clock.advance(12.4)
    at.services.verifications.check(verification, at.code(verification))
    facts = verdict_facts(at.look(verification), None)
    assert re.fullmatch(r"in 1[234] s", facts.time)
    refused = at.look(at.started(at.number("0402"), Way.PHLO_CALL))
    assert verdict_facts(refused, price) == VerdictFacts("", "PHLO call", "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "1 second"), (2, "2 seconds"), (120, "2 minutes")]
)
def test_a_time_to_wait_has_the_number_of_its_noun(seconds: int, text: str) -> None:
    assert wait_time(timedelta(seconds=seconds)) == text
