"""The JSON of an attempt and of a verification: every key, with the value that it is read from."""

from datetime import UTC, datetime, timedelta

import httpx

from core.model.attempt import Attempt, EventKind, Proof, State
from core.model.way import Way
from core.verification.timeline import timeline
from core.web.rest.answers import AttemptAnswer
from tests.web.rest.test_verifications import started
from tests.world import World, until

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def test_an_attempt_has_these_keys_and_values() -> None:
    attempt = Attempt(
        id=f"{'a' * 24}-3",
        way=Way.PHLO_CALL,
        state=State.UNDELIVERED,
        to_masked="+1 415 •••• 23",
        region="US",
        carrier="T-Mobile",
        moments={EventKind.REQUESTED: NOON, EventKind.SENT: NOON + timedelta(seconds=1.5)},
        reference="u-1",
        error_code="30",
        hangup_cause="4000",
        cause="The phone is off.",
        remedy="Try again.",
        cost_micros=4500,
        units=2,
        network="Telekom",
        origin="fallback",
        proof=Proof.SHARED,
    )
    assert AttemptAnswer.model_validate(attempt).model_dump(mode="json") == {
        "id": f"{'a' * 24}-3",
        "verification": "a" * 24,
        "number": 3,
        "channel": "phlo",
        "mode": "call",
        "state": "undelivered",
        "origin": "fallback",
        "proof": "shared",
        "send_status": "",
        "to_masked": "+1 415 •••• 23",
        "country": "US",
        "carrier": "T-Mobile",
        "reference": "u-1",
        "error_code": "30",
        "hangup_cause": "4000",
        "cause": "The phone is off.",
        "remedy": "Try again.",
        "cost_micros": 4500,
        "units": 2,
        "is_sample": False,
        "network": "Telekom",
        "moments": {"requested": "2026-11-01T12:00:00Z", "sent": "2026-11-01T12:00:01.500000Z"},
    }


def test_a_verification_has_these_keys_and_values(at: World, rest: httpx.Client) -> None:
    verification_id = started(rest, at.number("0700"))["id"]
    until(lambda: at.look(verification_id).attempts[0].state is State.SENT)
    body = rest.get(f"/verifications/{verification_id}").json()
    view = at.look(verification_id)
    verification, offer = view.verification, view.call_offer
    assert offer is not None
    attempts, steps = body.pop("attempts"), body.pop("timeline")
    assert body == {
        "id": verification_id,
        "status": "pending",
        "channel": "sms",
        "mode": "sms",
        "to_masked": verification.to.masked,
        "country": "US",
        "carrier": verification.carrier,
        "started_at": iso(verification.started_at),
        "expires_at": iso(verification.expires_at),
        "verified_at": None,
        "checks_left": verification.checks_left,
        "next_send_at": iso(verification.next_send_at),
        "call_offer": {"at": iso(offer.at), "reason": offer.reason},
        "warnings": [],
    }
    answers = [AttemptAnswer.model_validate(attempt) for attempt in view.attempts]
    assert attempts == [answer.model_dump(mode="json") for answer in answers]
    assert [(step["label"], step["state"]) for step in steps] == [
        (step.label, step.state) for step in timeline(view)[-1].steps
    ]
    assert {key for step in steps for key in step} == {"label", "state", "at", "gap_ms", "note"}
