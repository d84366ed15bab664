"""Without Redis: no approval, no unrecorded send, and an error with its cause."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.model.attempt import State
from core.model.errors import StoreUnavailable
from core.model.verification import CheckOutcome
from core.store.embedded import EmbeddedRedis
from tests.world import MovableClock, World, until, world


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """A world on an embedded Redis of its own, which a test may kill."""
    with world(tmp_path, None, MovableClock()) as new_world:
        yield new_world


def _server(at: World) -> int:
    return int(at.services.client.info("server")["process_id"])


def test_property_22_a_check_fails_closed_and_a_send_says_why(own: World) -> None:
    number = own.number()
    verification = own.started(number)
    code = own.code(verification)
    server = _server(own)
    os.kill(server, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable) as on_check:
            own.services.verifications.check(verification, code)
        with pytest.raises(StoreUnavailable) as on_send:
            own.start(own.number())
    finally:
        os.kill(server, signal.SIGCONT)
    for error in (on_check.value, on_send.value):
        assert error.cause == "Redis did not answer in time."
        assert error.remedy
        # What people read has no text of redis-py's in it.
        assert "socket" not in str(error).lower()


def test_nothing_acknowledged_is_lost_when_redis_is_killed(own: World) -> None:
    number = own.number()
    verification = own.started(number)
    until(lambda: own.look(verification).attempts[0].state is State.DELIVERED)
    before = own.look(verification)
    own.services.verifications.check(verification, own.wrong_code(verification))
    os.kill(_server(own), signal.SIGKILL)

    def back() -> bool:
        try:
            return own.services.verifications.look(verification) is not None
        except StoreUnavailable:
            return False

    until(back)
    after = own.look(verification)
    assert after.verification.checks_left == before.verification.checks_left - 1
    assert after.attempts[0].state is State.DELIVERED
    result = own.services.verifications.check(verification, own.code(verification))
    assert result.outcome is CheckOutcome.APPROVED


def test_nothing_is_sent_that_could_not_be_recorded(own: World) -> None:
    number = own.number()
    own.services.client.config_set("maxmemory", "1")  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable) as error:
        own.start(number)
    assert "memory" in error.value.cause
    own.services.client.config_set("maxmemory", "0")  # type: ignore[attr-defined]
    assert own.handset(number)["messages"] == []


def test_a_second_app_on_the_same_data_sees_the_same_verifications(
    own: World, tmp_path: Path
) -> None:
    verification = own.started(own.number())
    second = EmbeddedRedis(tmp_path)
    second.start()
    second.stop()
    # The first one still uses the server: the second one leaving must not end it.
    assert own.look(verification).verification.id == verification
