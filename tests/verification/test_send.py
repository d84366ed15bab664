"""Starting and resending: one click sends once, within budgets, and never what was refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from core.model.attempt import EventKind, State
from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome, SendOutcome, Status
from core.model.way import Mode, Way
from core.wiring import build
from tests.properties import sharing_fixtures
from tests.world import (
    DiesWhileSending,
    FrozenClock,
    MovableClock,
    World,
    second_process,
    until,
    world,
)


def sent_to(at: World, number: str) -> int:
    """How many messages have reached the phone or are on their way to it."""
    answer = at.http.get(
        f"/sandbox/v1/Account/{at.services.settings.auth_id}/Message/",
        params={"to_number": number.lstrip("+")},
        auth=(at.services.settings.auth_id, at.services.auth_token),
    )
    assert answer.status_code == 200
    return len(answer.json()["objects"])


def test_property_16_one_click_sends_one_message(at: World) -> None:
    number = at.number()
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda _: at.start(number, idempotency_key="one click"), range(16)))
    assert len({result.verification for result in results}) == 1
    assert sorted(r.outcome for r in results) == ["duplicate"] * 15 + ["sent"]
    assert sent_to(at, number) == 1


def test_property_16_the_same_key_for_another_request_sends_nothing(at: World) -> None:
    number, other = at.number(), at.number()
    assert at.start(number, idempotency_key="same").outcome is SendOutcome.SENT
    for changed in (
        at.start(other, idempotency_key="same"),
        at.start(number, Way.VOICE, idempotency_key="same"),
    ):
        assert (changed.outcome, changed.verification) == (SendOutcome.KEY_REUSED, None)
        assert changed.remedy
    assert sent_to(at, other) == 0
    assert sent_to(at, number) == 1
    assert not at.handset(number)["calls"]


def test_property_16_two_clicks_on_resend_send_once(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    at.clock.advance(31)
    with ThreadPoolExecutor(8) as pool:
        results = list(
            pool.map(
                lambda _: at.resend(verification, seen=1).outcome,
                range(8),
            )
        )
    assert sorted(results) == ["duplicate"] * 7 + ["sent"]
    assert sent_to(at, number) == 2


def test_a_resend_is_refused_until_the_cooldown_has_passed_and_repeats_the_code(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    first = at.message(number)
    result = at.services.verifications.resend(verification, grant=OPERATOR, seen=1)
    assert result.outcome is SendOutcome.TOO_SOON
    assert result.retry_after is not None
    assert timedelta(seconds=29) < result.retry_after <= timedelta(seconds=30)
    at.clock.advance(result.retry_after)
    assert at.resend(verification, seen=1).outcome is SendOutcome.SENT
    until(lambda: len(at.handset(number)["messages"]) == 2)
    assert at.message(number) == first
    assert sent_to(at, number) == 2


def test_the_cooldown_grows_with_every_send(at: World) -> None:
    verification = at.started(at.number())
    for seen, seconds in enumerate((30, 40, 60, 90), start=1):
        at.clock.advance(seconds - 1)
        early = at.services.verifications.resend(verification, grant=OPERATOR, seen=seen)
        assert early.outcome is SendOutcome.TOO_SOON, seconds
        at.clock.advance(1)
        result = at.services.verifications.resend(verification, grant=OPERATOR, seen=seen)
        assert result.outcome is SendOutcome.SENT, seconds


def test_property_05_nothing_refills_the_failure_budget_of_a_number(at: World) -> None:
    """Ten wrong codes, through a resend, another channel and new verifications, and a success."""
    number = at.number()
    service = at.services.verifications

    def fail(verification: str, times: int) -> None:
        for _ in range(times):
            result = service.check(verification, at.wrong_code(verification))
            assert result.outcome is CheckOutcome.WRONG_CODE

    first = at.started(number)
    fail(first, 2)
    at.clock.advance(31)
    assert service.resend(first, grant=OPERATOR, seen=1).outcome is SendOutcome.SENT
    fail(first, 2)
    assert service.check(first, at.code(first)).outcome is CheckOutcome.APPROVED
    second = at.started(number, Way.VOICE)
    fail(second, 4)
    third = at.started(number, Way.PHLO_SMS)
    fail(third, 2)
    locked = service.check(third, at.code(third))
    assert locked.outcome is CheckOutcome.NUMBER_LOCKED
    assert locked.retry_after is not None
    assert locked.retry_after <= timedelta(hours=1)
    at.clock.advance(31)
    refused = service.resend(third, grant=OPERATOR, seen=1)
    assert refused.outcome is SendOutcome.LOCKED
    assert refused.cause == "Too many wrong codes were entered for this number."
    fourth = at.started(number)
    fail(fourth, 1)
    assert service.check(fourth, at.code(fourth)).outcome is CheckOutcome.NUMBER_LOCKED


def test_property_05_the_budget_comes_back_as_its_window_slides(at: World) -> None:
    number, service = at.number(), at.services.verifications

    def second_check() -> CheckOutcome:
        verification = at.started(number)
        service.check(verification, at.wrong_code(verification))
        return service.check(verification, at.code(verification)).outcome

    for _ in range(2):
        verification = at.started(number)
        for _ in range(5):
            service.check(verification, at.wrong_code(verification))
    assert second_check() is CheckOutcome.NUMBER_LOCKED
    at.clock.advance(timedelta(hours=1))
    assert second_check() is CheckOutcome.APPROVED


@pytest.mark.parametrize(
    ("allowed", "span", "name"),
    [(5, timedelta(minutes=10), "10 minutes"), (10, timedelta(days=1), "today")],
)
def test_sends_to_a_number_are_budgeted(
    at: World, allowed: int, span: timedelta, name: str
) -> None:
    number = at.number()
    for n in range(allowed):
        assert at.start(number).outcome is SendOutcome.SENT, n
        if allowed > 5:
            at.clock.advance(timedelta(minutes=3))
    refused = at.start(number)
    assert refused.outcome is SendOutcome.OVER_BUDGET
    assert name in refused.cause
    assert refused.retry_after is not None
    assert refused.retry_after <= span


def test_property_17_a_window_is_exact_to_the_millisecond(tmp_path: Path, redis_url: str) -> None:
    clock = FrozenClock()
    with world(tmp_path, redis_url, clock, sends_per_10_minutes=1) as exact:
        exact.services.client.flushall()  # type: ignore[attr-defined]
        number = exact.number()
        assert exact.start(number).outcome is SendOutcome.SENT
        clock.advance(timedelta(minutes=10) - timedelta(milliseconds=1))
        refused = exact.start(number)
        assert refused.outcome is SendOutcome.OVER_BUDGET
        assert refused.retry_after == timedelta(milliseconds=1)
        clock.advance(timedelta(milliseconds=1))
        assert exact.start(number).outcome is SendOutcome.SENT


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"sends_per_prefix_per_hour": 2}, "Neighbouring numbers"),
        ({"sends_per_address_per_hour": 2}, "your address"),
        ({"sends_per_country_per_hour": 2}, "this country"),
        ({"spend_per_day": 0.1, "assumed_price": 0.05}, "spending limit"),
    ],
)
def test_each_budget_is_kept_and_named(
    tmp_path: Path, redis_url: str, client: redis.Redis, change: dict[str, float], cause: str
) -> None:
    clock = FrozenClock()
    with world(tmp_path, redis_url, clock, **change) as small:
        base = small.number("0000")[:-4]
        for n in range(2):
            result = small.start(f"{base}900{n}", address="192.0.2.7")
            assert result.outcome is SendOutcome.SENT, result
        refused = small.start(f"{base}9009", address="192.0.2.7")
        assert refused.outcome is SendOutcome.OVER_BUDGET
        assert cause in refused.cause
        assert refused.retry_after is not None


def test_property_14_a_definite_refusal_returns_the_budget(at: World) -> None:
    number = at.number("0402")
    for _ in range(10):  # more often than the budget of 5 would allow
        result = at.start(number)
        assert result.outcome is SendOutcome.REJECTED
    # They cost nothing, but they are not endless.
    refused = at.start(number)
    assert refused.outcome is SendOutcome.OVER_BUDGET
    assert refused.cause == "Plivo refused too many sends to this number within the hour."
    view = at.look(result.verification or "")
    assert view.newest is not None
    assert view.newest.state is State.REJECTED
    assert view.verification.next_send_at <= at.clock.now()


@pytest.mark.parametrize("ending", ["0429", "0500", "0503"])
def test_property_14_an_uncertain_answer_keeps_the_budget(at: World, ending: str) -> None:
    number = at.number(ending)
    for _ in range(5):
        assert at.start(number).outcome is SendOutcome.UNKNOWN
    assert at.start(number).outcome is SendOutcome.OVER_BUDGET


def test_property_15_a_refused_send_never_reaches_plivo(at: World) -> None:
    number = at.number()
    for _ in range(5):
        at.start(number)
    assert at.start(number).outcome is SendOutcome.OVER_BUDGET
    assert sent_to(at, number) == 5


@sharing_fixtures(15)
@given(steps=st.lists(st.sampled_from(["start", "resend", "fail", "wait"]), max_size=8))
def test_property_15_a_code_that_was_sent_is_always_usable(at: World, steps: list[str]) -> None:
    """Whatever came before: when a send says SENT, its code is approved, unless the number was
    locked by wrong codes after that."""
    service, number = at.services.verifications, at.number()
    open_one: str | None = None
    for step in steps:
        match step:
            case "start":
                result = at.start(number)
                if result.outcome is SendOutcome.SENT:
                    open_one = result.verification
            case "resend" if open_one:
                service.resend(
                    open_one, grant=OPERATOR, seen=at.look(open_one).verification.attempts
                )
            case "fail" if open_one and at.look(open_one).verification.checks_left > 1:
                service.check(open_one, at.wrong_code(open_one))
            case _:
                at.clock.advance(31)
    if open_one and at.look(open_one).verification.status is Status.PENDING:
        assert service.check(open_one, at.code(open_one)).outcome is CheckOutcome.APPROVED


def test_call_me_instead_waits_for_a_report_and_then_calls_with_the_same_code(at: World) -> None:
    number = at.number("0700")
    verification = at.started(number)
    until(lambda: at.look(verification).attempts[0].state is State.SENT)
    early = at.services.verifications.resend(verification, grant=OPERATOR, seen=1, mode=Mode.CALL)
    assert early.outcome is SendOutcome.TOO_SOON
    at.clock.advance(10)
    late = at.services.verifications.resend(verification, grant=OPERATOR, seen=1, mode=Mode.CALL)
    assert late.outcome is SendOutcome.SENT
    call = at.call(number, "ringing")
    at.touch(number, call, "answer")
    until(lambda: at.call(number, "in-progress")["waits_for_key"])
    at.touch(number, call, "press/1")
    spoken = until(lambda: [t for t in at.handset(number)["calls"][0]["transcript"][2:]])
    assert ", ".join(at.code(verification)) in spoken[0]["text"]
    assert at.code(verification) in at.message(number)


def test_call_me_instead_is_offered_at_once_when_the_message_failed(at: World) -> None:
    verification = at.started(at.number("0030"))
    until(lambda: at.look(verification).attempts[0].state.is_final)
    offer = at.look(verification).call_offer
    assert offer is not None
    assert offer.at <= at.clock.now()
    result = at.services.verifications.resend(verification, grant=OPERATOR, seen=1, mode=Mode.CALL)
    assert result.outcome is SendOutcome.SENT
    assert at.look(verification).attempts[1].way is Way.VOICE


@pytest.mark.parametrize(
    ("typed", "cause"),
    [("", "number"), ("hello", "number"), ("+1 415", "digits"), ("+14155550100", "sent from")],
)
def test_a_refused_number_says_why_and_changes_nothing(
    at: World, client: redis.Redis, typed: str, cause: str
) -> None:
    result = at.start(typed)
    assert result.outcome is SendOutcome.NUMBER_REFUSED
    assert cause in result.cause.lower()
    assert result.remedy
    # Callbacks of an earlier test may still come in, and are counted and recorded.
    late = (":counters:", ":exchanges:")
    assert [key for key in client.scan_iter() if not any(one in key for one in late)] == []


def test_an_ambiguous_number_is_a_question_with_both_and_changes_nothing(
    at: World, client: redis.Redis
) -> None:
    result = at.start("50056043", region="KW")
    assert result.outcome is SendOutcome.AMBIGUOUS
    assert [number.e164 for number in result.candidates] == ["+96550056043", "+50056043"]
    assert result.verification is None
    late = (":counters:", ":exchanges:")
    assert [key for key in client.scan_iter() if not any(one in key for one in late)] == []


def test_property_11_no_key_is_ever_without_a_ttl(at: World, client: redis.Redis) -> None:
    number, service = at.number(), at.services.verifications

    def no_key_for_ever(step: str) -> None:
        keys = client.keys()
        assert keys, step
        for key in keys:
            assert client.pttl(key) > 0 or not client.exists(key), (step, key)

    verification = at.started(number)
    no_key_for_ever("start")
    until(lambda: at.look(verification).attempts[0].state.is_final)
    no_key_for_ever("callbacks")
    service.check(verification, at.wrong_code(verification))
    no_key_for_ever("wrong code")
    at.clock.advance(31)
    service.resend(verification, grant=OPERATOR, seen=1)
    no_key_for_ever("resend")
    service.check(verification, at.code(verification))
    no_key_for_ever("approved")
    service.cancel(at.started(number, Way.VOICE))
    no_key_for_ever("canceled")
    at.started(number, Way.PHLO_SMS)
    no_key_for_ever("phlo")
    at.start(at.number("0402"))
    no_key_for_ever("rejected")
    at.start(at.number("0500"))
    no_key_for_ever("unknown")
    at.http.post("/plivo/message/nonsense")
    no_key_for_ever("forged")


@pytest.mark.parametrize("removed", ["verification", "attempt"])
def test_property_11_a_key_that_expires_in_between_is_not_made_again(
    at: World, client: redis.Redis, removed: str
) -> None:
    number = at.number("0705")
    verification = at.started(number)
    key = at.services.keys.verification(verification)
    if removed == "attempt":
        key = at.services.keys.attempt(f"{verification}-1")
    wrong = at.wrong_code(verification)
    client.delete(key)
    at.services.verifications.check(verification, wrong)
    at.services.verifications.resend(verification, grant=OPERATOR, seen=1)
    at.services.verifications.cancel(verification)
    until(lambda: at.handset(number)["messages"])
    for remaining_key in client.scan_iter():
        assert client.pttl(remaining_key) > 0, remaining_key
    assert not client.exists(key)


def test_a_verification_survives_in_redis_with_its_moments(at: World) -> None:
    verification = at.started(at.number())
    attempt = until(
        lambda: next((a for a in at.look(verification).attempts if a.state.is_final), None)
    )
    assert attempt is not None
    assert list(attempt.moments) == sorted(attempt.moments, key=list(EventKind).index)
    assert attempt.moments[EventKind.SENT] <= attempt.moments[EventKind.DELIVERED]


def test_a_refused_call_leaves_the_wait_and_the_channel_as_they_were(at: World) -> None:
    """Else a call that Plivo refuses would be the way around the cooldown of a message."""
    verification = at.started(at.number("0402"))
    before = at.look(verification).verification
    assert before.way is Way.SMS
    result = at.services.verifications.resend(verification, grant=OPERATOR, seen=1, mode=Mode.CALL)
    assert result.outcome is SendOutcome.REJECTED
    after = at.look(verification).verification
    assert after.way is Way.SMS
    assert after.next_send_at == before.next_send_at
    assert after.attempts == 2


def test_addresses_of_one_ipv6_network_share_a_budget(at: World) -> None:
    allowed = at.services.settings.sends_per_address_per_hour
    for n in range(allowed):
        result = at.start(at.number(), address=f"2001:db8:0:1::{n:x}")
        assert result.outcome is SendOutcome.SENT
    assert at.start(at.number(), address="2001:db8:0:1::ffff").outcome is SendOutcome.OVER_BUDGET
    assert at.start(at.number(), address="2001:db8:0:2::1").outcome is SendOutcome.SENT


def test_an_ipv4_address_has_one_budget_in_either_notation(at: World) -> None:
    for _ in range(at.services.settings.sends_per_address_per_hour):
        result = at.start(at.number(), address="192.0.2.7")
        assert result.outcome is SendOutcome.SENT
    for again in ("::ffff:192.0.2.7", "::ffff:c000:207"):
        assert at.start(at.number(), address=again).outcome is SendOutcome.OVER_BUDGET
    assert at.start(at.number(), address="::ffff:192.0.2.8").outcome is SendOutcome.SENT


def test_an_attempt_of_a_process_that_died_becomes_unknown(at: World) -> None:
    """The state after a crash during the request to Plivo: reserved and written only."""
    with (
        second_process(at, DiesWhileSending()) as died,
        pytest.raises(KeyboardInterrupt, match="died here"),
    ):
        died.verifications.start(
            at.number(), Way.SMS, grant=OPERATOR, idempotency_key="interrupted"
        )
    again = at.start(at.number(), idempotency_key="another")
    assert again.outcome is SendOutcome.SENT
    attempts = [key.rpartition(":")[2] for key in at.services.client.scan_iter(match="*:attempt:*")]
    requested = [a for a in at.services.ledger.attempts(attempts) if a.state is State.REQUESTED]
    assert len(requested) == 1
    at.clock.advance(timedelta(minutes=4))
    at.services.poller.poll_due()
    until(lambda: at.services.ledger.attempts([requested[0].id])[0].state is State.UNCLEAR)


@pytest.mark.parametrize("step", ["start", "resend"])
def test_a_repeated_request_after_a_crash_finds_the_attempt_and_sends_nothing(
    at: World, step: str
) -> None:
    """The first request was written, and its process ended before the request to Plivo."""
    number = at.number()
    verification = at.started(number) if step == "resend" else ""
    at.clock.advance(31)
    with second_process(at, DiesWhileSending()) as died:
        service, key = died.verifications, "interrupted"
        steps = {
            "start": lambda: service.start(number, Way.SMS, grant=OPERATOR, idempotency_key=key),
            "resend": lambda: service.resend(verification, grant=OPERATOR, seen=1),
        }
        with pytest.raises(KeyboardInterrupt, match="died here"):
            steps[step]()
    if step == "start":
        again = at.start(number, idempotency_key="interrupted")
        assert again.verification is not None
        verification = again.verification
    else:
        again = at.resend(verification, seen=1)
    assert again.outcome is SendOutcome.DUPLICATE
    assert at.look(verification).attempts[-1].state is State.REQUESTED
    at.clock.advance(timedelta(minutes=4))
    until(lambda: at.look(verification).attempts[-1].state is State.UNCLEAR, patience=5)


def test_a_code_is_of_the_length_that_its_verification_began_with(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    """A restart with another CODE_LENGTH meets open verifications."""
    with world(tmp_path, redis_url, MovableClock(), code_length=6) as before:
        verification = before.started(before.number())
        code = before.code(verification)
        with world(tmp_path / "b", redis_url, MovableClock(), code_length=8) as after:
            other = build(
                after.services.settings.model_copy(update={"data_dir": tmp_path}), after.clock
            )
            assert other.verifications.check(verification, code).outcome is CheckOutcome.APPROVED
            other.close()
