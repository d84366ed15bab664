"""Checking a code: budgeted, counted first, used once; under 64 threads as under one."""

import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
import redis

from core.model.verification import CancelOutcome, CheckOutcome, CheckResult, Status
from core.verification.checking import EnteredCode
from tests.properties import examples
from tests.world import World, second_process

THREADS = 64
#: Each is a race of all threads. `--hypothesis-profile=thorough` runs 5,000.
ROUNDS = examples(60)

T = TypeVar("T")


def at_once(pool: ThreadPoolExecutor, does: Callable[[int], T]) -> list[T]:
    """What `does(0)` … `does(63)` give when all of them start at the same moment."""
    barrier = Barrier(THREADS)

    def one(n: int) -> T:
        barrier.wait()
        return does(n)

    return list(pool.map(one, range(THREADS)))


def every_key_has_a_ttl(client: redis.Redis) -> None:
    """Property 11, wherever a race has just been."""
    keys = list(client.scan_iter(count=1000))
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.pttl(key)
        # -2: it has gone meanwhile, which is what a TTL is for.
        assert [key for key, ttl in zip(keys, pipeline.execute(), strict=True) if ttl == -1] == []


@pytest.mark.race
def test_property_01_exactly_one_of_many_right_codes_at_once_is_approved(
    at: World, client: redis.Redis
) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            verification = at.started(at.number())
            code = at.code(verification)
            outcomes = Counter(
                result.outcome
                for result in at_once(
                    pool,
                    lambda _, v=verification, c=code: at.services.verifications.check(v, c),  # type: ignore[misc]
                )
            )
            assert outcomes == {CheckOutcome.APPROVED: 1, CheckOutcome.USED: THREADS - 1}
            every_key_has_a_ttl(client)
            client.flushall()


@pytest.mark.race
def test_property_02_never_more_guesses_are_evaluated_than_the_budget_allows(
    at: World, client: redis.Redis
) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            verification = at.started(at.number())
            wrong = at.wrong_code(verification)
            results = at_once(
                pool,
                lambda _, v=verification, c=wrong: at.services.verifications.check(v, c),  # type: ignore[misc]
            )
            evaluated = [r for r in results if r.outcome is CheckOutcome.WRONG_CODE]
            assert sorted(r.checks_left for r in evaluated) == [0, 1, 2, 3, 4]
            assert {r.outcome for r in results} == {CheckOutcome.WRONG_CODE, CheckOutcome.LOCKED}
            every_key_has_a_ttl(client)
            client.flushall()


@pytest.mark.race
def test_property_05_parallel_verifications_share_the_budget_of_their_number(
    at: World, client: redis.Redis
) -> None:
    """Three verifications of one number allow 15 checks between them; beyond the first check of
    each, the number allows 10 from one address."""
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            number = at.number()
            verifications = [at.started(number) for _ in range(3)]
            wrong = [at.wrong_code(v) for v in verifications]
            for first, code in zip(verifications, wrong, strict=True):
                at.services.verifications.check(first, code)
            results = at_once(
                pool,
                lambda n, v=verifications, w=wrong: at.services.verifications.check(  # type: ignore[misc]
                    v[n % 3], w[n % 3]
                ),
            )
            evaluated = sum(r.outcome is CheckOutcome.WRONG_CODE for r in results)
            assert evaluated == at.services.settings.failed_checks_per_hour - 3
            every_key_has_a_ttl(client)
            client.flushall()


@pytest.mark.race
def test_property_04_the_right_code_on_the_last_check_wins_once_among_many(
    at: World, client: redis.Redis
) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            verification = at.started(at.number())
            wrong, code = at.wrong_code(verification), at.code(verification)
            for _ in range(4):
                at.services.verifications.check(verification, wrong)
            results = at_once(
                pool,
                lambda _, v=verification, c=code: at.services.verifications.check(v, c),  # type: ignore[misc]
            )
            outcomes = Counter(result.outcome for result in results)
            assert outcomes == {CheckOutcome.APPROVED: 1, CheckOutcome.USED: THREADS - 1}
            every_key_has_a_ttl(client)
            client.flushall()


def test_property_03_a_guess_stays_counted_when_the_rest_of_the_step_fails(
    at: World, client: redis.Redis
) -> None:
    """The script is made to fail after its count: the stream it writes to is no stream."""
    verification = at.started(at.number())
    client.set(at.services.keys.history(f"{verification}-1"), "not a list", ex=60)
    with pytest.raises(redis.exceptions.ResponseError):
        at.services.verifications.check(verification, at.wrong_code(verification))
    assert at.look(verification).verification.checks_left == 4
    assert at.look(verification).verification.status is Status.PENDING


@pytest.mark.parametrize("wrong_first", range(5))
def test_property_04_the_right_code_is_accepted_on_every_allowed_check(
    at: World, wrong_first: int
) -> None:
    verification = at.started(at.number())
    wrong = at.wrong_code(verification)
    for n in range(wrong_first):
        result = at.services.verifications.check(verification, wrong)
        assert result == CheckResult(CheckOutcome.WRONG_CODE, 4 - n)
    result = at.services.verifications.check(verification, at.code(verification))
    assert result.outcome is CheckOutcome.APPROVED


def test_property_04_the_right_code_is_refused_after_the_last_allowed_check(at: World) -> None:
    verification = at.started(at.number())
    for _ in range(5):
        at.services.verifications.check(verification, at.wrong_code(verification))
    result = at.services.verifications.check(verification, at.code(verification))
    assert result.outcome is CheckOutcome.LOCKED


def _use(at: World, verification: str) -> None:
    result = at.services.verifications.check(verification, at.code(verification))
    assert result.outcome is CheckOutcome.APPROVED


def _expire(at: World, verification: str) -> None:
    at.clock.advance(at.services.settings.lifetime_seconds)


def _cancel(at: World, verification: str) -> None:
    assert at.services.verifications.cancel(verification) is CancelOutcome.CANCELED


def _lock(at: World, verification: str) -> None:
    for _ in range(5):
        at.services.verifications.check(verification, at.wrong_code(verification))


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (_use, CheckOutcome.USED),
        (_expire, CheckOutcome.EXPIRED),
        (_cancel, CheckOutcome.CANCELED),
        (_lock, CheckOutcome.LOCKED),
    ],
)
def test_property_06_a_closed_verification_answers_right_and_wrong_codes_alike(
    at: World, end: Callable[[World, str], None], outcome: CheckOutcome
) -> None:
    verification = at.started(at.number())
    right, wrong = at.code(verification), at.wrong_code(verification)
    end(at, verification)
    for entered in (right, wrong, right):
        result = at.services.verifications.check(verification, entered)
        assert result == CheckResult(outcome, 0)


def test_property_06_the_code_of_one_verification_does_not_open_another(at: World) -> None:
    number = at.number()
    one, other = at.started(number), at.started(number)
    assert at.code(one) != at.code(other)
    result = at.services.verifications.check(other, at.code(one))
    assert result.outcome is CheckOutcome.WRONG_CODE


def test_the_code_lives_until_the_last_millisecond_of_its_lifetime(at: World) -> None:
    verification = at.started(at.number())
    expires_at = at.look(verification).verification.expires_at
    at.clock.advance(expires_at - at.clock.now())
    at.clock.advance(-0.5)
    result = at.services.verifications.check(verification, at.code(verification))
    assert result.outcome is CheckOutcome.APPROVED


def test_text_that_is_no_code_is_not_counted(at: World) -> None:
    verification = at.started(at.number())
    for typed in ("", "12345", "1234567", "abcdef"):
        result = at.services.verifications.check(verification, typed)
        assert result.outcome is CheckOutcome.MALFORMED
    assert at.look(verification).verification.checks_left == 5


def test_an_unknown_verification_is_not_found_and_leaves_nothing_behind(
    at: World, client: redis.Redis
) -> None:
    result = at.services.verifications.check("a" * 24, "123456")
    assert result.outcome is CheckOutcome.NOT_FOUND
    # A callback of another test's message may still come: it is counted, and kept as an exchange.
    late = (":counters:", ":exchanges:")
    assert [key for key in client.scan_iter() if not any(kind in key for kind in late)] == []
    assert not list(client.scan_iter(match=f"*{'a' * 24}*"))


def test_a_check_by_another_process_knows_the_newest_attempt(at: World) -> None:
    """The other process has remembered attempt 1; this one has sent attempt 2 meanwhile."""
    verification = at.started(at.number())
    with second_process(at) as other:
        wrong = other.verifications.check(verification, at.wrong_code(verification))
        assert wrong.outcome is CheckOutcome.WRONG_CODE
        at.clock.advance(31)
        assert at.resend(verification, seen=1).outcome == "sent"
        right = other.verifications.check(verification, at.code(verification))
        assert right.outcome is CheckOutcome.APPROVED
    newest = at.look(verification).attempts[1]
    assert "verified" in {kind.value for kind in newest.moments}


def test_a_text_that_is_no_number_for_its_length_is_not_remembered(at: World) -> None:
    verifications = at.services.verifications
    verifications.check_newest([EnteredCode(at.number(), "1")])
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(100):
            (result,) = verifications.check_newest([EnteredCode(f"+{n:050000}", "123456")])
            assert result.outcome is CheckOutcome.NOT_FOUND
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000
