"""The operator's password: counted tries, signed cookies, and no sign-in without a password."""

import ast
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from core.access.password import (
    MAX_TRIES,
    MAX_TRIES_OF_ALL,
    WINDOW,
    Access,
    AccessState,
    SignInOutcome,
)
from core.access.sessions import SESSION_LIFETIME
from core.model.errors import SettingsRefused
from core.settings.settings import Settings
from tests.world import World, quick_hash

PASSWORD = "correct horse battery staple"
HASH = quick_hash(PASSWORD)


def access_of(at: World, password_hash: str | None = HASH, *, is_open: bool = False) -> Access:
    s = at.services
    return Access(
        password_hash,
        is_open=is_open,
        client=s.client,
        keys=s.keys,
        keyring=s.keyring,
        clock=at.clock,
    )


def test_the_right_password_gives_access_until_the_session_ends(at: World) -> None:
    access = access_of(at)
    tried = access.sign_in(PASSWORD, "192.0.2.1")
    assert tried.outcome is SignInOutcome.SIGNED_IN
    assert access.gate(tried.cookie) is AccessState.SIGNED_IN
    at.clock.advance(SESSION_LIFETIME + timedelta(seconds=2))
    assert access.gate(tried.cookie) is AccessState.CLOSED


@pytest.mark.parametrize("cookie", [None, "", "operator", "operator.abc.def", "x" * 5000])
def test_no_other_cookie_gives_access(at: World, cookie: str | None) -> None:
    assert access_of(at).gate(cookie) is AccessState.CLOSED


def test_a_new_password_ends_every_session(at: World) -> None:
    cookie = access_of(at).sign_in(PASSWORD, "192.0.2.1").cookie
    assert access_of(at, quick_hash("another password")).gate(cookie) is AccessState.CLOSED


def test_tries_are_counted_by_client_and_the_right_one_is_refused_beyond_them(at: World) -> None:
    access = access_of(at)
    for _ in range(MAX_TRIES):
        assert access.sign_in("wrong", "192.0.2.1").outcome is SignInOutcome.WRONG
    assert access.sign_in(PASSWORD, "192.0.2.1").outcome is SignInOutcome.WAIT
    assert access.sign_in(PASSWORD, "192.0.2.2").outcome is SignInOutcome.SIGNED_IN


def test_one_client_cannot_use_up_the_tries_of_all(at: World) -> None:
    access = access_of(at)
    for _ in range(MAX_TRIES_OF_ALL + MAX_TRIES):
        access.sign_in("wrong", "192.0.2.1")
    assert access.sign_in(PASSWORD, "192.0.2.2").outcome is SignInOutcome.SIGNED_IN


def test_the_tries_of_all_clients_have_a_limit(at: World) -> None:
    access = access_of(at, quick_hash("x"))
    key = at.services.keys.tries("all")
    at.services.client.set(key, str(MAX_TRIES_OF_ALL), nx=True, px=WINDOW)
    assert access.sign_in("x", "192.0.2.3").outcome is SignInOutcome.WAIT


def test_a_browser_that_signed_in_before_is_never_locked_out_by_others(at: World) -> None:
    access = access_of(at)
    device = access.sign_in(PASSWORD, "192.0.2.1").device
    at.services.client.delete(at.services.keys.tries("all"))
    at.services.client.set(at.services.keys.tries("all"), "1000", nx=True, px=WINDOW)
    for _ in range(MAX_TRIES + 1):
        access.sign_in("wrong", "192.0.2.1")
    assert access.sign_in(PASSWORD, "192.0.2.1").outcome is SignInOutcome.WAIT
    assert access.sign_in(PASSWORD, "192.0.2.1", device).outcome is SignInOutcome.SIGNED_IN


def test_a_device_has_a_limit_of_its_own(at: World) -> None:
    access = access_of(at)
    device = access.sign_in(PASSWORD, "192.0.2.1").device
    for n in range(MAX_TRIES):
        tried = access.sign_in("wrong", f"192.0.2.{n}", device)
        assert tried.outcome is SignInOutcome.WRONG
    assert access.sign_in(PASSWORD, "192.0.2.9", device).outcome is SignInOutcome.WAIT
    assert access.sign_in(PASSWORD, "192.0.2.9").outcome is SignInOutcome.SIGNED_IN


@pytest.mark.parametrize("device", ["", "abc", "abc.def.ghi", "x" * 5000])
def test_no_other_cookie_is_a_device(at: World, device: str) -> None:
    access = access_of(at)
    for _ in range(MAX_TRIES):
        access.sign_in("wrong", "192.0.2.1", device)
    assert access.sign_in(PASSWORD, "192.0.2.1", device).outcome is SignInOutcome.WAIT


def test_successful_tries_do_not_count(at: World) -> None:
    access = access_of(at)
    for _ in range(MAX_TRIES + 2):
        assert access.sign_in(PASSWORD, "192.0.2.1").outcome is SignInOutcome.SIGNED_IN


def test_signing_out_ends_the_session_on_the_server_and_no_other(at: World) -> None:
    access = access_of(at)
    one, two = (access.sign_in(PASSWORD, "192.0.2.1").cookie for _ in range(2))
    access.sign_out(one)
    assert access.gate(one) is AccessState.CLOSED
    assert access_of(at).gate(two) is AccessState.SIGNED_IN


def test_signing_out_everywhere_needs_a_session_and_ends_all(at: World) -> None:
    access = access_of(at)
    one, two = (access.sign_in(PASSWORD, "192.0.2.1").cookie for _ in range(2))
    access.sign_out("not a session", everywhere=True)
    assert access.gate(one) is AccessState.SIGNED_IN
    access.sign_out(one, everywhere=True)
    assert {access.gate(one), access.gate(two)} == {AccessState.CLOSED}


def test_no_session_id_is_stored(at: World) -> None:
    cookie = access_of(at).sign_in(PASSWORD, "192.0.2.1").cookie
    assert cookie not in repr(at.services.client.hgetall(at.services.keys.sessions))


def test_the_count_of_tries_has_an_end(at: World) -> None:
    access_of(at).sign_in("wrong", "192.0.2.1")
    client = at.services.client
    left = [client.pipeline().ttl(key).execute()[0] for key in client.scan_iter("*tries*")]
    assert len(left) == 2
    assert all(0 < seconds <= WINDOW.total_seconds() for seconds in left)


def test_the_sandbox_is_open_and_live_mode_without_a_password_is_closed(at: World) -> None:
    assert access_of(at, None, is_open=True).gate(None) is AccessState.OPEN
    assert access_of(at, None).gate(None) is AccessState.UNSET
    assert access_of(at, None).sign_in("", "192.0.2.1").outcome is SignInOutcome.WRONG


def test_a_setting_that_is_no_hash_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="argon2id") as refused:
        Settings(admin_password_hash="my plain password")
    assert "my plain password" not in str(refused.value)
    assert not issubclass(type(refused.value), SettingsRefused)
    assert HASH not in repr(Settings(admin_password_hash=HASH))


def test_the_command_makes_the_setting() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "core", "hash-password"],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    name, _, value = made.stdout.strip().partition("=")
    assert name == "ADMIN_PASSWORD_HASH"
    assert Settings(admin_password_hash=value.strip("'")).admin_password_hash
    assert PASSWORD not in made.stdout


def test_the_command_refuses_a_short_password() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "core", "hash-password"],
        input="short\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 1
    assert "12 to 1024" in made.stderr


def test_property_23_no_secret_is_compared_with_the_equals_operator() -> None:
    """Passwords by argon2, cookies by itsdangerous, tokens by their digests: in constant time."""
    secret = {"password", "cookie", "secret", "token", "digest", "sandbox_token", "_hash"}
    for path in (Path(__file__).parents[2] / "core" / "access").glob("[!_]*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Compare):
                continue
            if not any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
                continue
            named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            named |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
            assert not named & secret, (path.name, node.lineno)
