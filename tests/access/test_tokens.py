"""Bearer tokens: names, scopes, stored digests, and revocation."""

import subprocess
import sys
from datetime import timedelta

import pytest
import redis

from core.__main__ import main
from core.access.tokens import CACHE_LIFETIME, LIFETIME, Scope, Tokens, bearer
from core.model.errors import TokenRefused
from tests.world import World

VERIFY = frozenset({Scope.VERIFY})


def tokens_of(at: World, *, in_sandbox: bool = False) -> Tokens:
    s = at.services
    return Tokens(s.client, s.keys, s.keyring, at.clock, in_sandbox=in_sandbox)


def test_a_token_is_recognised_with_its_name_and_its_scopes_only(at: World) -> None:
    tokens = tokens_of(at)
    found = tokens.recognise(tokens.make("qa", VERIFY))
    assert found is not None
    assert (found.name, found.scopes) == ("qa", VERIFY)
    assert found.has_scope(Scope.VERIFY)
    assert not found.has_scope(Scope.READ)


def test_admin_may_do_everything(at: World) -> None:
    tokens = tokens_of(at)
    found = tokens.recognise(tokens.make("root", frozenset({Scope.ADMIN})))
    assert found is not None
    assert all(found.has_scope(scope) for scope in Scope)


@pytest.mark.parametrize("given", ["", "pv_", "qa", "x" * 10_000, "pv_é"])
def test_no_other_text_is_a_token(at: World, given: str) -> None:
    tokens = tokens_of(at, in_sandbox=True)
    tokens.make("qa", VERIFY)
    assert tokens.recognise(given) is None


def test_only_the_digest_of_a_token_is_stored_with_a_ttl(at: World, client: redis.Redis) -> None:
    token = tokens_of(at).make("qa", VERIFY)
    key = at.services.keys.tokens
    assert token not in str(client.hgetall(key))
    assert client.ttl(key) > LIFETIME.total_seconds()


def test_a_revoked_token_ends_here_at_once_and_elsewhere_soon(at: World) -> None:
    here, elsewhere = tokens_of(at), tokens_of(at)
    token = here.make("qa", VERIFY)
    assert elsewhere.recognise(token)
    assert here.revoke("qa")
    assert here.recognise(token) is None
    at.clock.advance(CACHE_LIFETIME)
    assert elsewhere.recognise(token) is None
    assert not here.revoke("qa")


def test_a_token_ends_with_its_lifetime(at: World) -> None:
    tokens = tokens_of(at)
    token = tokens.make("qa", VERIFY, timedelta(days=1))
    at.clock.advance(timedelta(days=1, seconds=1))
    assert tokens.recognise(token) is None
    assert tokens.all() == []


@pytest.mark.parametrize(
    ("name", "scopes", "lifetime"),
    [
        ("", VERIFY, LIFETIME),
        ("Big", VERIFY, LIFETIME),
        ("two words", VERIFY, LIFETIME),
        ("sandbox", VERIFY, LIFETIME),
        ("taken", VERIFY, LIFETIME),
        ("qa", frozenset(), LIFETIME),
        ("qa", VERIFY, timedelta()),
        ("qa", VERIFY, LIFETIME + timedelta(days=1)),
    ],
)
def test_an_invalid_token_is_refused_and_not_stored(
    at: World, name: str, scopes: frozenset[Scope], lifetime: timedelta
) -> None:
    tokens = tokens_of(at)
    token = tokens.make("taken", VERIFY)
    with pytest.raises(TokenRefused) as refusal:
        tokens.make(name, scopes, lifetime)
    assert refusal.value.remedy
    assert [one.name for one in tokens.all()] == ["taken"]
    assert tokens.recognise(token)


def test_the_sandbox_has_a_token_that_is_unknown_when_live(at: World) -> None:
    sandbox, live = tokens_of(at, in_sandbox=True), tokens_of(at)
    assert sandbox.sandbox_token == tokens_of(at, in_sandbox=True).sandbox_token
    assert sandbox.sandbox_token
    found = sandbox.recognise(sandbox.sandbox_token)
    assert found is not None
    assert all(found.has_scope(scope) for scope in Scope)
    assert live.sandbox_token is None
    assert live.recognise(sandbox.sandbox_token) is None


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", ""), ("abc", ""), (None, "")],
)
def test_only_a_bearer_header_holds_a_token(header: str | None, token: str) -> None:
    assert bearer(header) == token


def test_the_command_makes_lists_and_revokes(
    at: World,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("DATA_DIR", str(at.services.settings.data_dir))

    def run(*words: str) -> tuple[int, str, str]:
        """The exit code and what is printed to each stream, in this process."""
        code = 0
        try:
            main(["tokens", *words])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
            if isinstance(ended.code, str):
                sys.stderr.write(ended.code)
        return code, *capsys.readouterr()

    # A process of its own, as it is called; all other calls are of the same function.
    command = [sys.executable, "-m", "core", "tokens"]
    make = [*command, "make", "qa", "--scope", "verify", "--scope", "read"]
    made = subprocess.run(  # noqa: S603
        make, capture_output=True, text=True, timeout=60, check=False
    )
    found = tokens_of(at).recognise(made.stdout.strip())
    assert found is not None, made.stderr
    assert found.scopes == {Scope.VERIFY, Scope.READ}
    assert run("list")[1].split()[:2] == ["qa", "read,verify"]
    code, _, error = run("make", "qa", "--scope", "read")
    assert (code, "already" in error) == (1, True)
    for days in ("0", "366", "9" * 12):
        code, _, error = run("make", "other", "--scope", "read", "--days", days)
        assert (code, "1 to 365 days" in error) == (1, True)
    assert run("revoke", "qa")[0] == 0
    assert "no token named" in run("revoke", "qa")[2]
