"""Waiting for the next message or spoken code on a handset."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from starlette.types import Message

from core.lab.sandbox_client import Handset, SandboxClient, SandboxError, WaitTimedOut
from core.sandbox.app import Sandbox
from tests.world import PATIENCE_SECONDS

from .support import AUTH_ID, AUTH_TOKEN, Api, Product, number, sandbox_on, wait_for

CODE = (
    '<Response><GetInput action="{action}" inputType="dtmf" numDigits="1"><Speak>Press 1.</Speak>'
    "</GetInput></Response>"
)
SPOKEN = "<Response><Speak>Your code is 4, 7, 1, 1.</Speak><Wait length='60'/></Response>"


def phone(api: Api, to: str) -> Handset:
    return SandboxClient(api.base, (AUTH_ID, AUTH_TOKEN)).handset(to)


def test_a_wait_returns_the_message_that_arrives_during_it(api: Api) -> None:
    to = number("5555")

    async def wait_and_send() -> tuple[httpx.Response, str]:
        async with httpx.AsyncClient(base_url=api.base, timeout=PATIENCE_SECONDS) as client:
            waiting = asyncio.create_task(client.get(f"/handset/{to}/wait"))
            await client.get(f"/handset/{to}")
            sent = await asyncio.to_thread(api.send, to, text="Your code is 123 456.")
            return await waiting, sent

    answer, sent = asyncio.run(wait_and_send())
    arrival = answer.json()
    assert answer.status_code == 200
    assert arrival | {"time": ""} == {
        "reference": sent,
        "channel": "sms",
        "time": "",
        "from": "14155550100",
        "text": "Your code is 123 456.",
        "code": "123456",
    }
    assert arrival["time"] == api.phone(to).look()["messages"][0]["received_at"]


def test_nothing_is_missed_between_two_waits_and_nothing_is_returned_twice(api: Api) -> None:
    to = number("5555")
    sent = {api.send(to, text=f"Your code is 40{index}0") for index in range(9)}
    wait_for(lambda: len(api.phone(to).texts) == 9)
    one_by_one = phone(api, to)
    by_cursor = [one_by_one.wait(timeout=0) for _ in sent]
    assert {arrival.reference for arrival in by_cursor} == sent
    with pytest.raises(WaitTimedOut):
        one_by_one.wait(timeout=0)
    moments = [arrival.time for arrival in by_cursor]
    assert moments == sorted(set(moments))
    # By reference, by ISO moment and by Unix milliseconds of the moment before.
    for before, after in itertools.pairwise(by_cursor):
        for cursor in (before.reference, before.time):
            assert phone(api, to).wait(timeout=0, after=cursor) == after
    first = datetime.fromisoformat(moments[0])
    for cursor in (
        str(int(first.timestamp() * 1000)),
        (first - timedelta(microseconds=1)).isoformat(),
        (first - timedelta(microseconds=1)).replace(tzinfo=None).isoformat(),
    ):
        assert phone(api, to).wait(timeout=0, after=cursor) == by_cursor[0]


def test_an_emptied_handset_has_no_earlier_code_and_the_wait_goes_on(api: Api) -> None:
    to = number("5555")
    mine = phone(api, to)
    api.send(to, text="Your code is 1111")
    old = mine.wait()
    mine.clear()
    for cursor in ("", "1", old.reference):
        with pytest.raises(WaitTimedOut):
            phone(api, to).wait(timeout=0, after=cursor)
    api.send(to, text="Your code is 2222")
    assert mine.wait().code == "2222"


def test_a_deleted_log_does_not_end_the_waits_of_a_handset(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as api:
        mine = phone(api, to := number("5555"))
        api.send(to, text="Your code is 1111")
        mine.wait()
        SandboxClient(api.base).delete_logs()
        api.send(to, text="Your code is 2222")
        assert mine.wait().code == "2222"


def test_a_message_without_a_code_is_returned_too(api: Api) -> None:
    to = number("5555")
    api.send(to, text="hello")
    assert phone(api, to).wait().code is None


def test_only_the_wanted_channel_and_message_are_returned(api: Api, product: Product) -> None:
    to = number("5555")
    product.documents["speaks"] = SPOKEN
    phone(api, to).auto_answer()
    first = api.send(to, text="Your code is 1111")
    second = api.send(to, text="Your code is 2222")
    call = api.call(to, product.url("speaks"))
    assert phone(api, to).wait(channel="call").reference == call
    assert phone(api, to).wait(channel="sms").reference in {first, second}
    assert phone(api, to).wait(reference=second).code == "2222"
    assert phone(api, to).wait(reference=call).code == "4711"


def test_a_call_is_returned_once_when_its_code_is_spoken(api: Api, product: Product) -> None:
    to = number("5555")
    product.documents["asks"] = CODE.format(action=product.url("speaks-now"))
    product.documents["speaks-now"] = (
        "<Response><Speak loop='0'>Your code is 4, 7, 1, 1.</Speak></Response>"
    )
    call = api.call(to, product.url("asks"))
    mine = phone(api, to)
    ringing = mine.wait_for_call()
    assert (ringing.reference, ringing.channel, ringing.code) == (call, "call", None)
    assert ringing.answer["status"] == "ringing"
    with pytest.raises(WaitTimedOut, match="a call rings: answer it, or turn auto-answer on"):
        mine.wait(timeout=0)
    mine.answer(call)
    wait_for(lambda: api.phone(to).waits())
    with pytest.raises(WaitTimedOut, match="a call waits for a key: press it"):
        mine.wait(timeout=0)
    mine.press(call, "1")
    spoken = mine.wait()
    assert (spoken.reference, spoken.channel, spoken.code) == (call, "call", "4711")
    assert spoken.text.startswith("Press 1.")
    assert "4, 7, 1, 1" in spoken.text
    assert "key" in {line["kind"] for line in spoken.answer["transcript"]}
    wait_for(lambda: api.phone(to).transcript().count("Your code is 4, 7, 1, 1.") > 2)
    with pytest.raises(WaitTimedOut):
        mine.wait(timeout=0)
    with pytest.raises(WaitTimedOut):
        mine.wait_for_call(timeout=0, after=call)
    mine.hangup(call)


def test_after_a_call_that_only_rang_its_code_is_next(api: Api, product: Product) -> None:
    to = number("5555")
    product.documents["speaks-later"] = SPOKEN
    call = api.call(to, product.url("speaks-later"))
    mine = phone(api, to)
    ringing = mine.wait_for_call()
    mine.answer(call)
    assert mine.wait(after=ringing.reference).code == "4711"


def test_the_text_of_a_time_out_names_what_was_awaited(api: Api) -> None:
    to = number("5555")
    for query, text in (
        ("", "no message and no spoken code within 0.01 s"),
        ("&channel=sms", "no message within 0.01 s"),
        ("&channel=call", "no spoken code within 0.01 s"),
        ("&for=ringing", "no ringing call within 0.01 s"),
    ):
        answer = api.http.get(f"/handset/{to}/wait?timeout=0.01{query}", auth=None)
        assert (answer.status_code, answer.json()["error"]) == (408, text)
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("timeout=61", "timeout must be a number of seconds from 0 to 60"),
        ("timeout=-1", "timeout must be"),
        ("timeout=soon", "timeout must be"),
        ("timeout=1e1", "timeout must be"),
        ("channel=fax", "channel must be sms or call"),
        ("for=answer", "for must be code or ringing"),
        ("for=ringing&channel=sms", "only a call rings"),
        ("after=yesterday", "after must be a moment"),
        ("after=9999-99-99T00:00:00Z", "after must be a moment"),
        ("after=00000000-0000-4000-8000-000000000000", "after must be a moment"),
        ("reference=00000000-0000-4000-8000-000000000000", "reference must be the UUID"),
        ("until=5", "unknown parameter 'until'"),
    ],
)
def test_a_wrong_parameter_is_refused_at_once(api: Api, query: str, text: str) -> None:
    answer = api.http.get(f"/handset/{number('5555')}/wait?{query}", auth=None)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(text)


def test_a_reference_of_another_handset_is_refused(api: Api) -> None:
    to, other = number("5555"), number("5555")
    sent = api.send(to)
    phone(api, to).wait()
    for query in ("after", "reference"):
        answer = api.http.get(f"/handset/{other}/wait?{query}={sent}&timeout=0", auth=None)
        assert answer.status_code == 400


def test_arrivals_survive_a_restart(
    started: Callable[[], tuple[Api, Callable[[], None]]],
) -> None:
    api, stop = started()
    to = number("5555")
    api.send(to, text="Your code is 1111")
    arrival = phone(api, to).wait()
    stop()
    api, _stop = started()
    assert phone(api, to).wait(timeout=0) == arrival
    with pytest.raises(WaitTimedOut):
        phone(api, to).wait(timeout=0, after=arrival.reference)


def test_two_hundred_waits_do_not_delay_other_requests_and_each_gets_its_code(
    tmp_path: Path,
) -> None:
    numbers = [number("5555") for _ in range(200)]

    async def wait_and_send(base: str) -> list[str]:
        limits = httpx.Limits(max_connections=300)
        async with httpx.AsyncClient(
            base_url=base, timeout=PATIENCE_SECONDS, limits=limits
        ) as client:
            waits = [asyncio.create_task(client.get(f"/handset/{to}/wait")) for to in numbers]
            # The sandbox answers while all of them wait.
            for _ in range(3):
                assert (await client.get("/endings")).status_code == 200
            assert not any(each.done() for each in waits)
            for index, to in enumerate(numbers):
                body = {"src": "14155550100", "dst": to, "text": f"Your code is {1000 + index}"}
                account = f"/v1/Account/{AUTH_ID}/Message/"
                await client.post(account, json=body, auth=(AUTH_ID, AUTH_TOKEN))
            return [(await each).json()["code"] for each in waits]

    with sandbox_on(tmp_path) as api:
        codes = asyncio.run(wait_and_send(api.base))
    assert codes == [str(1000 + index) for index in range(200)]


def test_open_waits_end_when_the_sandbox_stops(
    started: Callable[[], tuple[Api, Callable[[], None]]],
) -> None:
    api, stop = started()
    base, to = api.base, number("5555")

    async def wait_and_stop() -> httpx.Response:
        async with httpx.AsyncClient(base_url=base, timeout=70) as client:
            waiting = asyncio.create_task(client.get(f"/handset/{to}/wait?timeout=60"))
            await client.get(f"/handset/{to}")
            await asyncio.to_thread(stop)
            return await waiting

    answer = asyncio.run(wait_and_stop())
    # At its time-out it would end with 408.
    assert (answer.status_code, answer.json()["error"]) == (503, "the sandbox stops")


def test_a_wait_ends_with_its_client(tmp_path: Path) -> None:
    sandbox = Sandbox(data=tmp_path, auth_id=AUTH_ID, auth_token=AUTH_TOKEN)
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/handset/{number('5555')}/wait",
        "query_string": b"timeout=60",
        "headers": [],
    }
    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])
    sent = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        async with sandbox.running(), asyncio.timeout(PATIENCE_SECONDS):
            await sandbox.asgi(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 408


def test_a_clock_that_is_set_back_loses_no_arrival(tmp_path: Path) -> None:
    with sandbox_on(tmp_path) as api:
        to = number("5555")
        mine = phone(api, to)
        api.send(to, text="Your code is 1111")
        later = datetime.fromisoformat(mine.wait().time)
        assert later < datetime.now(UTC)
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as file:
        file.execute("UPDATE arrivals SET at = at + 3600000000")
    file.close()
    with sandbox_on(tmp_path) as api:
        mine = phone(api, to)
        last = mine.wait(timeout=0)
        api.send(to, text="Your code is 2222")
        assert mine.wait(after=last.time).code == "2222"


def test_the_client_names_the_refusal_of_the_sandbox(api: Api) -> None:
    mine = phone(api, number("5555"))
    with pytest.raises(SandboxError, match="no such call on this handset") as error:
        mine.answer("none")
    assert error.value.status == 404
    for address in ("http://127.0.0.1:9", "None/sandbox"):
        with pytest.raises(SandboxError, match="did not answer") as error:
            SandboxClient(address).handset("14155550123").wait(timeout=0)
        assert error.value.status is None
    with pytest.raises(SandboxError, match="did not answer") as error:
        SandboxClient("http://me:secret@").endings()
    assert "secret" not in str(error.value)


def test_the_client_says_that_an_address_is_no_sandbox(api: Api) -> None:
    assert SandboxClient(f"{api.base}/").endings()["endings"]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            with pytest.raises(SandboxError, match="is no sandbox") as error:
                SandboxClient(f"http://127.0.0.1:{server.server_port}").endings()
        finally:
            server.shutdown()
    assert "<" not in str(error.value)


class _Page(SimpleHTTPRequestHandler):
    """Answers 404 with a page of HTML."""

    def log_message(self, *_: object) -> None:
        pass


def test_an_empty_number_is_not_that_of_all_handsets(api: Api) -> None:
    to = number("5555")
    api.send(to)
    phone(api, to).wait()
    with pytest.raises(SandboxError, match="is empty"):
        phone(api, "").clear()
    assert phone(api, to).look()["messages"]


@pytest.mark.parametrize("seconds", [0.123456789012, 7e-05, -3.0, 5e-324])
def test_the_time_left_until_a_deadline_is_a_timeout(api: Api, seconds: float) -> None:
    with pytest.raises(WaitTimedOut):
        phone(api, number("5555")).wait(timeout=seconds)
