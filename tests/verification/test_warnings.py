"""What budgets do in the sandbox: they warn unless SANDBOX_BUDGETS=enforce; live, they refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome, SendOutcome
from core.model.way import Way
from core.plivo.request import AttemptRequest
from core.services import Services
from core.settings.settings import Settings
from core.verification.sending import Provider
from core.verification.timeline import attempt_timeline, timeline
from core.wiring import build
from core.wording.verification import budget_warning
from tests.world import PATIENCE_SECONDS, FrozenClock, World, until, world

NEIGHBOURS = "Live, this would be refused: neighbouring numbers, 30 an hour; free again in 52 min."


@pytest.fixture
def warns(tmp_path: Path, redis_url: str, client: redis.Redis) -> Iterator[World]:
    """A sandbox with default settings."""
    with world(tmp_path, redis_url, FrozenClock(), sandbox_budgets="warn") as made:
        yield made


class SendsNothing:
    """A provider that takes everything, for worlds that must not reach Plivo."""

    def obstacle(self, way: Way) -> tuple[str, str] | None:
        return None

    def calls_back(self, way: Way) -> bool:
        return True

    def send(self, request: AttemptRequest) -> str:
        return "taken"


@contextmanager
def live(
    tmp_path: Path, redis_url: str, *, provider: Provider | None = None, **more: Any
) -> Iterator[Services]:
    """Services in live mode, on a clock that stands still."""
    settings = Settings(
        data_dir=tmp_path,
        redis_url=redis_url,
        plivo_auth_id="MA" + "X" * 18,
        plivo_auth_token="not a token of Plivo",
        plivo_number="+14155550100",
        secret_key="k" * 32,
        **more,
    )
    services = build(settings, FrozenClock(), provider=provider or SendsNothing())
    yield services
    services.close()


def rest(at: World) -> httpx.Client:
    token = at.services.tokens.sandbox_token
    return httpx.Client(
        base_url=f"{at.address}/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_SECONDS,
    )


def warnings(at: World, verification: str | None) -> list[str]:
    view = at.look(verification or "")
    return [budget_warning(over, view.now) for over in view.over_budgets]


def test_by_default_the_sandbox_warns() -> None:
    assert not Settings().enforces_budgets
    assert Settings(sandbox_budgets="enforce").enforces_budgets


def test_the_31st_send_to_neighbouring_numbers_goes_out_with_a_warning(warns: World) -> None:
    base = warns.number("0000")[:-4]
    for n in range(30):
        result = warns.start(f"{base}{5000 + n}")
        assert result.outcome is SendOutcome.SENT
        assert warnings(warns, result.verification) == []
        warns.clock.advance(17 if n < 29 else 0)
    with rest(warns) as api:
        answer = api.post("/verifications", json={"number": f"{base}5999"})
        assert answer.status_code == 201
        assert answer.json()["send"]["outcome"] == "sent"
        assert answer.json()["warnings"] == [NEIGHBOURS]
        made = answer.json()["verification"]
        assert made["warnings"] == [NEIGHBOURS]
        steps = {step["label"]: step["note"] for step in made["timeline"]}
        assert steps["Requested"] == "live, refused: neighbouring numbers, 30 an hour"
    # It did go out, it is kept, and the wait that it names gets shorter and ends.
    assert warns.code(made["id"]) in warns.message(f"{base}5999")
    (attempt,) = warns.look(made["id"]).attempts
    assert attempt_timeline(attempt)[0].steps[0].note == steps["Requested"]
    warns.clock.advance(timedelta(minutes=50))
    assert warnings(warns, made["id"]) == [NEIGHBOURS.replace("52 min", "107 s")]
    warns.clock.advance(timedelta(minutes=2))
    assert warnings(warns, made["id"]) == [NEIGHBOURS.partition(";")[0] + "."]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sends_per_10_minutes": 1}, "this number, 1 in 10 minutes; free again in 10 min"),
        ({"sends_per_day": 1}, "this number, 1 a day; free again in 24 h"),
        ({"sends_per_prefix_per_hour": 1}, "neighbouring numbers, 1 an hour"),
        ({"sends_per_address_per_hour": 1}, "your address, 1 an hour"),
        ({"sends_per_country_per_hour": 1}, "this country, 1 an hour"),
        ({"spend_per_day": 0.05}, "spending, 0.05 US dollars a day"),
    ],
)
def test_each_budget_warns_by_its_name_where_live_would_refuse(
    tmp_path: Path, redis_url: str, client: redis.Redis, change: dict[str, Any], words: str
) -> None:
    with (
        world(tmp_path, redis_url, FrozenClock(), sandbox_budgets="warn", **change) as warns,
        live(tmp_path, redis_url, **change) as real,
    ):
        number = warns.number()
        first, second = (warns.start(number, address="192.0.2.7") for _ in range(2))
        assert (first.outcome, second.outcome) == (SendOutcome.SENT, SendOutcome.SENT)
        assert warnings(warns, first.verification) == []
        (warning,) = warnings(warns, second.verification)
        assert warning.startswith(f"Live, this would be refused: {words}")
        # A resend meets the same budgets, and its cooldown as ever.
        early = warns.services.verifications.resend(
            second.verification or "", grant=OPERATOR, seen=1
        )
        assert early.outcome is SendOutcome.TOO_SOON
        warns.clock.advance(30)
        again = warns.services.verifications.resend(
            second.verification or "", grant=OPERATOR, seen=1, address="192.0.2.7"
        )
        assert again.outcome is SendOutcome.SENT
        assert len(warnings(warns, second.verification)) == 1
        outcomes = [
            real.verifications.start(
                "+14155550123",
                Way.SMS,
                grant=OPERATOR,
                idempotency_key=f"{n}",
                address="192.0.2.7",
            ).outcome
            for n in range(2)
        ]
        assert outcomes == [SendOutcome.SENT, SendOutcome.OVER_BUDGET]


def test_wrong_codes_beyond_the_budget_warn_and_do_not_lock_the_number(warns: World) -> None:
    number = warns.number()
    for _ in range(2):
        verification = warns.started(number)
        for _ in range(5):
            warns.services.verifications.check(verification, warns.wrong_code(verification))
    verification = warns.started(number)
    warns.services.verifications.check(verification, warns.wrong_code(verification))
    with rest(warns) as api:
        wrong = {"code": warns.wrong_code(verification)}
        answer = api.post(f"/verifications/{verification}/checks", json=wrong).json()
        assert answer["outcome"] == "wrong_code"
        assert answer["checks_left"] == 3
        (warning,) = answer["warnings"]
        assert warning.startswith("Live, this would be refused: wrong codes from your address, 10")
        right = {"code": warns.code(verification)}
        answer = api.post(f"/verifications/{verification}/checks", json=right).json()
        assert answer["outcome"] == "approved"
        assert len(answer["warnings"]) == 1
    view = warns.look(verification)
    assert len(warnings(warns, verification)) == 1
    (verified,) = [step for step in timeline(view)[-1].steps if step.note]
    # The clock stands still: the first check, which was wrong, is at the moment of the last.
    assert (verified.label, verified.note) == (
        "Verified",
        "live, refused: wrong codes from your address, 10 an hour",
    )


def test_the_checks_of_one_verification_stay_real(warns: World) -> None:
    verification = warns.started(warns.number())
    for _ in range(5):
        warns.services.verifications.check(verification, warns.wrong_code(verification))
    result = warns.services.verifications.check(verification, warns.code(verification))
    assert result.outcome is CheckOutcome.LOCKED


@pytest.mark.parametrize("setting", ["warn", "enforce"])
def test_one_ending_is_always_refused_by_a_budget(
    tmp_path: Path, redis_url: str, client: redis.Redis, setting: str
) -> None:
    with world(tmp_path, redis_url, FrozenClock(), sandbox_budgets=setting) as at, rest(at) as api:
        number = at.number("0600")
        for channel in ("sms", "voice", "phlo"):
            answer = api.post("/verifications", json={"number": number, "channel": channel})
            assert (answer.status_code, answer.json()["code"]) == (429, "over_budget")
            assert answer.json()["cause"].startswith("This number was sent its share")
            assert answer.headers["retry-after"] == "600"
        seed = at.http.get(f"/verify/{number}")
        assert (seed.status_code, seed.headers["retry-after"]) == (400, "600")
        assert at.services.ledger.counters()["refused_sends_per_10_minutes"] == 4
        shown = at.handset(number)
        assert (shown["messages"], shown["calls"]) == ([], [])


def test_live_that_ending_is_a_number_like_any_other(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    with live(tmp_path, redis_url) as real:
        result = real.verifications.start(
            "+14155550600", Way.SMS, grant=OPERATOR, idempotency_key="one"
        )
        assert result.outcome is SendOutcome.SENT


@pytest.mark.parametrize("setting", ["warn", "enforce"])
def test_live_the_setting_changes_nothing(
    tmp_path: Path, redis_url: str, client: redis.Redis, setting: str
) -> None:
    with live(tmp_path, redis_url, sandbox_budgets=setting) as real:
        outcomes = [
            real.verifications.start(
                "+14155550123", Way.SMS, grant=OPERATOR, idempotency_key=f"{n}"
            ).outcome
            for n in range(6)
        ]
        assert outcomes == [SendOutcome.SENT] * 5 + [SendOutcome.OVER_BUDGET]


def test_a_refusal_by_plivo_gives_back_what_a_warned_send_took(warns: World) -> None:
    number = warns.number("0402")
    for _ in range(11):
        assert warns.start(number).outcome is SendOutcome.REJECTED
    view = warns.look(warns.start(number).verification or "")
    assert [over.budget for over in view.over_budgets] == ["refused_sends_per_hour"]
    until(lambda: warns.look(view.verification.id).attempts[0].state.is_final)
