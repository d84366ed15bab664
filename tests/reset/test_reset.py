"""Resetting the sandbox: what goes, what stays, and that nothing live can be reset."""

import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import redis
from starlette.applications import Starlette

from core.access.invites import COOKIE as INVITE_COOKIE
from core.access.password import COOKIE, hash_of
from core.access.tokens import Scope
from core.figures.ranges import Range
from core.model.attempt import Channel
from core.model.errors import ResetRefused
from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome, SendOutcome
from core.reset.kinds import FAMILIES, ResetKind, read_kinds
from core.reset.reset import SandboxReset
from core.services import build
from core.settings.settings import Settings, VerifyAccess
from core.store import keys as store_keys
from core.store.keys import Keys
from core.web.sandbox_state import routes
from tests.world import World, served, until

PROJECT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"


def reset(at: World, *what: str) -> httpx.Response:
    return at.http.delete("/sandbox/state", params=[("what", one) for one in what])


def delivered(at: World, number: str) -> str:
    verification = at.started(number)
    until(lambda: at.look(verification).attempts[0].state.is_final)
    return verification


def today(at: World) -> Range:
    now = at.clock.now()
    return Range(now - timedelta(hours=24), now + timedelta(minutes=1))


def families(client: redis.Redis, environment: str = "sandbox") -> set[str]:
    keys = client.scan_iter(f"{{{environment}}}:*")
    return {key.split(":")[2] for key in keys}


def kept(kind: ResetKind) -> set[str]:
    return {family for family, of in FAMILIES.items() if of is not kind}


def test_every_family_of_keys_is_in_the_table_and_nothing_else_is() -> None:
    named = set(re.findall(r"\{sandbox\}:v1:(\w+)", store_keys.__doc__ or ""))
    assert named == set(FAMILIES)


def test_budgets_go_and_the_rest_stays(at: World, client: redis.Redis) -> None:
    number = at.number()
    for _ in range(5):
        verification = delivered(at, number)
    assert at.start(number).outcome is SendOutcome.OVER_BUDGET
    at.services.verifications.check(verification, at.wrong_code(verification))
    answer = reset(at, "budgets")
    assert (answer.status_code, set(answer.json()["removed"])) == (200, {"budgets"})
    assert answer.json()["removed"]["budgets"] >= 5
    assert families(client) <= kept(ResetKind.BUDGETS)
    assert at.look(verification).verification.checks_left == 4
    assert at.start(number).outcome is SendOutcome.SENT
    assert len(at.handset(number)["messages"]) >= 5


def test_handsets_go_and_the_rest_stays(at: World) -> None:
    number, other = at.number(), at.number()
    verification = delivered(at, number)
    at.http.put(f"/sandbox/handset/{other}/auto-answer", json={"on": True})
    delivered(at, other)
    assert reset(at, "handsets").status_code == 200
    for one in (number, other):
        shown = at.handset(one)
        assert (shown["messages"], shown["calls"]) == ([], [])
        assert shown["auto_answer"]["on"] is False
    assert at.look(verification).attempts
    # What comes next is shown again.
    delivered(at, number)
    assert len(at.handset(number)["messages"]) == 1


def test_attempts_and_figures_go_and_the_process_shows_it_at_once(
    at: World, client: redis.Redis
) -> None:
    verification = delivered(at, at.number())
    at.services.verifications.check(verification, at.code(verification))
    at.services.booker.book()
    span = today(at)
    assert at.services.queries.totals(span)["requested"] == 1
    token = at.services.tokens.make("kept", frozenset({Scope.VERIFY}))
    assert reset(at, "attempts").status_code == 200
    assert at.services.queries.totals(span)["requested"] == 0
    assert at.services.ledger.recent() == []
    assert at.services.verifications.look(verification) is None
    result = at.services.verifications.check(verification, "123456")
    assert result.outcome is CheckOutcome.NOT_FOUND
    assert families(client) <= kept(ResetKind.ATTEMPTS)
    assert at.services.tokens.recognise(token) is not None
    # The simulated Plivo has forgotten them too: its log would bring them back.
    at.services.logs.run()
    assert at.services.ledger.counters().get("foreign", 0) == 0


def test_sample_traffic_goes_and_attempts_of_ones_own_are_counted_as_before(
    at: World, client: redis.Redis
) -> None:
    verification = delivered(at, at.number())
    at.services.verifications.check(verification, at.code(verification))
    delivered(at, at.number("0030"))
    at.start(at.number("0402"))
    at.services.booker.book()
    span = today(at)
    at.services.queries.forget()
    totals = at.services.queries.totals(span)
    errors = at.services.queries.errors(span)
    listed = at.services.ledger.recent()
    heard = at.services.ledger.heard(f"{verification}-1")
    attempt = at.services.ledger.attempt(f"{verification}-1")
    at.services.sample.load(days=1, per_day=50)
    at.services.queries.forget()
    assert at.services.queries.totals(span)["requested"] > totals["requested"]
    answer = reset(at, "sample")
    assert answer.json()["removed"]["sample"] > 50
    assert not at.services.queries.is_simulated()
    assert at.services.queries.totals(span).to_dict() == totals.to_dict()
    assert at.services.queries.errors(span).equals(errors)
    assert at.services.ledger.recent() == listed
    assert at.services.ledger.heard(f"{verification}-1") == heard
    assert at.services.ledger.attempt(f"{verification}-1") == attempt
    assert at.services.ledger.attempts_of_number(at.look(verification).verification.number_index)
    for key in client.scan_iter():
        assert client.pttl(key) > 0, key
    # A second time there is nothing to remove.
    assert reset(at, "sample").json()["removed"]["sample"] == 0


def test_a_whole_reset_leaves_what_says_who_may_do_what(at: World, client: redis.Redis) -> None:
    number = at.number()
    delivered(at, number)
    at.services.sample.load(days=1, per_day=20)
    at.services.tokens.make("kept", frozenset({Scope.VERIFY}))
    answer = reset(at)
    assert set(answer.json()["removed"]) == set(ResetKind)
    assert families(client) <= {family for family, kind in FAMILIES.items() if kind is None}
    assert at.handset(number)["messages"] == []


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ([], set(ResetKind)),
        ([""], set(ResetKind)),
        (["budgets"], {ResetKind.BUDGETS}),
        (["budgets, sample"], {ResetKind.BUDGETS, ResetKind.SAMPLE}),
        (["budgets", "handsets,attempts"], set(ResetKind) - {ResetKind.SAMPLE}),
    ],
)
def test_kinds_are_repeated_or_separated_by_commas(what: list[str], kinds: set[ResetKind]) -> None:
    assert read_kinds(what) == kinds


@pytest.mark.parametrize("what", ["live", "budgets,all", "*", "Budgets"])
def test_an_unknown_kind_is_refused_with_those_there_are(
    at: World, client: redis.Redis, what: str
) -> None:
    at.start(at.number())
    before = families(client)
    answer = reset(at, what)
    assert (answer.status_code, answer.json()["allowed"]) == (422, list(ResetKind))
    assert "budgets, handsets, attempts, sample" in answer.json()["remedy"]
    assert families(client) >= before


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS"])
def test_no_other_method_resets_and_no_other_origin_is_let_in(at: World, method: str) -> None:
    answer = at.http.request(method, "/sandbox/state", headers={"Origin": "https://other.example"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE")
    assert "access-control-allow-origin" not in answer.headers


def test_nothing_live_can_be_reset(at: World, client: redis.Redis) -> None:
    """Both environments in one Redis: a reset of the sandbox leaves live as it is, and the same
    call in live mode removes nothing at all."""
    live = Keys("live")
    for key in (live.verification("a" * 24), live.sends("number", "x"), live.simulated):
        client.set(key, "live", px=60_000)
    at.start(at.number())
    assert reset(at).status_code == 200
    assert families(client, "live") == {"verification", "sends", "simulated"}
    at.start(at.number())
    before = {key for key in client.scan_iter() if ":counters:" not in key}
    of_live = SandboxReset(
        at.services.client, live, at.services.ledger, lambda: at.address, lambda: None
    )
    for kind in ResetKind:
        with pytest.raises(ResetRefused, match="live environment"):
            of_live.run(frozenset({kind}))
    assert before <= set(client.scan_iter())


def test_live_the_route_is_not_there(at: World) -> None:
    settings = at.services.settings.model_copy(
        update={"plivo_auth_id": "MATESTTESTTESTTESTTE", "plivo_mode": "live"}
    )
    app = Starlette(routes=routes(lambda: replace(at.services, settings=settings)))
    with served(app) as address:
        answer = httpx.delete(f"{address}/sandbox/state")
    assert (answer.status_code, "no sandbox" in answer.json()["cause"]) == (404, True)


@pytest.mark.parametrize("access", [VerifyAccess.PASSWORD, VerifyAccess.INVITE])
def test_where_access_is_not_open_a_reset_needs_the_operator_or_an_admin_token(
    at: World, client: redis.Redis, access: VerifyAccess, tmp_path: Path
) -> None:
    services = build(
        Settings(
            redis_url=at.services.settings.redis_url,
            data_dir=tmp_path,
            verify_access=access,
            admin_password_hash=hash_of(PASSWORD),
        )
    )
    try:
        with (
            served(Starlette(routes=routes(lambda: services))) as address,
            httpx.Client(base_url=address) as http,
        ):
            at.start(at.number())
            invite = services.invites.make(
                "A guest", sends=5, ends_at=services.clock.now() + timedelta(days=1), countries=[]
            )
            invite_cookie = {INVITE_COOKIE: services.invites.token(invite)}
            reader = services.tokens.make("reader", frozenset({Scope.READ, Scope.VERIFY}))
            for headers, cookies in (
                ({}, {}),
                ({}, invite_cookie),
                ({}, {COOKIE: "made-up"}),
                ({"Authorization": f"Bearer {reader}"}, {}),
                ({"Authorization": "Bearer made-up"}, {}),
            ):
                http.cookies.clear()
                http.cookies.update(cookies)
                answer = http.delete("/sandbox/state", params={"what": "budgets"}, headers=headers)
                assert (answer.status_code, "operator" in answer.json()["cause"]) == (401, True)
            assert "sends" in families(client)
            http.cookies.clear()
            admin = services.tokens.make("admin", frozenset({Scope.ADMIN}))
            for token in (admin, services.tokens.sandbox_token):
                answer = http.delete(
                    "/sandbox/state",
                    params={"what": "budgets"},
                    headers={"Authorization": f"Bearer {token}"},
                )
                assert answer.status_code == 200
            assert "sends" not in families(client)
            at.start(at.number())
            session = services.access.sign_in(PASSWORD, "192.0.2.1", None)
            http.cookies.update({COOKIE: session.cookie})
            answer = http.delete("/sandbox/state", params={"what": "budgets"})
            assert answer.status_code == 200
            assert "sends" not in families(client)
            done = command(
                *("--what", "budgets", "--address", address),
                DATA_DIR=str(tmp_path),
                VERIFY_ACCESS=access,
            )
            assert done.returncode == 0, done.stderr
    finally:
        services.close()


def test_a_sandbox_that_does_not_answer_leaves_everything(at: World, client: redis.Redis) -> None:
    at.start(at.number())
    away = SandboxReset(
        at.services.client,
        at.services.keys,
        at.services.ledger,
        lambda: "http://127.0.0.1:9",
        lambda: None,
    )
    with pytest.raises(ResetRefused, match="did not answer"):
        away.run(frozenset(ResetKind))
    assert "sends" in families(client)
    away.run(frozenset({ResetKind.BUDGETS}))
    assert "sends" not in families(client)


def test_verifications_under_way_go_on_or_end_but_break_nothing(
    at: World, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Sends, checks and looks while the sandbox is reset again and again."""
    stop = threading.Event()

    def visit(n: int) -> None:
        while not stop.is_set():
            result = at.start(at.number(("5555", "0030", "0402", "0705")[n % 4]))
            if result.verification is None:
                continue
            view = at.services.verifications.look(result.verification)
            at.services.verifications.check(result.verification, "000000")
            at.services.verifications.resend(result.verification, grant=OPERATOR, seen=1)
            at.services.verifications.cancel(result.verification)
            if view is not None:
                at.services.ledger.attempts(view.verification.attempt_ids)

    with ThreadPoolExecutor(4) as pool:
        visits = [pool.submit(visit, n) for n in range(4)]
        for what in ("attempts", "budgets", "handsets", "attempts,handsets", "sample", ""):
            assert reset(at, what).status_code == 200
            threading.Event().wait(0.1)
        stop.set()
        for done in visits:
            done.result()
    assert not [r for r in caplog.records if r.levelname == "ERROR" or r.exc_info], caplog.text
    assert reset(at).status_code == 200
    verification = delivered(at, at.number())
    code = at.code(verification)
    result = at.services.verifications.check(verification, code)
    assert result.outcome is CheckOutcome.APPROVED
    for key in client.scan_iter():
        assert client.pttl(key) != -1, key


def test_many_keys_go_in_a_moment(at: World, client: redis.Redis) -> None:
    """100,000 keys; how long it took is printed, and not asserted."""
    with client.pipeline(transaction=False) as pipe:
        for n in range(100_000):
            pipe.set(at.services.keys.sends("number", f"{n:032x}"), "1", px=600_000)
            if n % 10_000 == 0:
                pipe.execute()
        pipe.execute()
    began = time.monotonic()
    removed = reset(at).json()["removed"]["budgets"]
    sys.stdout.write(f"{removed:,} keys removed in {time.monotonic() - began:.2f} s\n")
    assert removed >= 100_000
    assert "sends" not in families(client)


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "core", "reset", *arguments],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PLIVO_MODE": "sandbox", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_resets_the_running_app(at: World) -> None:
    number = at.number()
    for _ in range(5):
        at.start(number, Channel.SMS)
    done = command("--what", "budgets", "--address", at.address)
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "budgets"), done.stderr
    assert at.start(number).outcome is SendOutcome.SENT
    wrong = command("--what", "everything", "--address", at.address)
    assert wrong.returncode == 1
    assert "budgets, handsets, attempts, sample" in wrong.stderr


def test_the_command_works_without_an_app_and_never_when_live(
    tmp_path: Path, redis_url: str, client: redis.Redis
) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "sandbox.sqlite3").write_bytes(b"")
    client.set(Keys("sandbox").sends("number", "x"), "1", px=60_000)
    places = {"REDIS_URL": redis_url, "DATA_DIR": str(tmp_path)}
    live = {
        "PLIVO_MODE": "live", "PLIVO_AUTH_ID": "MA" + "X" * 18, "PLIVO_AUTH_TOKEN": "none",
        "PLIVO_NUMBER": "+14155550100", "SECRET_KEY": "k" * 32,
    }  # fmt: skip
    refused = command("--address", "http://127.0.0.1:9", **places, **live)
    assert (refused.returncode, "live environment" in refused.stderr) == (1, True)
    assert families(client) == {"sends"}
    done = command("--address", "http://127.0.0.1:9", **places)
    assert done.returncode == 0, done.stderr
    assert families(client) <= {"probe"}
    assert not (folder / "sandbox.sqlite3").exists()
