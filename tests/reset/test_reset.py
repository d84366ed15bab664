"""A reset of the sandbox: what it removes, what it keeps, and that live mode refuses it."""

import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import redis
from starlette.applications import Starlette

from core.access.tokens import Scope
from core.figures.ranges import Range
from core.lab.sandbox_client import SandboxClient
from core.model.errors import ResetRefused
from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome, SendOutcome
from core.reset.kinds import FAMILIES, WITHOUT_NAME, ResetKind, read_kinds
from core.reset.reset import SandboxReset
from core.store import keys as store_keys
from core.store.keys import ROLLUP_LAYOUT, Keys
from core.web.sandbox_state import routes
from tests.world import World, served, until


def reset(at: World, *what: str) -> httpx.Response:
    return at.http.delete("/sandbox/state", params=[("what", kind) for kind in what])


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


def families_kept_by(kind: ResetKind) -> set[str]:
    return {family for family, removed_by in FAMILIES.items() if removed_by is not kind}


def test_the_table_lists_exactly_the_families_of_keys() -> None:
    named = set(re.findall(r"\{sandbox\}:v1:(\w+)", store_keys.__doc__ or ""))
    assert named == set(FAMILIES)


def test_a_reset_of_budgets_keeps_everything_else(at: World, client: redis.Redis) -> None:
    number = at.number()
    for _ in range(5):
        verification = delivered(at, number)
    assert at.start(number).outcome is SendOutcome.OVER_BUDGET
    at.services.verifications.check(verification, at.wrong_code(verification))
    answer = reset(at, "budgets")
    assert (answer.status_code, set(answer.json()["removed"])) == (200, {"budgets"})
    assert answer.json()["removed"]["budgets"] >= 5
    assert families(client) <= families_kept_by(ResetKind.BUDGETS)
    assert at.look(verification).verification.checks_left == 4
    assert at.start(number).outcome is SendOutcome.SENT
    assert len(at.handset(number)["messages"]) >= 5


def test_a_reset_of_handsets_keeps_everything_else(at: World) -> None:
    number, other = at.number(), at.number()
    verification = delivered(at, number)
    at.http.put(f"/sandbox/handset/{other}/auto-answer", json={"on": True})
    delivered(at, other)
    assert reset(at, "handsets").status_code == 200
    for handset in (at.handset(number), at.handset(other)):
        assert (handset["messages"], handset["calls"]) == ([], [])
        assert handset["auto_answer"]["on"] is False
    assert at.look(verification).attempts
    # Later messages are shown again.
    delivered(at, number)
    assert len(at.handset(number)["messages"]) == 1


def test_a_reset_of_one_number_keeps_what_others_use(at: World) -> None:
    number, other = at.number(), at.number()
    for each in (number, other):
        for _ in range(5):
            verification = delivered(at, each)
            at.services.verifications.check(verification, at.wrong_code(verification))
        assert at.start(each).outcome is SendOutcome.OVER_BUDGET
        if each == number:
            own = at.look(verification).verification
    at.services.reset.run_for([own])
    assert at.handset(number)["messages"] == []
    assert len(at.handset(other)["messages"]) == 5
    assert at.start(number).outcome is SendOutcome.SENT
    assert at.start(other).outcome is SendOutcome.OVER_BUDGET


def test_attempts_and_figures_are_removed_and_the_process_shows_it_at_once(
    at: World, client: redis.Redis
) -> None:
    verification = delivered(at, at.number())
    at.services.verifications.check(verification, at.code(verification))
    at.services.fold.settle()
    span = today(at)
    assert at.services.queries.totals(span)["requested"] == 1
    token = at.services.tokens.make("kept", frozenset({Scope.VERIFY}))
    assert reset(at, "attempts").status_code == 200
    assert at.services.queries.totals(span)["requested"] == 0
    assert at.services.ledger.recent() == []
    assert at.services.verifications.look(verification) is None
    result = at.services.verifications.check(verification, "123456")
    assert result.outcome is CheckOutcome.NOT_FOUND
    assert families(client) <= families_kept_by(ResetKind.ATTEMPTS)
    assert at.services.tokens.recognise(token) is not None
    # The logs of the simulated Plivo are empty too: log sync would bring the attempts back.
    at.services.log_sync.run()
    assert at.services.ledger.counters().get("foreign", 0) == 0


def test_sample_traffic_is_removed_and_own_attempts_are_counted_as_before(
    at: World, client: redis.Redis
) -> None:
    verification = delivered(at, at.number())
    at.services.verifications.check(verification, at.code(verification))
    delivered(at, at.number("0030"))
    at.start(at.number("0402"))
    at.services.fold.settle()
    span = today(at)
    at.services.queries.forget()
    totals = at.services.queries.totals(span)
    errors = at.services.queries.errors(span)
    listed = at.services.ledger.recent()
    events = at.services.ledger.events(f"{verification}-1")
    attempt = at.services.ledger.attempt(f"{verification}-1")
    at.services.sample.load(days=3, per_day=50)
    at.services.queries.forget()
    assert at.services.queries.totals(span)["requested"] > totals["requested"]
    answer = reset(at, "sample")
    assert answer.json()["removed"]["sample"] > 50
    assert not at.services.queries.is_simulated()
    assert at.services.queries.totals(span).to_dict() == totals.to_dict()
    assert at.services.queries.errors(span).equals(errors)
    assert at.services.ledger.recent() == listed
    assert at.services.ledger.events(f"{verification}-1") == events
    assert at.services.ledger.attempt(f"{verification}-1") == attempt
    assert at.services.ledger.attempts_of_number(at.look(verification).verification.number_index)
    for key in client.scan_iter():
        assert client.pttl(key) > 0, key
    # A second reset removes nothing.
    assert reset(at, "sample").json()["removed"]["sample"] == 0


def test_a_whole_reset_keeps_permissions_and_test_sessions(at: World, client: redis.Redis) -> None:
    session = at.services.test_sessions.start("Release", "Ada", "1")
    number = at.number()
    delivered(at, number)
    at.services.sample.load(days=2, per_day=20)
    at.services.tokens.make("kept", frozenset({Scope.VERIFY}))
    answer = reset(at)
    assert set(answer.json()["removed"]) == WITHOUT_NAME
    kept = {family for family, kind in FAMILIES.items() if kind not in WITHOUT_NAME}
    assert families(client) <= kept
    assert at.services.test_sessions.find(session.id) == session
    assert at.handset(number)["messages"] == []


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ([], set(WITHOUT_NAME)),
        (["budgets"], {ResetKind.BUDGETS}),
        (["budgets, sample"], {ResetKind.BUDGETS, ResetKind.SAMPLE}),
        (["budgets", "handsets,attempts"], set(WITHOUT_NAME) - {ResetKind.SAMPLE}),
        (["test_sessions"], {ResetKind.TEST_SESSIONS}),
    ],
)
def test_kinds_can_be_repeated_or_separated_by_commas(
    what: list[str], kinds: set[ResetKind]
) -> None:
    assert read_kinds(what) == kinds


@pytest.mark.parametrize("what", ["live", "budgets,all", "*", "Budgets", "", " , "])
def test_an_unknown_or_empty_kind_is_refused_with_the_allowed_kinds(
    at: World, client: redis.Redis, what: str
) -> None:
    at.start(at.number())
    before = families(client)
    answer = reset(at, what)
    assert (answer.status_code, answer.json()["allowed"]) == (422, list(ResetKind))
    assert "budgets, handsets, attempts, sample" in answer.json()["remedy"]
    assert families(client) >= before


def test_a_misspelled_parameter_resets_nothing_and_a_final_slash_is_accepted(
    at: World, client: redis.Redis
) -> None:
    at.start(at.number())
    before = families(client)
    answer = at.http.delete("/sandbox/state/", params={"wath": "budgets"})
    assert (answer.status_code, answer.json()["remedy"]) == (422, "Nothing was reset.")
    assert families(client) >= before
    answer = at.http.delete("/sandbox/state/", params={"what": "budgets"})
    assert list(answer.json()["removed"]) == ["budgets"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS"])
def test_other_methods_are_refused_and_no_other_origin_is_allowed(at: World, method: str) -> None:
    answer = at.http.request(method, "/sandbox/state", headers={"Origin": "https://other.example"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE")
    assert "access-control-allow-origin" not in answer.headers


def test_from_elsewhere_a_reset_needs_credentials_where_access_is_open_too(
    at: World, client: redis.Redis
) -> None:
    """Through a tunnel, or from a page of another site whose name leads to this machine."""
    at.start(at.number())
    tunnel = {"Host": "abc.ngrok.example"}
    answer = at.http.delete("/sandbox/state", headers=tunnel)
    assert (answer.status_code, "operator" in answer.json()["cause"]) == (401, True)
    assert "sends" in families(client)
    account = (at.services.settings.auth_id, at.services.auth_token)
    answer = at.http.delete(
        "/sandbox/state", params={"what": "budgets"}, headers=tunnel, auth=account
    )
    assert answer.status_code == 200
    assert "sends" not in families(client)


def test_live_keys_are_never_removed(at: World, client: redis.Redis) -> None:
    """Both environments share a Redis: a reset of the sandbox keeps live keys, and a reset in live
    mode removes nothing."""
    live = Keys("live")
    for key in (live.verification("a" * 24), live.sends("number", "x"), live.sample):
        client.set(key, "live", px=60_000)
    at.start(at.number())
    assert reset(at).status_code == 200
    assert families(client, "live") == {"verification", "sends", ROLLUP_LAYOUT}
    at.start(at.number())
    before = {key for key in client.scan_iter() if ":counters:" not in key}
    live_reset = SandboxReset(
        at.services.client,
        live,
        lambda: 0,
        lambda: None,
        lambda: None,
        SandboxClient(at.address),
        lambda: None,
    )
    for kind in ResetKind:
        with pytest.raises(ResetRefused, match="live environment"):
            live_reset.run(frozenset({kind}))
    assert before <= set(client.scan_iter())


def test_live_mode_has_no_route_to_reset(at: World) -> None:
    settings = at.services.settings.model_copy(
        update={"plivo_auth_id": "MATESTTESTTESTTESTTE", "plivo_mode": "live"}
    )
    app = Starlette(routes=routes(lambda: replace(at.services, settings=settings)))
    with served(app) as address:
        answer = httpx.delete(f"{address}/sandbox/state")
    assert (answer.status_code, "no sandbox" in answer.json()["cause"]) == (404, True)


def test_a_reset_removes_nothing_if_the_sandbox_does_not_answer(
    at: World, client: redis.Redis
) -> None:
    at.start(at.number())
    unreachable = SandboxReset(
        at.services.client,
        at.services.keys,
        lambda: 0,
        lambda: None,
        lambda: None,
        SandboxClient("http://127.0.0.1:9"),
        lambda: None,
    )
    with pytest.raises(ResetRefused, match="did not answer"):
        unreachable.run(frozenset(ResetKind))
    assert "sends" in families(client)
    unreachable.run(frozenset({ResetKind.BUDGETS}))
    assert "sends" not in families(client)


def test_running_verifications_continue_or_end_without_errors(
    at: World, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Sends, checks and reads while the sandbox is reset several times."""
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
            assert reset(at, *filter(None, [what])).status_code == 200
            threading.Event().wait(0.1)
        stop.set()
        for future in visits:
            future.result()
    assert not [r for r in caplog.records if r.levelname == "ERROR" or r.exc_info], caplog.text
    assert reset(at).status_code == 200
    verification = delivered(at, at.number())
    code = at.code(verification)
    result = at.services.verifications.check(verification, code)
    assert result.outcome is CheckOutcome.APPROVED
    for key in client.scan_iter():
        assert client.pttl(key) != -1, key


def test_a_reset_removes_100_000_keys(at: World, client: redis.Redis) -> None:
    """The duration is printed, not asserted."""
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
