"""What the Verify page sends is collected, into the session of its own browser."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from core.access.admission import Admission
from core.lab.sessions.collector import Collector
from core.lab.sessions.model import ChecklistItem, TestSession
from core.lab.sessions.recording import COOKIE, Recording
from core.model.verification import SendOutcome
from core.model.way import Way
from core.settings.choices import VerifyAccess
from core.web.tester import routes
from tests.access.test_password import access_of
from tests.world import World, served


def started(at: World) -> tuple[TestSession, Recording]:
    session = at.services.test_sessions.start("Smoke", "Ada", "1")
    return session, Recording(session.id, session.name)


def read(at: World, session: TestSession) -> TestSession:
    kept = at.services.test_sessions.find(session.id)
    assert kept is not None
    return kept


def test_sends_resends_and_refusals_are_collected(at: World) -> None:
    sessions = at.services.test_sessions
    session, recording = started(at)
    first, budget = sessions.add_items(
        session.id, [ChecklistItem("", "First"), ChecklistItem("", "Budget")]
    )
    collector = Collector(sessions, at.clock, recording, first.id)
    number = at.number()
    result = at.start(number)
    collector.started(result, Way.SMS, str)
    assert result.verification is not None
    # A resend that the cooldown refuses is kept beside the verification.
    refused = at.resend(result.verification, seen=1)
    assert refused.outcome is SendOutcome.TOO_SOON
    verification = at.look(result.verification).verification
    collector.resent(verification, refused, Way.SMS)
    over = at.start(at.number("0600"))
    assert over.outcome is SendOutcome.OVER_BUDGET
    replace(collector, item=budget.id).started(over, Way.VOICE, lambda: "+1 415 ••• ••00")
    kept = read(at, session)
    assert [each.id for each in kept.verifications] == [result.verification]
    assert kept.items[0].attempt == f"{result.verification}-1"
    resend, send = kept.refusals
    assert (resend.verification, resend.cause) == (result.verification, "A code is on its way.")
    assert (send.verification, send.to_masked) == ("", "+1 415 ••• ••00")
    assert kept.items[1].refusal == send.id
    assert number not in str(kept)


def test_a_send_that_a_crash_kept_from_being_collected_is_collected_once_it_is_repeated(
    at: World,
) -> None:
    sessions = at.services.test_sessions
    session, recording = started(at)
    (item,) = sessions.add_items(session.id, [ChecklistItem("", "First")])
    collector = Collector(sessions, at.clock, recording, item.id)
    number = at.number()
    result = at.start(number, idempotency_key="one form")
    for _ in range(2):
        again = at.start(number, idempotency_key="one form")
        assert again.outcome is SendOutcome.DUPLICATE
        collector.started(again, Way.SMS, str)
    kept = read(at, session)
    assert [each.id for each in kept.verifications] == [result.verification]
    assert kept.items[0].attempt == f"{result.verification}-1"


def test_an_ended_session_and_no_session_collect_nothing(at: World) -> None:
    session, recording = started(at)
    collector = Collector(at.services.test_sessions, at.clock, recording)
    result = at.start(at.number())
    at.services.test_sessions.end(session.id)
    collector.started(result, Way.SMS, str)
    at.services.test_sessions.delete(session.id)
    collector.started(result, Way.SMS, str)
    replace(collector, recording=None).started(result, Way.SMS, str)
    assert result.verification is not None
    verification = at.look(result.verification).verification
    assert not collector.resent(verification, result, Way.SMS)
    assert replace(collector, recording=None).resent(verification, result, Way.SMS)
    assert at.services.test_sessions.newest(10) == []


@pytest.fixture
def http(at: World) -> Iterator[httpx.Client]:
    """A product whose operator pages need a password."""
    access = access_of(at)
    settings = at.services.settings.model_copy(update={"verify_access": VerifyAccess.PASSWORD})
    guarded = replace(at.services, admission=Admission(settings, access, at.services.invites))
    with (
        served(Starlette(routes=routes(lambda: guarded))) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


def test_the_cookie_of_a_tester_is_set_for_a_known_token_of_our_own_page(at: World) -> None:
    session, _ = started(at)
    token = at.services.recordings.start(session.id, None)
    answer = at.http.post("/qa/tester", content=token)
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{COOKIE}={token.lower()};")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    at.http.cookies.clear()
    for refused, status in (
        (at.http.post("/qa/tester", content="forged"), 404),
        (at.http.post("/qa/tester", content=token, headers={"Origin": "https://evil.test"}), 403),
        (at.http.post("/qa/tester", content="x" * 200), 413),
        (at.http.get("/qa/tester"), 405),
    ):
        assert refused.status_code == status
        assert "set-cookie" not in refused.headers


def test_without_the_operators_password_no_browser_becomes_a_tester(
    at: World, http: httpx.Client
) -> None:
    session, _ = started(at)
    token = at.services.recordings.start(session.id, None)
    assert http.post("/qa/tester", content=token).status_code == 404
