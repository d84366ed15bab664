"""Test numbers: fixed codes of TEST_NUMBERS, and leased numbers, which meet no budget."""

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from core.lab.sandbox_client import SandboxClient
from core.model.errors import SettingsRefused
from core.model.grant import OPERATOR, Allowance, Grant
from core.model.verification import CheckOutcome, SendOutcome
from core.model.way import Mode, Way
from core.sandbox.facts.lease_range import numbers_for_tests
from core.settings.settings import Settings
from core.verification.number.parse import parse_number
from core.verification.policy import Policy
from core.wiring import build
from tests.verification.test_warnings import live, rest
from tests.world import PATIENCE_SECONDS, FrozenClock, MovableClock, World, second_process, world

FIXED, CODE = "+14155550199", "830415"
LEASED = f"+{next(numbers_for_tests('US', '5555'))}"
#: No send has room in these.
NO_ROOM = {
    "sends_per_10_minutes": 1,
    "sends_per_day": 1,
    "sends_per_prefix_per_hour": 1,
    "sends_per_country_per_hour": 1,
    "sends_per_address_per_hour": 1,
    "failed_checks_per_hour": 1,
    "failed_checks_per_day": 1,
    "spend_per_day": 0,
}


@pytest.fixture
def tight(tmp_path: Path, redis_url: str, client: redis.Redis) -> Iterator[World]:
    """A sandbox that enforces the smallest budgets, with a number that has a fixed code."""
    with world(
        tmp_path, redis_url, FrozenClock(), test_numbers=f"{FIXED}={CODE}", **NO_ROOM
    ) as made:
        yield made


def test_a_fixed_code_is_sent_spoken_and_right(
    tmp_path: Path, redis_url: str, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with world(
        tmp_path, redis_url, MovableClock(), test_numbers=f"{FIXED}={CODE},+447700900123=271828"
    ) as at:
        handset = SandboxClient(f"{at.address}/sandbox").handset(FIXED)
        handset.auto_answer()
        for way in (Way.SMS, Way.VOICE, Way.PHLO_CALL):
            verification = at.started(FIXED, way)
            assert handset.wait().code == CODE
            check = at.services.verifications.check
            assert check(verification, "000000").outcome is CheckOutcome.WRONG_CODE
            # Another process does not have the digest that this one made for the send.
            with second_process(at) as other:
                right = other.verifications.check(verification, CODE)
            assert right.outcome is CheckOutcome.APPROVED
            assert check(verification, CODE).outcome is CheckOutcome.USED
        other_number = at.number()
        assert at.code(at.started("+447700900123")) == "271828"
        assert at.code(at.started(other_number)) not in {CODE, "271828"}
        assert CODE not in repr(at.services.settings)
    assert caplog.records
    assert CODE not in caplog.text


def test_test_numbers_meet_no_budget_and_leave_the_budgets_of_others(tight: World) -> None:
    for number in (FIXED, LEASED):
        for _ in range(4):
            sent = tight.start(number, address="198.51.100.7")
            assert sent.outcome is SendOutcome.SENT
            verification = sent.verification or ""
            for _ in range(4):
                result = tight.services.verifications.check(
                    verification, tight.wrong_code(verification), address="198.51.100.7"
                )
                assert (result.outcome, result.over_budget) == (CheckOutcome.WRONG_CODE, None)
            with second_process(tight) as other:
                right = other.verifications.check(verification, tight.code(verification))
            assert right.outcome is CheckOutcome.APPROVED
            assert tight.look(verification).over_budgets == []
    assert tight.services.verifications.spent_today() == 0
    # The next one is the first of the country, the prefix and the address, and costs too much.
    ordinary = tight.start(tight.number(), address="198.51.100.7")
    assert ordinary.outcome is SendOutcome.OVER_BUDGET
    assert tight.services.ledger.counters()["refused_spend_per_day"] == 1


def test_a_resend_to_a_test_number_waits_for_its_cooldown_only(tight: World) -> None:
    verification = tight.started(LEASED)
    assert tight.resend(verification, seen=1).outcome is SendOutcome.TOO_SOON
    tight.clock.advance(60)
    assert tight.resend(verification, seen=1).outcome is SendOutcome.SENT


def test_an_invite_still_limits_the_sends_to_test_numbers(tight: World) -> None:
    grant = Grant("invited", allowance=Allowance("one", 1, timedelta(hours=1)))
    assert tight.start(LEASED, grant=grant).outcome is SendOutcome.SENT
    assert tight.start(LEASED, grant=grant).outcome is SendOutcome.NOT_ALLOWED


def test_the_ending_that_is_always_refused_is_refused_for_leased_numbers(tight: World) -> None:
    number = f"+{next(numbers_for_tests('US', '0600'))}"
    assert tight.start(number).outcome is SendOutcome.OVER_BUDGET


def test_property_21_live_has_no_test_numbers(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    with live(tmp_path, redis_url) as real:
        number = parse_number(LEASED, default_region=None)
        assert not Policy(real.settings).is_test_number(number)
        outcomes = Counter(
            real.verifications.start(
                LEASED, Way.SMS, grant=OPERATOR, idempotency_key=f"{n}"
            ).outcome
            for n in range(6)
        )
        assert outcomes[SendOutcome.OVER_BUDGET] == 1


@pytest.mark.parametrize(
    ("entries", "cause"),
    [
        ("+14155550199=123456,+12345=123456", "Entry 2 of TEST_NUMBERS cannot be verified"),
        ("+14155550100=123456", "Entry 1 of TEST_NUMBERS cannot be verified: That is the number"),
        ("+18005550199=123456", "Entry 1 of TEST_NUMBERS cannot be verified"),
        ("+12015550600=123456", "Entry 1 of TEST_NUMBERS ends in 0600"),
        ("+4401512345678=123456", "Entry 1 of TEST_NUMBERS"),
    ],
)
def test_a_number_that_cannot_be_verified_is_refused_at_the_start(
    tmp_path: Path, redis_url: str, client: redis.Redis, entries: str, cause: str
) -> None:
    padded = entries.replace("+12345=", "+1234567=")
    settings = Settings(data_dir=tmp_path, redis_url=redis_url, test_numbers=padded)
    with pytest.raises(SettingsRefused) as refused:
        build(settings)
    assert refused.value.cause.startswith(cause)
    assert "123456" not in str(refused.value)


def test_100_parallel_tests_with_leased_numbers_mix_up_no_code(at: World) -> None:
    """Each leases a number, starts a verification by REST, waits for the code and checks it."""
    sandbox = SandboxClient(f"{at.address}/sandbox", seconds=PATIENCE_SECONDS)

    def verify(_: int) -> tuple[str, str]:
        with sandbox.lease() as lease:
            started = api.post("/verifications", json={"number": lease.number})
            assert started.status_code == 201, started.text
            code = sandbox.handset(lease.number).wait(timeout=PATIENCE_SECONDS).code
            verification = started.json()["verification"]["id"]
            check = api.post(f"/verifications/{verification}/checks", json={"code": code})
            assert check.json()["outcome"] == "approved", check.text
            return lease.number, code or ""

    with rest(at) as api, ThreadPoolExecutor(100) as pool:
        results = list(pool.map(verify, range(100)))
    assert len({number for number, _ in results}) == 100
    assert sandbox.leases() == []


def test_the_whole_table_twice_in_an_hour_is_never_stopped(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    """With default settings, from one client address, to the numbers that the Verify page offers;
    only the ending that shows a refusal is refused."""
    clock = FrozenClock()
    outcomes = Counter[tuple[str, SendOutcome]]()
    with world(tmp_path, redis_url, clock, sandbox_budgets="warn", plivo_read_seconds=1) as at:
        numbers = at.services.endings.numbers("US")
        for ending in at.services.endings.table().endings * 2:
            way = Way.SMS if Mode.SMS in ending.channels else Way.VOICE
            sent = at.start(numbers[ending.suffix], way, address="198.51.100.7")
            outcomes[ending.suffix, sent.outcome] += 1
            clock.advance(10)
        # A person presses far less often than the REST API would stop one token.
        assert sum(outcomes.values()) < at.services.settings.api_requests_per_minute
    goes_out = {SendOutcome.SENT, SendOutcome.REJECTED, SendOutcome.UNKNOWN}
    stopped = {key: count for key, count in outcomes.items() if key[1] not in goes_out}
    assert stopped == {("0600", SendOutcome.OVER_BUDGET): 2}
