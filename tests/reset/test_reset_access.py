"""Who may reset the sandbox if VERIFY_ACCESS is not open."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import redis
from starlette.applications import Starlette

from core.access.invites import COOKIE as INVITE_COOKIE
from core.access.password import COOKIE
from core.access.tokens import Scope
from core.settings.choices import VerifyAccess
from core.settings.settings import Settings
from core.web.sandbox_state import routes
from core.wiring import build
from tests.reset.test_command import command
from tests.reset.test_reset import families
from tests.world import World, quick_hash, served

PASSWORD = "correct horse battery staple"


@pytest.mark.parametrize("access", [VerifyAccess.PASSWORD, VerifyAccess.INVITE])
def test_a_reset_needs_the_operator_or_an_admin_token_unless_access_is_open(
    at: World, client: redis.Redis, access: VerifyAccess, tmp_path: Path
) -> None:
    services = build(
        Settings(
            redis_url=at.services.settings.redis_url,
            data_dir=tmp_path,
            verify_access=access,
            admin_password_hash=quick_hash(PASSWORD),
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
            result = command(
                *("--what", "budgets", "--address", address),
                DATA_DIR=str(tmp_path),
                VERIFY_ACCESS=access,
            )
            assert result.returncode == 0, result.stderr
    finally:
        services.close()
