"""The operator's password: counted tries, signed cookies, and nothing where nothing is set."""

import subprocess
import sys
from datetime import timedelta

import pytest

from core.access.password import (
    TRIES,
    WINDOW,
    Access,
    Gate,
    SignInOutcome,
    hash_of,
)
from core.access.sessions import SESSION
from core.errors import SettingsRefused
from core.settings import Settings
from tests.world import World

PASSWORD = "correct horse battery staple"
HASH = hash_of(PASSWORD)


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


def test_the_right_password_opens_until_the_session_ends(at: World) -> None:
    access = access_of(at)
    tried = access.sign_in(PASSWORD, "192.0.2.1")
    assert tried.outcome is SignInOutcome.SIGNED_IN
    assert access.gate(tried.cookie) is Gate.SIGNED_IN
    at.clock.advance(SESSION + timedelta(seconds=2))
    assert access.gate(tried.cookie) is Gate.CLOSED


@pytest.mark.parametrize("cookie", [None, "", "operator", "operator.abc.def", "x" * 5000])
def test_no_other_cookie_opens(at: World, cookie: str | None) -> None:
    assert access_of(at).gate(cookie) is Gate.CLOSED


def test_a_new_password_ends_every_session(at: World) -> None:
    cookie = access_of(at).sign_in(PASSWORD, "192.0.2.1").cookie
    assert access_of(at, hash_of("another password")).gate(cookie) is Gate.CLOSED


def test_tries_are_counted_by_client_and_the_right_one_is_refused_beyond_them(at: World) -> None:
    access = access_of(at)
    for _ in range(TRIES):
        assert access.sign_in("wrong", "192.0.2.1").outcome is SignInOutcome.WRONG
    assert access.sign_in(PASSWORD, "192.0.2.1").outcome is SignInOutcome.WAIT
    assert access.sign_in(PASSWORD, "192.0.2.2").outcome is SignInOutcome.SIGNED_IN


def test_the_count_of_tries_has_an_end(at: World) -> None:
    access_of(at).sign_in("wrong", "192.0.2.1")
    client = at.services.client
    left = [client.pipeline().ttl(key).execute()[0] for key in client.scan_iter("*tries*")]  # type: ignore[attr-defined]
    assert len(left) == 2
    assert all(0 < seconds <= WINDOW.total_seconds() for seconds in left)


def test_the_sandbox_is_open_and_live_without_a_password_is_shut(at: World) -> None:
    assert access_of(at, None, is_open=True).gate(None) is Gate.OPEN
    assert access_of(at, None).gate(None) is Gate.UNSET
    assert access_of(at, None).sign_in("", "192.0.2.1").outcome is SignInOutcome.WRONG


def test_a_setting_that_is_no_hash_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="argon2id") as refused:
        Settings(admin_password_hash="my plain password")
    assert "my plain password" not in str(refused.value)
    assert not issubclass(type(refused.value), SettingsRefused)
    assert HASH not in repr(Settings(admin_password_hash=HASH))


def test_the_command_makes_the_setting() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "core.access", "hash"],
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
        [sys.executable, "-m", "core.access", "hash"],
        input="short\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 1
    assert "12 to 1024" in made.stderr
