"""Leased numbers: no two tests have the same one, and the product accepts each of them."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import phonenumbers
import pytest

from core.lab.sandbox_client import SandboxClient, SandboxError
from core.model.way import Way
from core.sandbox.facts.endings import ENDINGS
from core.sandbox.facts.lease_range import LARGE_PLANS, numbers_for_tests
from core.settings.keyring import Keyring
from core.settings.settings import SANDBOX_NUMBER, Settings
from core.verification.number.lease_range import is_in_lease_range
from core.verification.number.parse import parse_number
from core.verification.numbers import Numbers
from core.verification.policy import Policy

from .support import AUTH_ID, AUTH_TOKEN, Api, sandbox_on, wait_for


@pytest.fixture(scope="module")
def leasing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with sandbox_on(tmp_path_factory.mktemp("leases")) as api:
        yield api


@pytest.fixture
def sandbox(leasing: Api) -> Iterator[SandboxClient]:
    """A sandbox without leases in force."""
    client = SandboxClient(leasing.base, (AUTH_ID, AUTH_TOKEN))
    yield client
    for lease in client.leases():
        lease.release()


def test_a_lease_has_numbers_with_the_ending_of_the_country(sandbox: SandboxClient) -> None:
    with sandbox.lease(ending="0030", country="de", count=3, seconds=60) as lease:
        assert len(set(lease.numbers)) == 3
        for number in lease.numbers:
            assert re.fullmatch(r"\+49\d+0030", number)
        assert (lease.country, lease.ending, lease.number) == ("DE", "0030", lease.numbers[0])
        assert [each.numbers for each in sandbox.leases()] == [lease.numbers]
    assert sandbox.leases() == []


def test_without_wishes_a_lease_is_one_number_that_is_delivered_to(leasing: Api) -> None:
    answer = leasing.http.post("/numbers")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    (number,) = answer.json()["numbers"]
    assert re.fullmatch(r"\+1201\d{3}5555", number)
    for _ in range(2):  # releasing twice is no error
        path = f"/numbers/{answer.json()['lease']}"
        assert leasing.http.delete(path).status_code == 204


def test_no_number_is_leased_twice_by_parallel_requests(sandbox: SandboxClient) -> None:
    with ThreadPoolExecutor(20) as pool:
        leases = list(pool.map(lambda _: sandbox.lease(count=3), range(60)))
    numbers = [number for lease in leases for number in lease.numbers]
    assert len(set(numbers)) == len(numbers) == 180


def test_a_released_number_is_leased_again_after_all_others(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as api:
        sandbox = SandboxClient(api.base)
        everything = set(numbers_for_tests("AM", "5555"))
        with sandbox.lease(country="AM") as first:
            pass
        others = sandbox.lease(country="AM", count=len(everything) - 1)
        assert first.number not in others.numbers
        again = sandbox.lease(country="AM")
        assert again.number == first.number
        with pytest.raises(SandboxError, match="use one of US, GB, DE, FR, IN") as error:
            sandbox.lease(country="AM")
        assert error.value.status == 409


def test_an_expired_lease_is_free_again_and_cannot_be_renewed(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as api:
        sandbox = SandboxClient(api.base)
        short = sandbox.lease(seconds=1)
        long = sandbox.lease(seconds=1).renew(60)
        wait_for(lambda: len(sandbox.leases()) == 1)
        (left,) = sandbox.leases()
        assert left == long
        with pytest.raises(SandboxError, match="no such lease") as error:
            short.renew()
        assert error.value.status == 404
        free = sum(1 for _ in numbers_for_tests("US", "5555")) - 1
        numbers = {
            number
            for count in [100] * (free // 100) + [free % 100]
            for number in sandbox.lease(count=count).numbers
        }
        assert short.number in numbers
        assert long.number not in numbers


def test_leases_survive_a_restart(
    started: Callable[[], tuple[Api, Callable[[], None]]],
) -> None:
    api, stop = started()
    lease = SandboxClient(api.base).lease()
    stop()
    api, _stop = started()
    (kept,) = SandboxClient(api.base).leases()
    assert kept == lease
    assert SandboxClient(api.base).lease().number != lease.number


def test_the_handset_of_a_leased_number_is_empty_and_answers_nothing(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as api:
        sandbox = SandboxClient(api.base)
        count = sum(1 for _ in numbers_for_tests("AM", "5555"))
        with sandbox.lease(country="AM", count=count) as before:
            handset = sandbox.handset(before.number)
            handset.auto_answer()
            api.send(before.number, text="Your code is 1111")
            handset.wait()
        with sandbox.lease(country="AM", count=count) as lease:
            assert set(lease.numbers) == set(before.numbers)
            view = sandbox.handset(before.number).look()
        assert view["messages"] == []
        assert view["auto_answer"] == {"on": False, "press": "1"}


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"ending": "30"}, 400, "ending must be four digits"),
        ({"ending": 30}, 400, "ending must be four digits"),
        ({"ending": "\u0663\u0663\u0663\u0663"}, 400, "ending must be four digits"),
        ({"country": "XX"}, 400, "country must be the two letters"),
        ({"country": 1}, 400, "country must be the two letters"),
        ({"count": 0}, 400, "count must be a whole number from 1 to 100"),
        ({"count": True}, 400, "count must be"),
        ({"count": 101}, 400, "count must be"),
        ({"seconds": 1.5}, 400, "seconds must be a whole number from 1 to 86400"),
        ({"seconds": 86401}, 400, "seconds must be"),
        ({"end": "0030"}, 400, "unknown field 'end'"),
        ({"country": "TK"}, 409, "the numbering plan of TK has no numbers for tests; use one of"),
        ({"country": "AM", "count": 100}, 409, "of 100 numbers of AM that end in 5555 are free"),
    ],
)
def test_a_wrong_order_is_refused_with_a_sentence_and_leases_nothing(
    leasing: Api, sandbox: SandboxClient, body: dict[str, object], status: int, text: str
) -> None:
    answer = leasing.http.post("/numbers", json=body)
    assert (answer.status_code, text in answer.json()["error"]) == (status, True), answer.text
    assert sandbox.leases() == []


@pytest.mark.parametrize("country", LARGE_PLANS)
def test_the_product_accepts_every_leased_number_and_gives_it_no_budget(country: str) -> None:
    settings = Settings()
    numbers, policy = Numbers(settings, Keyring(b"k" * 32)), Policy(settings)
    for ending in {"5555", *(ending.suffix for ending in ENDINGS[::9])}:
        digits = next(numbers_for_tests(country, ending))
        read = numbers.read(f"+{digits}", region=None, way=Way.SMS)
        assert (read.digits, read.region) == (digits, country)
        assert policy.is_test_number(read)


def test_both_rules_of_the_lease_range_agree_for_all_countries() -> None:
    """For every country one number of the range, and the example of the country beside it."""
    countries = 0
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        for digits in numbers_for_tests(country, "0030"):
            number = parse_number(f"+{digits}", default_region=None)
            assert (number.digits, number.region) == (digits, country)
            assert is_in_lease_range(number)
            countries += 1
            break
        example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
        if example is not None and phonenumbers.region_code_for_number(example) == country:
            e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert not is_in_lease_range(parse_number(e164, default_region=None))
    assert countries > 200


def test_the_sender_of_the_sandbox_is_never_leased() -> None:
    assert SANDBOX_NUMBER[1:] not in set(numbers_for_tests("US", SANDBOX_NUMBER[-4:]))
