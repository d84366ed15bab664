"""No code, no secret and no full number where it does not belong."""

import ast
import logging
import re
from pathlib import Path

import pytest
import redis
from redis.client import NEVER_DECODE

from core.model.way import Way
from tests.world import World, until


def journey(at: World) -> tuple[list[str], list[str], list[str]]:
    """Verifications by every way, with wrong codes and failures: their codes, numbers and ids."""
    codes, numbers, ids = [], [], []
    for way, ending in (
        (Way.SMS, "5555"),
        (Way.SMS, "0030"),
        (Way.SMS, "0402"),
        (Way.SMS, "0500"),
        (Way.SMS, "0803"),
        (Way.VOICE, "5555"),
        (Way.PHLO_SMS, "5555"),
        (Way.PHLO_CALL, "5555"),
    ):
        number = at.number(ending)
        verification = at.started(number, way)
        code = at.code(verification)
        codes.append(code)
        numbers.append(number)
        ids.append(verification)
        if way.is_call:
            at.touch(number, at.call(number, "ringing"), "answer")
            until(lambda n=number: at.handset(n)["calls"][0]["waits_for_key"])  # type: ignore[misc]
            at.touch(number, at.call(number, "in-progress"), "press/1")
            at.call(number, "ended")
        until(lambda v=verification: at.look(v).attempts[0].state not in {"requested"})  # type: ignore[misc]
        at.services.verifications.check(verification, at.wrong_code(verification))
        at.services.verifications.check(verification, code)
    return codes, numbers, ids


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def _dump(client: redis.Redis) -> str:
    """Every key with its whole value, of whatever type."""
    values: list[object] = []
    for key in client.scan_iter():
        match client.type(key):
            case "string":
                # Packed figures are no text.
                values.append((key, client.execute_command("GET", key, **{NEVER_DECODE: True})))  # type: ignore[no-untyped-call]
            case "hash":
                values.append((key, client.hgetall(key)))
            case "list":
                values.append((key, client.lrange(key, 0, -1)))
            case "stream":
                values.append((key, client.xrange(key)))
            case "zset":
                values.append((key, client.zrange(key, 0, -1)))
            case other:
                raise AssertionError(f"a type that this test does not read: {other!r}")
    return repr(values)


def _standing_alone(digits: str) -> re.Pattern[str]:
    # A code may turn up by chance inside a longer number, such as a moment in milliseconds.
    return re.compile(rf"(?<![\d.a-f]){digits}(?![\da-f])")


def test_property_07_no_code_is_at_rest_or_published(at: World, client: redis.Redis) -> None:
    published: list[str] = []
    with client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        pubsub.psubscribe("*")
        codes, _, ids = journey(at)
        while message := pubsub.get_message(timeout=0.2):
            published.append(str(message["data"]))
    at_rest = _dump(client) + repr(published)
    for code, verification in zip(codes, ids, strict=True):
        assert not _standing_alone(code).search(at_rest)
        assert at.services.keyring.code_digest(verification, code) not in at_rest
        assert at.services.keyring.code_seed(verification) not in at_rest
    assert published


def test_property_09_no_code_and_no_secret_is_logged_or_printed(
    at: World,
    everything_logged: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes, numbers, ids = journey(at)
    printed = capsys.readouterr()
    logged = "\n".join(
        repr({**vars(record), "said": record.getMessage()})
        for record in everything_logged.records
        # The sandbox is Plivo and the phone: its own database is its own affair.
        if not record.name.startswith(("core.sandbox", "httpx", "httpcore"))
    )
    everything = logged + printed.out + printed.err
    assert "attempt delivered" in everything
    for code in codes:
        assert not _standing_alone(code).search(everything)
    for secret in (
        at.services.auth_token,
        *(at.services.keyring.callback_token(f"{one}-1") for one in ids),
    ):
        assert secret not in everything
    for number in numbers:
        assert number.lstrip("+") not in everything


def test_property_09_no_exchange_shows_a_code_a_token_or_a_number(at: World) -> None:
    codes, numbers, ids = journey(at)
    for code, number, verification in zip(codes, numbers, ids, strict=True):
        exchanges = repr(at.services.exchanges.of(verification))
        assert "'POST'" in exchanges
        assert not _standing_alone(code).search(exchanges)
        assert ", ".join(code) not in exchanges
        assert number.lstrip("+") not in exchanges
        assert at.services.keyring.callback_token(f"{verification}-1") not in exchanges
        assert at.services.auth_token not in exchanges


def test_property_09_no_url_that_plivo_is_given_holds_the_code_or_the_number(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.VOICE)
    urls = at.services.address.urls(at.services.keyring.callback_token(f"{verification}-1"))
    assert urls is not None
    for url in (urls.message, urls.answer, urls.ring, urls.hangup):
        assert at.code(verification) not in url
        assert number.lstrip("+") not in url


def test_no_key_shows_a_number_or_an_address(at: World, client: redis.Redis) -> None:
    number = at.number()
    at.start(number, address="192.0.2.7")
    for key in client.scan_iter():
        assert number[-8:] not in key
        assert "192.0.2.7" not in key


def test_results_and_views_hide_the_number_from_their_repr(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    assert number.lstrip("+") not in repr(at.look(verification))


PROJECT = Path(__file__).parents[1]
_NAMES_AN_ID = {"attempt", "event", "verification"}


def plain_ids(source: str) -> list[int]:
    """The lines of log fields that name an id and hold it as it is, without `logged_id`."""
    return [
        value.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.keyword) and node.arg == "extra"
        if isinstance(node.value, ast.Dict)
        for key, value in zip(node.value.keys, node.value.values, strict=True)
        if isinstance(key, ast.Constant) and key.value in _NAMES_AN_ID
        if not (isinstance(value, ast.Call) and ast.unparse(value.func) == "logged_id")
    ]


def test_no_log_line_has_an_id_that_opens_a_verification() -> None:
    assert plain_ids('log.info("x", extra={"attempt": attempt.id, "event": logged_id(i)})') == [1]
    files = [file for room in ("core", "pages") for file in (PROJECT / room).rglob("*.py")]
    assert {str(file): found for file in files if (found := plain_ids(file.read_text()))} == {}
