"""Security properties that are of no single step; numbered as the others."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import phonenumbers
import pytest
import redis
from starlette.applications import Starlette

from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome, SendOutcome
from core.model.way import Way
from core.plivo.request import AttemptRequest
from core.sandbox.facts.endings import ENDINGS
from core.services import Services
from core.settings.choices import PlivoMode
from core.settings.settings import SANDBOX_AUTH_ID, SANDBOX_NUMBER, Settings
from core.web.app import Web
from tests.store.servers import running
from tests.verification.test_warnings import SendsNothing, live, rest
from tests.world import PATIENCE_SECONDS, FrozenClock, World, served, world

CREDENTIALS: dict[str, Any] = {"plivo_auth_id": "MA" + "X" * 18, "plivo_auth_token": "token"}
NEEDED: dict[str, Any] = {"plivo_number": "+14155550100", "secret_key": "k" * 32}


REPORTED = {"moments", "timeline", "call_offer"}


def shape(body: object) -> object:
    """The names in a body and the kinds of its values, at every depth; of what follows from
    delivery reports, which come when they come, the names alone."""
    if isinstance(body, dict):
        return {name: None if name in REPORTED else shape(value) for name, value in body.items()}
    if isinstance(body, list):
        return [shape(value) for value in body]
    return type(body).__name__


def fingerprint(answer: httpx.Response) -> tuple[int, object, set[str]]:
    return answer.status_code, shape(answer.json()), set(answer.headers)


def test_property_13_known_and_unknown_numbers_get_the_same_answer(at: World) -> None:
    known_number, unknown_number = at.number(), at.number()
    verification = at.started(known_number)
    result = at.services.verifications.check(verification, at.code(verification))
    assert result.outcome is CheckOutcome.APPROVED
    with rest(at) as api:
        answers = [
            api.post("/verifications", json={"number": n}) for n in (known_number, unknown_number)
        ]
        assert fingerprint(answers[0]) == fingerprint(answers[1])
        first, second = (answer.json()["verification"] for answer in answers)
        differs = {name for name in first if first[name] != second[name]}
        own = {"id", "to_masked", "started_at", "expires_at", "next_send_at", "attempts"}
        assert differs <= own | {"timeline", "carrier", "call_offer"}
        # The budget counts both, and its refusal is the same to the letter.
        for number, sent in ((known_number, 2), (unknown_number, 1)):
            for _ in range(5 - sent):
                assert api.post("/verifications", json={"number": number}).status_code == 201
        over = [
            api.post("/verifications", json={"number": n}) for n in (known_number, unknown_number)
        ]
        assert fingerprint(over[0]) == fingerprint(over[1])
        bodies = [answer.json() for answer in over]
        for body in bodies:
            body.pop("retry_after_seconds")
            body["remedy"] = body["remedy"].partition(" in ")[0]
        assert bodies[0] == bodies[1]
        assert bodies[0]["code"] == "over_budget"


def test_property_13_known_and_unknown_numbers_cost_redis_the_same(
    tmp_path: Path,
) -> None:
    """The time of an answer is that of its steps: both take the same ones. The server is this
    test's own, so that all commands that it counts are of these requests."""

    def commands(client: redis.Redis, services: Services, number: str, key: str) -> Counter[str]:
        before = _calls(client)
        sent = services.verifications.start(number, Way.SMS, grant=OPERATOR, idempotency_key=key)
        assert sent.outcome is SendOutcome.SENT
        return _calls(client) - before

    with (
        running(tmp_path / "redis") as port,
        redis.Redis(port=port, decode_responses=True) as client,
        live(tmp_path, f"redis://127.0.0.1:{port}") as services,
    ):
        services.verifications.start(
            "+14155550122", Way.SMS, grant=OPERATOR, idempotency_key="warm"
        )
        started = services.verifications.start(
            "+14155550123", Way.SMS, grant=OPERATOR, idempotency_key="known"
        )
        view = services.verifications.look(started.verification or "")
        assert view is not None
        code = services.verifications.code_for(view.verification).reveal()
        result = services.verifications.check(started.verification or "", code)
        assert result.outcome is CheckOutcome.APPROVED
        commands_for_known = commands(client, services, "+14155550123", "again")
        assert commands_for_known == commands(client, services, "+14155550124", "unknown")


def _calls(client: redis.Redis) -> Counter[str]:
    stats = client.info("commandstats")
    own = {"cmdstat_info", "cmdstat_config|resetstat"}
    return Counter({name: counts["calls"] for name, counts in stats.items() if name not in own})


#: One number of New York as people type it.
TYPED = (
    "+12125550137",
    " +1 (212) 555-0137 ",
    "0012125550137",
    "011 1 212 555 0137",
    "+1.212.555.0137",
    "\uff0b\uff11\uff12\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff13\uff17",
    "(212) 555-0137",
    "1 212 555 0137",
)


def test_property_18_budgets_count_the_number_and_not_the_text(at: World) -> None:
    outcomes = [at.start(typed, region="US").outcome for typed in TYPED]
    # 00 is no way to dial abroad from the US: what cannot be read is refused, and counts nothing.
    sends = [outcome for outcome in outcomes if outcome is not SendOutcome.NUMBER_REFUSED]
    assert len(sends) >= 7
    assert sends == [SendOutcome.SENT] * 5 + [SendOutcome.OVER_BUDGET] * (len(sends) - 5)


@pytest.mark.parametrize(
    "typed",
    [
        "+1 876 210 1234",  # Jamaica, in the North American plan
        "+18762101234",
        "\uff0b\uff11 876 210 1234",
        "1 (876) 210-1234",
        "876-210-1234",
        "+49 170 1234567",
        "+49 (0)170 1234567",
        "0049 170 1234567",
        "011 49 170 1234567",
    ],
)
def test_property_18_the_country_is_that_of_the_number(
    tmp_path: Path, redis_url: str, client: redis.Redis, typed: str
) -> None:
    with world(tmp_path, redis_url, FrozenClock(), countries=("US",)) as at:
        result = at.start(typed, region="US")
        assert result.outcome is SendOutcome.NUMBER_REFUSED
        assert result.cause
        assert not list(client.scan_iter("*sends*"))


def test_property_18_neighbours_share_a_prefix_however_they_are_typed(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    with world(tmp_path, redis_url, FrozenClock(), sends_per_prefix_per_hour=3) as at:
        for typed in ("+12125550131", "(212) 555-0132", "1.212.555.0133"):
            assert at.start(typed, region="US").outcome is SendOutcome.SENT
        over = at.start("\uff0b12125550134", region="US")
        assert over.outcome is SendOutcome.OVER_BUDGET
        assert "Neighbouring numbers" in over.cause


class Remembers(SendsNothing):
    """Accepts every send, and keeps its requests."""

    def __init__(self) -> None:
        self.requests: list[AttemptRequest] = []

    def send(self, request: AttemptRequest) -> str:
        self.requests.append(request)
        return "taken"


#: One of each kind.
SUFFIXES = sorted({ending.kind: ending.suffix for ending in ENDINGS}.values())


@pytest.mark.parametrize("ending", SUFFIXES)
def test_property_21_live_an_ending_of_the_sandbox_is_no_test_number(
    tmp_path: Path, redis_url: str, client: redis.Redis, ending: str
) -> None:
    """Its sends go to Plivo, with a code of their own that nothing but that verification takes."""
    number = f"+1415555{ending}"
    if not phonenumbers.is_valid_number(phonenumbers.parse(number)):
        pytest.skip("no valid number ends so")
    provider = Remembers()
    with live(tmp_path, redis_url, provider=provider) as services:
        for n in range(2):
            started = services.verifications.start(
                number, Way.SMS, grant=OPERATOR, idempotency_key=f"{n}"
            )
            assert started.outcome is SendOutcome.SENT
        first, second = provider.requests
        assert (first.to.e164, second.to.e164) == (number, number)
        first_code, second_code = first.code.reveal(), second.code.reveal()
        assert first_code != second_code
        wrong = services.verifications.check(started.verification or "", first_code)
        assert wrong.outcome is CheckOutcome.WRONG_CODE
        right = services.verifications.check(started.verification or "", second_code)
        assert right.outcome is CheckOutcome.APPROVED


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({}, PlivoMode.SANDBOX),
        (CREDENTIALS | NEEDED, PlivoMode.LIVE),
        (CREDENTIALS | NEEDED | {"plivo_mode": "live"}, PlivoMode.LIVE),
        (CREDENTIALS | NEEDED | {"plivo_mode": "sandbox"}, PlivoMode.SANDBOX),
        (CREDENTIALS | NEEDED | {"sandbox_budgets": "warn"}, PlivoMode.LIVE),
    ],
)
def test_property_21_no_setting_of_the_sandbox_reaches_live(
    options: dict[str, Any], mode: PlivoMode
) -> None:
    settings = Settings(**options)
    assert settings.mode is mode
    if mode is PlivoMode.LIVE:
        assert settings.enforces_budgets
        assert settings.auth_id != SANDBOX_AUTH_ID
        assert settings.sender == NEEDED["plivo_number"]
        assert settings.effective_phlo_id is None
    else:
        assert settings.sender in {SANDBOX_NUMBER, NEEDED["plivo_number"]}


@pytest.mark.parametrize("missing", [*CREDENTIALS, *NEEDED])
def test_property_21_live_takes_nothing_of_the_sandbox_in_place_of_a_setting(missing: str) -> None:
    options = {name: text for name, text in (CREDENTIALS | NEEDED).items() if name != missing}
    with pytest.raises(ValueError, match=missing.upper()):
        Settings(**options, plivo_mode="live")


def test_property_21_live_refuses_the_address_of_a_sandbox() -> None:
    with pytest.raises(ValueError, match="SANDBOX_URL must not be set when live"):
        Settings(**CREDENTIALS, **NEEDED, sandbox_url="http://127.0.0.1:8510")


def test_property_21_live_serves_no_sandbox(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    with live(tmp_path, redis_url) as services:
        web = Web(lambda: services, lambda of: pytest.fail("a sandbox was made"))
        with served(Starlette(routes=web.routes)) as address:
            for method, path in (
                ("GET", "/sandbox/handset/14155550123"),
                ("DELETE", "/sandbox/handset"),
                ("DELETE", "/sandbox/state"),
                ("POST", f"/sandbox/v1/Account/{SANDBOX_AUTH_ID}/Message/"),
            ):
                answer = httpx.request(method, address + path, timeout=PATIENCE_SECONDS)
                assert answer.status_code == 404, path
