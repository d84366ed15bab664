"""The link that opens one verification's handset on another phone, and who reaches the sandbox."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
import redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from core.access.local import is_local
from core.access.phone_links import PhoneLinks
from core.model.way import Way
from core.web.phone import COOKIE
from tests.world import PATIENCE_SECONDS, World, until

STATE = "/handset/phone/handset"


def handle_of(at: World, verification: str) -> str:
    return at.services.phone_links.handle(at.look(verification).verification)


@contextmanager
def phone(at: World, handle: str) -> Iterator[httpx.Client]:
    """A browser that has opened a link, and nothing else."""
    with httpx.Client(base_url=at.address, timeout=PATIENCE_SECONDS) as http:
        assert http.post("/handset/link", content=handle).status_code == 200
        yield http


def test_a_link_shows_the_message_and_its_code_and_no_number(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    text = at.message(number)
    with phone(at, handle_of(at, verification)) as prospect:
        state = prospect.get(STATE)
        about = prospect.get("/handset/verification")
        assert [message["text"] for message in state.json()["messages"]] == [text]
        assert about.json()["references"] == [state.json()["messages"][0]["message_uuid"]]
        assert about.json()["length"] == 6
        digits = number.lstrip("+")
        assert digits not in state.text + about.text
        assert verification not in state.text + about.text
        right = prospect.post("/handset/code", content=at.code(verification))
        assert right.json()["outcome"] == "approved"
        assert prospect.get(STATE).status_code == 410
        assert prospect.get("/handset/verification").json() == {"status": "verified"}


def test_a_link_takes_the_call_and_its_key(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.VOICE)
    call = at.call(number, "ringing")
    with phone(at, handle_of(at, verification)) as prospect:
        path = f"{STATE}/calls/{call['call_uuid']}"
        assert prospect.post(f"{path}/answer").status_code == 200
        until(lambda: prospect.get(STATE).json()["calls"][0]["waits_for_key"])
        assert prospect.post(f"{path}/press/1").status_code == 200
        until(lambda: ", ".join(at.code(verification)) in prospect.get(STATE).text)


def test_a_link_shows_nothing_of_before_and_of_no_other_number(at: World) -> None:
    number, other = at.number(), at.number()
    at.started(number)
    earlier = at.message(number)
    at.clock.advance(31)
    stranger = at.started(other, Way.VOICE)
    call = at.call(other, "ringing")
    at.clock.ahead *= 0
    verification = at.started(number)
    until(lambda: len(at.handset(number)["messages"]) == 2)
    with phone(at, handle_of(at, verification)) as prospect:
        texts = [message["text"] for message in prospect.get(STATE).json()["messages"]]
        assert len(texts) == 1
        assert earlier not in texts
        assert prospect.post(f"{STATE}/calls/{call['call_uuid']}/answer").status_code == 404
        for path in (f"/handset/phone/{other}", f"{STATE}/../../{other}", "/handset/phone/v1/",
                     f"{STATE}%2f..%2f{other[1:]}"):  # fmt: skip
            assert prospect.get(path).status_code == 404, path
        # Neither emptied nor made to answer by itself.
        assert prospect.delete(STATE).status_code == 405
        assert prospect.put(f"{STATE}/auto-answer", json={"on": True}).status_code == 405
    assert at.look(stranger).attempts


def test_a_forged_an_expired_and_an_ended_link_are_refused(at: World) -> None:
    ended, expired = at.started(at.number()), at.started(at.number())
    handles = {"": 404, "a" * 32: 404, ended: 404}
    handles |= {handle_of(at, ended): 410, handle_of(at, expired): 410}
    at.services.verifications.cancel(ended)
    at.clock.advance(at.services.settings.lifetime_seconds + 1)
    with httpx.Client(base_url=at.address) as http:
        assert http.get(STATE).status_code == 404
        assert http.get("/handset/verification").status_code == 404
        for handle, status in handles.items():
            answer = http.post("/handset/link", content=handle)
            assert (answer.status_code, answer.headers.get("set-cookie")) == (status, None)
        http.cookies.set(COOKIE, "forged")
        assert http.get(STATE).status_code == 404
        assert http.post("/handset/code", content="123456").status_code == 404


def test_the_handle_is_stored_as_a_digest_until_the_verification_expires(
    at: World, client: redis.Redis
) -> None:
    verification = at.started(at.number())
    handle = handle_of(at, verification)
    assert handle_of(at, verification) == handle
    assert verification not in handle
    keys = [key for key in client.scan_iter() if ":phone:" in key]
    assert len(keys) == 1
    assert handle not in keys[0]
    assert 0 < client.pttl(keys[0]) <= at.services.settings.lifetime_seconds * 1000
    at.services.verifications.cancel(verification)
    with pytest.raises(ValueError, match="pending"):
        handle_of(at, verification)


def test_the_cookie_is_for_the_phone_only(at: World) -> None:
    handle = handle_of(at, at.started(at.number()))
    answer = at.http.post("/handset/link", content=handle)
    at.http.cookies.clear()
    cookie = answer.headers["set-cookie"]
    assert re.search(r"; HttpOnly;.* Path=/handset; SameSite=strict$", cookie)
    # Behind a proxy or a tunnel with https.
    secure = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    answer = at.http.post("/handset/link", content=handle, headers=secure)
    at.http.cookies.clear()
    assert answer.headers["set-cookie"].endswith("; Secure")


def read_to_the_end(socket: ClientConnection) -> None:
    while True:
        socket.recv(timeout=PATIENCE_SECONDS)


def test_the_push_is_open_until_the_verification_ends(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    address = f"{at.address.replace('http', 'ws', 1)}{STATE}/events"
    headers = {"Cookie": f"{COOKIE}={handle_of(at, verification)}"}
    with connect(address, additional_headers=headers) as socket:

        def is_pushed_to() -> bool:
            at.http.delete(f"/sandbox/handset/{number}")
            try:
                return socket.recv(timeout=0.2) == "changed"
            except TimeoutError:
                return False

        until(is_pushed_to)
        at.services.verifications.cancel(verification)
        with pytest.raises(ConnectionClosed):
            read_to_the_end(socket)


def test_an_event_stream_of_a_link_ends_with_the_verification(at: World) -> None:
    verification = at.started(at.number())
    with (
        phone(at, handle_of(at, verification)) as prospect,
        prospect.stream("GET", f"{STATE}/events") as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == ": open"
        at.services.verifications.cancel(verification)
        # The server closes it; else this waits for the next heartbeat until the time-out.
        with suppress(httpx.RemoteProtocolError):
            assert ": still here" not in list(lines)


def test_a_link_needs_an_address_that_a_phone_reaches(at: World) -> None:
    verification = at.look(at.started(at.number())).verification
    links = at.services.phone_links

    def with_addresses(public: str | None, local: str | None) -> PhoneLinks:
        services = at.services
        return PhoneLinks(
            services.client, services.keys, services.keyring, at.clock, public, lambda: local
        )

    # The tests' server listens on the loopback only.
    assert links.link(verification) is None
    assert with_addresses(None, None).link(verification) is None
    public = with_addresses("https://verify.example.com", at.address).link(verification)
    assert public == f"https://verify.example.com/handset#{links.handle(verification)}"
    network = with_addresses(None, "http://192.168.1.5:8501")
    assert network.address() == "http://192.168.1.5:8501"


LOCAL = {"host": "localhost:8501"}


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        (None, LOCAL, True),
        ("127.0.0.1", {"Host": "127.0.0.1:8501"}, True),
        ("::1", {"host": "[::1]:8501"}, True),
        ("::ffff:127.0.0.1", LOCAL, True),
        ("192.168.1.7", LOCAL, False),
        ("127.0.0.1", {"host": "verify.example.com"}, False),
        ("127.0.0.1", LOCAL | {"x-forwarded-for": "192.0.2.1"}, False),
        ("127.0.0.1", LOCAL | {"X-Forwarded-Proto": "https"}, False),
        ("127.0.0.1", LOCAL | {"CF-Connecting-IP": "192.0.2.1"}, False),
        ("127.0.0.1", {"host": "localhost.attacker.example"}, False),
        ("127.0.0.1", {"host": "attacker.localhost"}, False),
        ("127.0.0.1", {"host": "[::1"}, False),
        ("127.0.0.1", {}, False),
    ],
)
def test_only_a_direct_request_of_this_machine_is_local(
    address: str | None, headers: dict[str, str], expected: bool
) -> None:
    assert is_local(address, headers) is expected


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "POST"])
def test_from_elsewhere_the_sandbox_is_closed_but_for_its_account(at: World, method: str) -> None:
    """A request through a tunnel comes from this machine, under the name of the tunnel."""
    at.started(number := at.number())
    tunnel = {"Host": "abc.ngrok.example"}
    handset = f"/sandbox/handset/{number}"
    inbox = ("/sandbox/inbox", "/sandbox/inbox/events", f"/sandbox/inbox?search={number[1:]}")
    for path in (handset, f"{handset}/events", "/sandbox/log", *inbox):
        answer = at.http.request(method, path, headers=tunnel)
        assert answer.status_code == 403, path
        assert number.lstrip("+") not in answer.text
    services = at.services
    basic = base64.b64encode(f"{services.settings.auth_id}:{services.auth_token}".encode())
    account = tunnel | {"Authorization": f"Basic {basic.decode()}"}
    assert at.http.get(f"/sandbox/handset/{number}", headers=account).status_code == 200
    token = tunnel | {"Authorization": f"Bearer {services.tokens.sandbox_token}"}
    assert at.http.get(f"/sandbox/handset/{number}", headers=token).status_code == 200
    assert at.http.get("/sandbox/endings", headers=tunnel).status_code == 200
    assert at.http.get("/sandbox/v1/phlo/x/", headers=tunnel).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"},
                {"Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
def test_a_page_of_another_site_changes_nothing_in_the_sandbox(
    at: World, headers: dict[str, str]
) -> None:
    form = headers | {"Content-Type": "text/plain"}
    for path in ("numbers", f"handset/{at.number()}/calls/x/answer", "messages/x/status"):
        answer = at.http.post(f"/sandbox/{path}", content=b"{}", headers=form)
        assert answer.status_code == 403, path
    assert at.http.get("/sandbox/inbox?limit=1", headers=headers).status_code == 200
    own = {"Origin": at.address, "Sec-Fetch-Site": "same-origin"}
    leased = at.http.post("/sandbox/numbers", headers=own)
    assert leased.status_code == 201
    at.http.delete(f"/sandbox/numbers/{leased.json()['lease']}")
