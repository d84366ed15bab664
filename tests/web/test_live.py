"""The push to a page: what a window receives over its WebSocket."""

import asyncio
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from core.store.changes import ChangeChannel
from core.web.live import Changes
from tests.world import PATIENCE_SECONDS, World, until


def window(at: World, path: str) -> ClientConnection:
    return connect(at.address.replace("http", "ws", 1) + path)


def change(at: World, verification: str) -> None:
    at.services.verifications.check(verification, at.wrong_code(verification))


def hear(socket: ClientConnection) -> str:
    return str(socket.recv(PATIENCE_SECONDS))


def drain(socket: ClientConnection) -> None:
    with suppress(TimeoutError):
        while True:
            socket.recv(0)


def test_every_window_is_notified_when_its_verification_changes(at: World) -> None:
    verification, other = at.started(at.number()), at.started(at.number())
    with ExitStack() as staying, ExitStack() as leaving:
        windows = [
            stack.enter_context(window(at, f"/live/{verification}"))
            for stack in (staying, leaving)
            for _ in range(10)
        ]
        elsewhere = staying.enter_context(window(at, f"/live/{other}"))
        change(at, verification)
        assert {hear(socket) for socket in windows} == {"changed"}
        # One that leaves takes nothing from those that stay.
        leaving.close()
        for socket in windows[:10]:
            drain(socket)
        change(at, verification)
        assert {hear(socket) for socket in windows[:10]} == {"changed"}
        drain(elsewhere)
        change(at, other)
        assert hear(elsewhere) == "changed"


def test_the_window_of_a_handset_is_notified_of_a_new_message(at: World) -> None:
    number = at.number()
    with window(at, f"/sandbox/handset/{number}/events") as socket:
        at.started(number)
        assert hear(socket) == "changed"


@pytest.mark.parametrize(
    "path", ["/live/{verification}", "/live-chaos", "/sandbox/handset/{number}/events"]
)
def test_a_window_that_sends_a_message_is_closed(at: World, path: str) -> None:
    number = at.number()
    verification = at.started(number)
    with window(at, path.format(verification=verification, number=number)) as socket:
        socket.send("x" * 1000)
        with pytest.raises(ConnectionClosed) as closed:
            until(lambda: hear(socket) is None)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_a_push_that_is_ended_as_a_change_comes_has_ended(client: Any) -> None:
    changes = Changes(ChangeChannel(client, "changes"))

    async def push() -> None:
        async for _ in changes.of("verification"):
            pass

    async def ended() -> bool:
        pushing = asyncio.create_task(push())
        await asyncio.sleep(0)  # so that it waits
        changes._set(None)
        pushing.cancel()
        await asyncio.wait([pushing], timeout=PATIENCE_SECONDS)
        return pushing.cancelled()

    assert asyncio.run(ended())


def test_a_socket_to_an_unknown_phone_is_refused(at: World) -> None:
    with pytest.raises(InvalidStatus):
        window(at, "/sandbox/handset/unknown/events")


def test_a_window_watches_several_verifications_and_a_test_session(at: World) -> None:
    first, second = at.started(at.number()), at.started(at.number())
    session = at.services.test_sessions.start("Smoke", "Ada", "1")
    with window(at, f"/live/{session.id},{first},{second}") as socket:
        for verification in (first, second):
            drain(socket)
            change(at, verification)
            assert hear(socket) == "changed"
        drain(socket)
        at.services.test_sessions.end(session.id)
        assert hear(socket) == "changed"
    with pytest.raises(InvalidStatus):
        window(at, "/live/" + ",".join(str(n) for n in range(60))).close()
