"""Budgets of wrong codes: strangers do not lock the owner out; a day has a ceiling."""

import logging
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome, SendOutcome
from core.model.way import Way
from core.panels.abuse import refused_table
from core.services import Services
from core.verification.checking import EnteredCode
from core.verification.reservations import WITHOUT_ADDRESS
from tests.properties import examples
from tests.verification.test_warnings import live
from tests.world import PATIENCE_SECONDS, World

STRANGER, OWNER = "198.51.100.7", "203.0.113.9"
EVALUATED = {CheckOutcome.WRONG_CODE, CheckOutcome.APPROVED}
NUMBER = "+14155550123"


def guess(at: World, number: str, verifications: int, address: str | None) -> None:
    """Use up every check of new verifications of this number with wrong codes."""
    for _ in range(verifications):
        verification = at.started(number)
        for _ in range(5):
            at.services.verifications.check(
                verification, at.wrong_code(verification), address=address
            )


@pytest.fixture
def real(tmp_path: Path, redis_url: str, client: redis.Redis) -> Iterator[Services]:
    with live(tmp_path, redis_url) as services:
        yield services


@pytest.mark.parametrize("owner", [OWNER, STRANGER, None])
@pytest.mark.parametrize("stranger", [STRANGER, None])
def test_two_starts_and_ten_guesses_do_not_keep_the_owner_out(
    at: World, stranger: str | None, owner: str | None
) -> None:
    """Also where both share an address, or neither has one: the first check is let through."""
    number = at.number()
    guess(at, number, 2, stranger)
    verification = at.started(number)
    result = at.services.verifications.check(verification, at.code(verification), address=owner)
    assert result.outcome is CheckOutcome.APPROVED


def test_another_address_has_checks_of_its_own_beyond_the_first(at: World) -> None:
    number = at.number()
    guess(at, number, 2, STRANGER)
    verification = at.started(number)
    check = at.services.verifications.check
    for checks_left in (4, 3, 2):
        result = check(verification, at.wrong_code(verification), address=OWNER)
        assert (result.outcome, result.checks_left) == (CheckOutcome.WRONG_CODE, checks_left)
    # The stranger knows the verification, yet has no check left for this number.
    locked = check(verification, at.code(verification), address=STRANGER)
    assert locked.outcome is CheckOutcome.NUMBER_LOCKED
    right = check(verification, at.code(verification), address=OWNER)
    assert right.outcome is CheckOutcome.APPROVED


def test_addresses_of_one_ipv6_network_share_their_checks(at: World) -> None:
    number = at.number()
    for n in range(2):
        guess(at, number, 1, f"2001:db8:0:1::{n}")
    verification = at.started(number)
    check = at.services.verifications.check
    check(verification, at.wrong_code(verification), address="2001:db8:0:1::a")
    locked = check(verification, at.wrong_code(verification), address="2001:db8:0:1::b")
    assert locked.outcome is CheckOutcome.NUMBER_LOCKED
    other = check(verification, at.wrong_code(verification), address="2001:db8:0:2::b")
    assert other.outcome is CheckOutcome.WRONG_CODE


def test_wrong_codes_of_a_day_from_many_addresses_leave_first_checks_only(at: World) -> None:
    number, check = at.number(), at.services.verifications.check
    for n in range(4):
        guess(at, number, 1, f"198.51.100.{n}")
    verification = at.started(number)
    first = check(verification, at.wrong_code(verification), address=OWNER)
    assert first.outcome is CheckOutcome.WRONG_CODE
    second = check(verification, at.code(verification), address=OWNER)
    assert second.outcome is CheckOutcome.NUMBER_LOCKED
    assert second.over_budget is not None
    assert second.over_budget.budget == "failed_checks_per_day"
    assert second.retry_after is not None
    assert second.retry_after > timedelta(hours=23)


def test_the_address_comes_from_the_client_of_each_route(at: World) -> None:
    """REST says it with each check; the seed's routes take the peer's, as the proxy names it."""
    token = at.services.tokens.sandbox_token
    number = at.number()
    guess(at, number, 2, STRANGER)
    verification = at.started(number)
    at.services.verifications.check(verification, at.wrong_code(verification), address=OWNER)
    path = f"{at.address}/api/v1/verifications/{verification}/checks"
    headers = {"Authorization": f"Bearer {token}"}

    def rest(address: str) -> int:
        body = {"code": at.wrong_code(verification), "client_address": address}
        return httpx.post(path, json=body, headers=headers, timeout=PATIENCE_SECONDS).status_code

    assert (rest(STRANGER), rest(OWNER)) == (429, 200)
    wrong = f"/checkcode/{number}/{at.wrong_code(verification)}"
    before = at.look(verification).verification.checks_left
    at.http.get(wrong, headers={"X-Forwarded-For": STRANGER})
    assert at.look(verification).verification.checks_left == before
    at.http.get(wrong, headers={"X-Forwarded-For": OWNER})
    assert at.look(verification).verification.checks_left == before - 1


@pytest.mark.race
@pytest.mark.parametrize("seed", range(3))
def test_property_05_no_more_than_the_ceiling_is_evaluated_whatever_happens(
    at: World, client: redis.Redis, seed: int
) -> None:
    """Many addresses, threads and verifications, among them some whose send Plivo refused (they
    return their send budget): 30 codes of a number are compared in a day, right ones included."""
    ceiling = at.services.settings.failed_checks_per_day + at.services.settings.sends_per_day
    # 0402: its sends are refused and free, so far more than SENDS_PER_DAY verifications start.
    number = at.number("0402")
    service = at.services.verifications
    started = []
    for _ in range(6):
        started += [
            result.verification
            for _ in range(10)
            if (result := at.start(number)).verification is not None
        ]
        # The refusals of an hour end; the verifications stay open.
        client.delete(at.services.keys.refusals(at.look(started[0]).verification.number_index))
    assert len(started) == 60
    codes = {one: (at.wrong_code(one), at.code(one)) for one in started}
    guesses = [
        EnteredCode(one, codes[one][n == 4], f"198.51.{n}.{m % 250}")
        for m, one in enumerate(started)
        for n in range(6)
    ]
    random.Random(seed).shuffle(guesses)  # noqa: S311
    with ThreadPoolExecutor(32) as pool:
        alone = list(
            pool.map(lambda e: service.check(e.of, e.text, address=e.address), guesses[:180])
        )
        together = list(
            pool.map(service.check_all, [guesses[180 + 30 * n :][:30] for n in range(6)])
        )
    outcomes = Counter(
        r.outcome for results in ([alone], together) for some in results for r in some
    )
    assert sum(outcomes[one] for one in EVALUATED) == ceiling
    assert outcomes[CheckOutcome.NUMBER_LOCKED] > 0


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["start", "wrong", "wrong", "wrong", "right", "wait"]),
            st.integers(0, 5),
        ),
        max_size=120,
    )
)
def test_property_05_in_any_24_hours_no_more_than_the_ceiling_is_evaluated(
    at: World, steps: list[tuple[str, int]]
) -> None:
    """Any order of sends, guesses and waits, across the edge of a day."""
    ceiling = at.services.settings.failed_checks_per_day + at.services.settings.sends_per_day
    number, service = at.number(), at.services.verifications
    started: list[str] = []
    evaluated = []
    for step, n in steps:
        if step == "start" or not started:
            result = at.start(number)
            started += [result.verification] if result.verification else []
        elif step == "wait":
            at.clock.advance((30, 120, 600, 3600, 6 * 3600, 24 * 3600)[n])
        else:
            one = started[-1 - n % len(started)]
            entered = at.code(one) if step == "right" else at.wrong_code(one)
            result_of = service.check(one, entered, address=f"198.51.100.{n}")
            if result_of.outcome in EVALUATED:
                evaluated.append(at.clock.now())
    for start in evaluated:
        day = [moment for moment in evaluated if timedelta() <= moment - start < timedelta(days=1)]
        assert len(day) <= ceiling


def test_a_send_is_refused_as_locked_at_the_ceiling_because_no_check_would_be_let_through(
    at: World,
) -> None:
    number, check = at.number(), at.services.verifications.check
    for n in range(4):
        guess(at, number, 1, f"198.51.100.{n}")
        at.clock.advance(timedelta(minutes=3))
    for _ in range(6):
        verification = at.started(number)
        result = check(verification, at.wrong_code(verification), address=OWNER)
        assert result.outcome is CheckOutcome.WRONG_CODE
        at.clock.advance(timedelta(minutes=3))
    index = at.look(verification).verification.number_index
    at.services.client.delete(at.services.keys.sends("number", index))
    for _ in range(4):
        verification = at.started(number)
        result = check(verification, at.wrong_code(verification), address=OWNER)
        assert result.outcome is CheckOutcome.WRONG_CODE
    refused = at.start(number)
    assert refused.outcome is SendOutcome.LOCKED
    assert refused.retry_after is not None


def test_live_clients_without_an_address_share_one_send_budget_with_a_warning(
    real: Services, caplog: pytest.LogCaptureFixture
) -> None:
    def start(n: int, address: str | None) -> SendOutcome:
        number = f"+1{('415', '212', '312')[n % 3]}2{n:02}{n:04}"
        return real.verifications.start(
            number, Way.SMS, grant=OPERATOR, idempotency_key=f"{n} {address}", address=address
        ).outcome

    with caplog.at_level(logging.WARNING):
        # A peer on the loopback, or what is no address, says nothing of the client.
        unknown = [None, "127.0.0.1", "::1", "unknown"]
        outcomes = [start(n, unknown[n % 4]) for n in range(20)]
        assert outcomes == [SendOutcome.SENT] * 20
        assert start(20, None) is SendOutcome.OVER_BUDGET
        assert start(21, "127.0.0.1") is SendOutcome.OVER_BUDGET
        assert start(22, OWNER) is SendOutcome.SENT
    told = [r for r in caplog.records if "X-Forwarded-For" in r.getMessage()]
    assert len(told) == 1
    counters = real.ledger.counters()
    assert counters[WITHOUT_ADDRESS] == 22
    assert refused_table(counters)["budget"].tolist() == ["Clients whose address is not known"]


def test_in_the_sandbox_localhost_has_no_send_budget_of_its_own(at: World) -> None:
    for n in range(25):
        assert at.start(at.number(f"{6000 + n}")).outcome is SendOutcome.SENT


def test_live_wrong_codes_without_an_address_share_one_budget_of_the_number(
    real: Services,
) -> None:
    service = real.verifications

    def started(n: int) -> str:
        result = service.start(
            NUMBER, Way.SMS, grant=OPERATOR, idempotency_key=f"{n}", address=OWNER
        )
        assert result.verification is not None
        return result.verification

    def code(verification: str) -> str:
        view = service.look(verification)
        assert view is not None
        return service.code_for(view.verification).reveal()

    def wrong(verification: str) -> str:
        return f"{(int(code(verification)) + 1) % 1_000_000:06}"

    for n in range(2):
        verification = started(n)
        for address in (None, "127.0.0.1", "", "::1", None):
            result = service.check(verification, wrong(verification), address=address)
            assert result.outcome is CheckOutcome.WRONG_CODE
    verification = started(2)
    assert service.check(verification, wrong(verification)).outcome is CheckOutcome.WRONG_CODE
    assert service.check(verification, code(verification)).outcome is CheckOutcome.NUMBER_LOCKED
    owner = service.check(verification, code(verification), address=OWNER)
    assert owner.outcome is CheckOutcome.APPROVED
