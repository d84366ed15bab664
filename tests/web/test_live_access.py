"""What each kind of visitor gets at every route when live: without the password, with it, and with
an invite that is valid, used up, ended, revoked or forged.

The product is live, but its requests to Plivo go to a sandbox of the test.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core.access.invites import COOKIE as INVITE_COOKIE
from core.access.password import COOKIE
from core.access.tokens import Scope
from core.model.grant import OPERATOR
from core.model.verification import SendOutcome, Status
from core.model.way import Way
from core.plivo.sdk import SdkClient
from core.sandbox.app import Sandbox
from core.services import Services
from core.settings.choices import VerifyAccess
from core.settings.settings import Settings
from core.web.app import Web, _no_sandbox, standalone
from core.wiring import LOG_SYNC, build
from tests.world import PATIENCE_SECONDS, FrozenClock, MovableClock, quick_hash, served

AUTH_ID, AUTH_TOKEN = "MAXXXXXXXXXXXXXXXXXX", "0" * 40
PASSWORD = "correct horse battery staple"
VISITORS = ["visitor", "operator", "signed out", "valid", "used up", "ended", "revoked", "forged"]
INVITES = ["valid", "used up", "ended", "revoked"]
MAY_SEND = {
    VerifyAccess.PASSWORD: {"operator"},
    VerifyAccess.INVITE: {"operator", "valid"},
    VerifyAccess.OPEN: set(VISITORS),
}


@pytest.fixture(scope="module")
def plivo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    sandbox = Sandbox(
        data=tmp_path_factory.mktemp("plivo"), auth_id=AUTH_ID, auth_token=AUTH_TOKEN, speed=10,
        requests_per_5_seconds=100_000,
    )  # fmt: skip

    @asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        async with sandbox.running():
            yield

    with served(Starlette(routes=[Mount("/", app=sandbox.asgi)], lifespan=lifespan)) as address:
        yield address


@dataclass
class Live:
    """A live product, and the cookies of each kind of visitor."""

    services: Services
    http: httpx.Client
    clock: MovableClock
    cookies: dict[str, dict[str, str]]
    _next = 0

    def number(self) -> str:
        Live._next += 1
        return f"+1415556{Live._next:04}"

    def grant(self, visitor: str) -> Any:
        cookies = self.cookies[visitor]
        admitted = self.services.admission.admit(cookies.get(COOKIE), cookies.get(INVITE_COOKIE))
        return admitted.grant

    def get(self, path: str, visitor: str, **more: Any) -> httpx.Response:
        return self.http.get(path, headers=self.header(visitor), **more)

    def push(self, verification: str, visitor: str) -> tuple[int, bytes] | None:
        return self.socket(f"/live/{verification}", visitor)

    def socket(self, path: str, visitor: str) -> tuple[int, bytes] | None:
        """The refusal of a WebSocket, status and body; None where it opens."""
        address = str(self.http.base_url.join(path)).replace("http", "ws", 1)
        try:
            with connect(address, additional_headers=self.header(visitor)):
                return None
        except InvalidStatus as refusal:
            return refusal.response.status_code, bytes(refusal.response.body or b"")

    def header(self, visitor: str) -> dict[str, str]:
        cookies = self.cookies[visitor]
        return {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())} if cookies else {}

    def started(self, owner: str = "operator") -> str:
        """A verification that the operator (or the bearer of a valid invite) has started."""
        result = self.services.verifications.start(
            self.number(), Way.SMS, grant=self.grant(owner), idempotency_key=self.number()
        )
        assert result.verification is not None, result
        return result.verification


@pytest.fixture
def mode() -> VerifyAccess | None:
    return VerifyAccess.INVITE


@dataclass
class Product:
    services: Services
    http: httpx.Client
    clock: FrozenClock


Products = Callable[[VerifyAccess | None], Product]


@contextmanager
def _product(
    plivo: str, redis_url: str, data: Path, mode: VerifyAccess | None
) -> Iterator[Product]:
    settings = Settings(
        data_dir=data, redis_url=redis_url, plivo_auth_id=AUTH_ID, plivo_auth_token=AUTH_TOKEN,
        plivo_number="+14155550100", secret_key="k" * 40,
        admin_password_hash=quick_hash(PASSWORD),
        verify_access=mode, sends_per_prefix_per_hour=1000,
    )  # fmt: skip
    assert not settings.is_sandbox
    clock = FrozenClock()
    services = build(settings, clock)
    services.clients._new = partial(
        SdkClient, AUTH_ID, AUTH_TOKEN, settings.plivo_timeout, lambda: plivo
    )
    # As in tests/world.py: a scheduled reading of the logs would fall into any of the tests.
    background = tuple(entry for entry in services.background if entry.name != LOG_SYNC)
    services = replace(services, background=background)
    with (
        served(standalone(Web(lambda: services, _no_sandbox))) as address,
        httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as http,
    ):
        yield Product(services, http, clock)


@pytest.fixture(scope="module")
def products(
    plivo: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Products]:
    """Starts a product for each mode once; each test empties its Redis and sets its clock."""
    with ExitStack() as stack:

        @cache
        def started(mode: VerifyAccess | None) -> Product:
            data = tmp_path_factory.mktemp("live")
            return stack.enter_context(_product(plivo, redis_url, data, mode))

        yield started


@pytest.fixture
def live(products: Products, client: redis.Redis, mode: VerifyAccess | None) -> Live:
    product = products(mode)
    product.clock.restart()
    visitors = _visitors(product.services, product.clock)
    return Live(product.services, product.http, product.clock, visitors)


def _visitors(services: Services, clock: MovableClock) -> dict[str, dict[str, str]]:
    access, invites = services.access, services.invites
    operator, out = (access.sign_in(PASSWORD, "192.0.2.1").cookie for _ in range(2))
    access.sign_out(out)
    cookies = {"visitor": {}, "operator": {COOKIE: operator}, "signed out": {COOKIE: out}}
    hour, day = timedelta(hours=1), timedelta(days=1)
    created = {
        name: invites.make(
            name, sends=1 if name == "used up" else 9,
            ends_at=clock.now() + (hour if name == "ended" else day),
        )
        for name in INVITES
    }  # fmt: skip
    for name, invite in created.items():
        cookies[name] = {INVITE_COOKIE: invites.token(invite)}
    held = invites.grant(*invites.recognise(invites.token(created["used up"])))
    services.verifications.start(
        "+14155559999", Way.SMS, grant=held, idempotency_key="the only one"
    )
    invites.revoke(created["revoked"].id)
    cookies["forged"] = {INVITE_COOKIE: f"{created['valid'].id}.AAAAAAAAAAAAAAAAAAAAAAAAAAA"}
    clock.advance(timedelta(hours=2))
    return cookies


@pytest.mark.parametrize("mode", list(VerifyAccess))
def test_only_visitors_that_may_send_live_can_send(live: Live, mode: VerifyAccess) -> None:
    for visitor in VISITORS:
        result = live.services.verifications.start(
            live.number(), Way.SMS, grant=live.grant(visitor), idempotency_key=visitor
        )
        sent = result.outcome is SendOutcome.SENT
        assert sent == (visitor in MAY_SEND[mode]), (visitor, result)
        if not sent:
            assert result.outcome is SendOutcome.NOT_ALLOWED
            assert result.cause
            assert result.remedy


@pytest.mark.parametrize("mode", [None])
def test_live_needs_the_password_by_default(live: Live) -> None:
    assert live.services.settings.effective_access is VerifyAccess.PASSWORD
    assert not live.grant("operator").refusal
    assert live.grant("valid").refusal


@pytest.mark.parametrize("visitor", VISITORS)
def test_only_the_operator_touches_the_operators_verification(live: Live, visitor: str) -> None:
    verification, grant = live.started(), live.grant(visitor)
    service = live.services.verifications
    is_operator = visitor == "operator"
    assert (service.look(verification, grant) is not None) == is_operator
    assert (service.resend(verification, grant=grant, seen=9).outcome == "duplicate") == is_operator
    assert (service.check(verification, "abc123", grant).outcome == "malformed") == is_operator
    assert (service.cancel(verification, grant) == "canceled") == is_operator


@pytest.mark.parametrize("mode", [VerifyAccess.OPEN])
def test_open_visitors_share_what_visitors_started_and_not_the_operators(live: Live) -> None:
    service = live.services.verifications
    theirs, operators = live.started("visitor"), live.started("operator")
    assert service.look(theirs, live.grant("valid")) is not None
    assert service.look(operators, live.grant("visitor")) is None


@pytest.mark.parametrize("visitor", VISITORS)
def test_the_push_of_a_verification_is_for_those_who_may_look(live: Live, visitor: str) -> None:
    answer = live.push(live.started(), visitor)
    assert answer is None if visitor == "operator" else answer is not None and answer[0] == 404


def test_the_push_of_an_unknown_verification_gets_the_same_answer(live: Live) -> None:
    foreign, unknown = (live.push(name, "valid") for name in (live.started(), "a" * 24))
    assert foreign == unknown is not None


def test_the_handset_of_a_verification_is_for_those_who_may_look(live: Live) -> None:
    for visitor in VISITORS:
        path = f"/phone/{live.started()}/handset/events"
        assert live.socket(path, visitor) == (404, b"There is no such phone."), visitor


@pytest.mark.parametrize("visitor", VISITORS)
def test_programs_routes_take_tokens_and_no_cookies(live: Live, visitor: str) -> None:
    verification = live.started()
    before = live.services.verifications.spent_today()
    unauthorised = [
        ("POST", "/api/v1/verifications", {"number": live.number()}),
        ("GET", f"/api/v1/verifications/{verification}", None),
        ("POST", f"/api/v1/verifications/{verification}/resend", {"seen": 1}),
        ("POST", f"/api/v1/verifications/{verification}/checks", {"code": "123456"}),
        ("POST", f"/api/v1/verifications/{verification}/cancel", None),
        ("GET", "/api/v1/attempts", None),
        ("GET", "/api/v1/delivery/totals?range=24h", None),
        ("GET", "/metrics", None),
    ]
    for method, path, body in unauthorised:
        answer = live.http.request(method, path, json=body, headers=live.header(visitor))
        assert answer.status_code == 401, (path, answer.text)
    absent = ["/verify/14155550123", "/verify_voice/14155550123", "/checkcode/14155550123/123456",
              "/sandbox/handset/14155550123", f"/phone/{verification}/handset"]  # fmt: skip
    for path in absent:
        assert live.get(path, visitor).status_code == 404, path
    assert live.services.verifications.spent_today() == before


def test_a_token_sends_and_touches_all_as_before(live: Live) -> None:
    token = live.services.tokens.make("qa", frozenset({Scope.VERIFY}))
    bearer = {"Authorization": f"Bearer {token}"}
    body = {"number": live.number()}
    answer = live.http.post("/api/v1/verifications", json=body, headers=bearer)
    assert answer.status_code == 201
    other = live.http.get(f"/api/v1/verifications/{live.started()}", headers=bearer)
    assert other.status_code == 200


def links(live: Live) -> dict[str, str]:
    return {name: live.cookies[name][INVITE_COOKIE] for name in [*INVITES, "forged"]}


def test_opening_a_valid_link_sets_a_cookie_and_sends_nothing(live: Live) -> None:
    before = live.services.verifications.spent_today()
    answer = live.http.get(f"/invite/{links(live)['valid']}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == (
        "no-referrer", "no-store",
    )  # fmt: skip
    assert live.services.verifications.spent_today() == before


@pytest.mark.parametrize("name", ["used up", "ended", "revoked", "forged"])
def test_a_link_that_does_not_work_sets_no_cookie_and_says_why(live: Live, name: str) -> None:
    answer = live.http.get(f"/invite/{links(live)[name]}")
    assert answer.headers["location"] == f"/?invite={name.replace(' ', '-')}"
    assert "set-cookie" not in answer.headers


def test_each_invite_is_refused_in_a_sentence_of_its_own(live: Live) -> None:
    causes = {
        name: live.grant(name).refusal[0] for name in ("used up", "ended", "revoked", "forged")
    }
    assert causes == {
        "used up": "This invite has no sends left.",
        "ended": "This invite has ended.",
        "revoked": "This invite was revoked.",
        "forged": "This is not a valid invite link.",
    }


def test_only_the_same_invite_can_finish_a_verification(live: Live) -> None:
    verification, grant = live.started("valid"), live.grant("valid")
    service = live.services.verifications
    for other in set(VISITORS) - {"valid", "operator"}:
        assert service.look(verification, live.grant(other)) is None
    assert service.look(verification, grant) is not None
    code = service.code_for(service.look(verification).verification).reveal()  # type: ignore[union-attr]
    assert service.check(verification, code, grant).outcome == "approved"


def test_no_id_number_code_or_link_is_logged(
    live: Live, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    invite = links(live)["valid"]
    live.http.get(f"/invite/{invite}")
    service, number = live.services.verifications, live.number()
    verification = service.start(
        number, Way.SMS, grant=live.grant("valid"), idempotency_key="logged"
    ).verification
    assert verification is not None
    live.get(f"/live/{'a' * 24}", "valid")
    code = service.code_for(service.look(verification).verification).reveal()  # type: ignore[union-attr]
    service.check(verification, code, live.grant("valid"))
    live.clock.advance(31)
    service.resend(verification, grant=OPERATOR, seen=1)
    logged = "\n".join(
        repr({**vars(record), "text": record.getMessage()})
        for record in caplog.records
        # Their lines are those of this test's own client.
        if not record.name.startswith(("httpx", "httpcore"))
    )
    printed = capfd.readouterr()
    everything = logged + printed.out + printed.err
    assert "invite opened" in everything
    assert "attempt accepted" in everything
    for secret in (verification, number.lstrip("+"), invite, invite.partition(".")[0]):
        assert secret not in everything
    assert not re.search(r"[a-z2-7]{24}", logged.replace("a" * 24, ""))
    view = service.look(verification)
    assert view is not None
    assert view.verification.status is Status.VERIFIED
