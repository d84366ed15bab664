"""The verification service enforces grants, for every page and route."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.access.invites import Invite
from core.model.grant import INTERNAL, OPERATOR, Grant
from core.model.verification import CancelOutcome, CheckOutcome, SendOutcome, SendResult, Status
from core.model.way import Mode, Way
from tests.world import World


def invited(at: World, sends: int = 2, countries: tuple[str, ...] = ()) -> Invite:
    ends_at = at.clock.now() + timedelta(hours=1)
    return at.services.invites.make("A demo", sends=sends, ends_at=ends_at, countries=countries)


def grant(at: World, invite: Invite) -> Grant:
    """The grant of its bearer, as a page asks for it in each run."""
    invites = at.services.invites
    return invites.grant(*invites.recognise(invites.token(invite)))


def send(at: World, invite: Invite, ending: str = "5555") -> SendResult:
    return at.start(at.number(ending), grant=grant(at, invite))


def used(at: World, invite: Invite) -> int:
    (invite_now,) = [one for one in at.services.invites.all() if one.id == invite.id]
    return invite_now.used


def test_an_invite_sends_as_often_as_it_allows_and_shows_its_use(at: World) -> None:
    invite = invited(at, sends=2)
    assert used(at, invite) == 0
    assert [send(at, invite).outcome for _ in range(3)] == [
        SendOutcome.SENT, SendOutcome.SENT, SendOutcome.NOT_ALLOWED,
    ]  # fmt: skip
    (invite_now,) = at.services.invites.all()
    assert invite_now.used == 2
    assert invite_now.last_used_at is not None


def test_racing_sends_never_exceed_an_invite(at: World) -> None:
    invite = invited(at, sends=3)
    shared_grant = grant(at, invite)  # from before the first of them, as racing clicks have it
    numbers = [at.number() for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda number: at.start(number, grant=shared_grant), numbers))
    outcomes = [one.outcome for one in results]
    assert outcomes.count(SendOutcome.SENT) == 3
    assert outcomes.count(SendOutcome.NOT_ALLOWED) == 9
    refused = next(one for one in results if one.outcome is SendOutcome.NOT_ALLOWED)
    assert (refused.cause, refused.retry_after) == ("This invite has no sends left.", None)
    assert used(at, invite) == 3


def test_a_double_click_uses_an_invite_once(at: World) -> None:
    invite = invited(at)
    number = at.number()
    for _ in range(2):
        at.start(number, grant=grant(at, invite), idempotency_key="one click")
    assert used(at, invite) == 1


def test_a_refused_send_is_given_back_and_an_unclear_one_is_not(at: World) -> None:
    invite = invited(at, sends=1)
    assert send(at, invite, "0402").outcome is SendOutcome.REJECTED
    assert used(at, invite) == 0
    assert send(at, invite, "0503").outcome is SendOutcome.UNKNOWN
    assert used(at, invite) == 1


def test_a_number_that_cannot_be_verified_uses_nothing(at: World) -> None:
    invite = invited(at)
    assert at.start("12", grant=grant(at, invite)).outcome is SendOutcome.NUMBER_REFUSED
    assert used(at, invite) == 0


def test_sends_that_are_used_do_not_come_back_before_the_end(at: World) -> None:
    invite = invited(at, sends=1)
    send(at, invite)
    at.clock.advance(3599)
    assert send(at, invite).outcome is SendOutcome.NOT_ALLOWED


def test_resends_and_calls_use_an_invite_too(at: World) -> None:
    invite = invited(at, sends=2)
    started = send(at, invite).verification
    assert started is not None
    at.clock.advance(31)
    service = at.services.verifications
    assert service.resend(started, grant=grant(at, invite), seen=1).outcome is SendOutcome.SENT
    at.clock.advance(60)
    for mode in (None, Mode.CALL):
        last = service.resend(started, grant=grant(at, invite), seen=2, mode=mode)
        assert last.outcome is SendOutcome.NOT_ALLOWED
    assert used(at, invite) == 2


@pytest.mark.parametrize("way", list(Way))
def test_the_countries_of_an_invite_are_held_at_the_start(at: World, way: Way) -> None:
    invite = invited(at, countries=("DE", "FR"))
    result = at.start(at.number(), way, grant=grant(at, invite))
    assert result.outcome is SendOutcome.NOT_ALLOWED
    assert "country" in result.cause
    sent = at.start("+4917012345555", way, grant=grant(at, invite))
    assert sent.outcome is SendOutcome.SENT


def test_an_invite_cannot_widen_the_countries_of_the_settings(at: World) -> None:
    from core.verification.number.parse import parse_number

    invite = invited(at, countries=("DE",))
    assert grant(at, invite).covers("DE")
    with pytest.raises(Exception, match="country"):
        parse_number("+4917012345555", default_region=None, allowed=frozenset({"US"}))


@pytest.mark.parametrize("mode", [None, Mode.CALL])
def test_the_countries_of_a_grant_are_held_at_resends_and_calls(
    at: World, mode: Mode | None
) -> None:
    verification = at.started(at.number("0700"))
    at.clock.advance(40)
    narrow = Grant("x", touches_all=True, countries=frozenset({"DE"}))
    result = at.services.verifications.resend(verification, grant=narrow, seen=1, mode=mode)
    assert result.outcome is SendOutcome.NOT_ALLOWED
    assert at.look(verification).verification.attempts == 1


def test_a_verification_of_another_owner_is_not_found(at: World) -> None:
    service, mine = at.services.verifications, invited(at)
    other = grant(at, invited(at))
    verification = send(at, mine).verification
    assert verification is not None
    code = at.code(verification)
    for stranger in (other, Grant(""), Grant("visitor"), Grant("operator2")):
        assert service.look(verification, stranger) is None
        assert service.check(verification, code, stranger).outcome is CheckOutcome.NOT_FOUND
        assert service.cancel(verification, stranger) is CancelOutcome.NOT_FOUND
        again = service.resend(verification, grant=stranger, seen=1)
        assert (again.outcome, again.verification) == (SendOutcome.NOT_FOUND, None)
    view = at.look(verification)
    assert (view.verification.status, view.verification.checks_left) == (Status.PENDING, 5)
    assert service.look(verification, grant(at, mine)) is not None
    assert service.look(verification, OPERATOR) is not None
    assert service.check(verification, code, grant(at, mine)).outcome is CheckOutcome.APPROVED


def test_what_has_no_owner_is_only_for_those_who_touch_all(at: World) -> None:
    verification = at.started(at.number(), )  # fmt: skip
    at.services.client.pipeline().hdel(
        at.services.keys.verification(verification), "owner"
    ).execute()
    assert at.services.verifications.look(verification, Grant("")) is None
    assert at.services.verifications.look(verification, INTERNAL) is not None


def test_a_used_up_or_ended_invite_finishes_what_it_began_and_sends_nothing(at: World) -> None:
    service, invite = at.services.verifications, invited(at, sends=1)
    at.clock.advance(3500)
    verification = send(at, invite).verification
    assert verification is not None
    at.clock.advance(101)
    ended = grant(at, invite)
    assert ended.refusal == ("This invite has ended.", ended.refusal[1] if ended.refusal else "")
    assert send(at, invite).outcome is SendOutcome.NOT_ALLOWED
    resent = service.resend(verification, grant=ended, seen=1)
    assert (resent.outcome, resent.cause) == (SendOutcome.NOT_ALLOWED, "This invite has ended.")
    checked = service.check(verification, at.code(verification), ended)
    assert checked.outcome is CheckOutcome.APPROVED


def test_a_revoked_invite_does_nothing_more(at: World) -> None:
    service, invite = at.services.verifications, invited(at)
    verification = send(at, invite).verification
    assert verification is not None
    at.services.invites.revoke(invite.id)
    revoked = grant(at, invite)
    assert send(at, invite).cause == "This invite was revoked."
    assert service.look(verification, revoked) is None
    answer = service.check(verification, at.code(verification), revoked)
    assert answer.outcome is CheckOutcome.NOT_FOUND
    assert service.resend(verification, grant=revoked, seen=1).outcome is SendOutcome.NOT_FOUND


def test_a_forged_invite_may_do_nothing(at: World) -> None:
    invites = at.services.invites
    forged = invites.grant(*invites.recognise("abcdefgh.forged"))
    result = at.start(at.number(), grant=forged)
    assert result.outcome is SendOutcome.NOT_ALLOWED
    assert result.cause == "This is not a valid invite link."
    assert not forged.may_touch("")
