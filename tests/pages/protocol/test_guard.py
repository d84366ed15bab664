"""What visitors can send to the server of the pages: each message, each path, and too much of it.

The app runs as a process of its own, so that its threads, files and memory can be counted.
"""

import itertools
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from core.access.tokens import sandbox_token
from core.settings.credentials import secret_key
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from pages.components.protocol.messages import ALLOWED, LONGEST
from pages.components.protocol.paths import STREAM
from pages.components.protocol.sockets import PER_ADDRESS
from tests.browser.app_log import LogPart
from tests.browser.conftest import App
from tests.world import PATIENCE_SECONDS, until

KINDS = [field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields]
#: A websocket of ours: the changes of a handset.
PUSH = "/sandbox/handset/14155550123/events"
SESSION = "00000000-0000-0000-0000-000000000000"
#: Streamlit keeps this many disconnected sessions, each with a loop of three files.
KEPT_SESSIONS, FILES_PER_SESSION = 128, 3
HEADERS = {
    "content-security-policy": "frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    running = App(tmp_path_factory.mktemp("visited"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def http(app: App) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.address, timeout=PATIENCE_SECONDS) as client:
        yield client


def opened(app: App, origin: str | None = None, path: str = STREAM, **headers: str) -> Any:
    return connect(
        f"ws://localhost:{app.port}{path}",
        origin=Origin(origin or app.address),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers=headers,
        compression=None,
        open_timeout=30,
        close_timeout=1,
        max_size=None,
    )


def message(kind: str) -> bytes:
    """The shortest message of this kind."""
    made = BackMsg()
    field = BackMsg.DESCRIPTOR.fields_by_name[kind]
    if field.message_type is None:
        setattr(made, kind, True)
    else:
        getattr(made, kind).SetInParent()
    return bytes(made.SerializeToString())


def operation(payload: str) -> bytes:
    made = BackMsg()
    getattr(made.backend_operation_request, payload).SetInParent()
    return bytes(made.SerializeToString())


def rerun(page: str = "") -> bytes:
    made = BackMsg()
    made.rerun_script.page_name = page
    return bytes(made.SerializeToString())


def answered(socket: ClientConnection, *kinds: str) -> None:
    """Read until a message of one of these kinds comes."""
    kind = None
    while kind not in kinds:
        data = socket.recv(timeout=PATIENCE_SECONDS, decode=False)
        kind = ForwardMsg.FromString(data).WhichOneof("type")


def is_dropped(app: App, *sent: bytes | str) -> bool:
    """Whether a socket that sends this, and then a heartbeat, is closed instead of answered."""
    with opened(app) as socket:
        try:
            for data in sent:
                socket.send(data)
            socket.send(message("app_heartbeat"))
            # A rerun empties the queue of what waits for the browser, such as that answer.
            answered(socket, "heartbeat_ack", "script_finished")
        except ConnectionClosed:
            return True
    return False


def visit(app: App, page: str = "") -> float:
    """The seconds until a new visitor's page has been drawn."""
    began = time.monotonic()
    with opened(app) as socket:
        socket.send(rerun(page))
        answered(socket, "script_finished")
    return time.monotonic() - began


def held(app: App) -> tuple[int, int, int]:
    """Threads, open files, and megabytes of memory."""
    folder = Path(f"/proc/{app.pid}")
    if not folder.exists():
        pytest.skip("the machine has no /proc")
    found = re.search(r"VmRSS:\s+(\d+)", (folder / "status").read_text())
    assert found is not None
    threads, files = (len(list((folder / name).iterdir())) for name in ("task", "fd"))
    return threads, files, int(found[1]) // 1024


def figures(text: str) -> None:
    """Reported, never asserted: pytest shows it with -s, or where a test fails."""
    print(text)  # noqa: T201


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_served_only_if_our_pages_send_it(app: App, kind: str) -> None:
    if kind == "backend_operation_request":
        assert not is_dropped(app, operation("deferred_file"))
    else:
        assert is_dropped(app, message(kind)) == (kind not in ALLOWED)


@pytest.mark.parametrize("payload", ["install_skills", "dismiss_skills_nudge"])
def test_an_operation_of_streamlits_developers_is_not_served(app: App, payload: str) -> None:
    assert is_dropped(app, operation(payload))


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff" * 40, b"\x00", rerun()[:-1], "text", "", b"\x0a" * (LONGEST + 1)],
    ids=["empty", "bytes", "zero", "cut", "text", "empty-text", "long"],
)
def test_what_is_no_message_closes_the_socket_without_a_traceback(
    app: App, data: bytes | str
) -> None:
    assert is_dropped(app, data)
    assert LogPart(app.log, whole=True).tracebacks() == ""


def test_a_long_but_allowed_message_is_served(app: App) -> None:
    made = BackMsg()
    made.rerun_script.query_string = "q" * (LONGEST - 100)
    assert not is_dropped(app, made.SerializeToString())


def test_no_visitor_empties_the_caches_or_builds_the_services_again(
    app: App, http: httpx.Client
) -> None:
    visit(app)
    before = held(app)
    for _ in range(60):
        is_dropped(app, message("clear_cache"))
    after = held(app)
    figures(f"threads, files, MB: {before}, after 60 messages clear_cache {after}")
    assert http.get("/api/v1/health").status_code == 200
    assert after[0] <= before[0] + 10
    assert app.log.read_text().count("core.web.app started") == 1


UPLOAD = f"/_stcore/upload_file/{SESSION}/file"
CLOSED = [
    *(UPLOAD, "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/anything"),
    *("/_stcore/agent/interact", "/_stcore/agent/openapi.json", "/_stcore/agent/mcp"),
    *("/_stcore/bidi-components/x/y.js", "/_stcore/stream", "/_stcore", "/_stcore/"),
    *("/auth/login", "/auth/logout", "/oauth2callback", "/app/static/x", "/component/x/y"),
    *("/healthz", "/nothing", "/base/_stcore/upload_file/a/b", "/delivery/_stcore/metrics"),
]


@pytest.mark.parametrize("path", CLOSED)
def test_a_path_that_our_pages_do_not_use_is_404_for_every_method(
    http: httpx.Client, path: str
) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert http.request(method, path).status_code == 404, method


@pytest.mark.parametrize(
    "path",
    [
        *(f"/{UPLOAD}", UPLOAD.replace("_stcore/", "_stcore//"), UPLOAD.upper(), f"{UPLOAD}/"),
        *(f"/.{UPLOAD}", f"/x/..{UPLOAD}", UPLOAD.replace("_", "%5F"), UPLOAD.replace("/", "%2F")),
        *(f"/%2e{UPLOAD}", UPLOAD.replace("/", "\\"), f"/%2e%2e{UPLOAD}"),
        *(f"{UPLOAD};x", f"{UPLOAD}%00"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_no_other_spelling_opens_the_uploads(app: App, method: str, path: str) -> None:
    # http.client sends the path as it is written.
    connection = app.connection()
    connection.request(method, path if path.startswith("/") else f"/{path}", body=b"x")
    assert connection.getresponse().status == 404
    connection.close()


def test_the_paths_of_our_pages_are_served(http: httpx.Client) -> None:
    for path in ("/", "/delivery", "/attempts", "/api", "/_stcore/health", "/favicon.png"):
        assert http.get(path).status_code == 200, path
    script = re.search(r'src="\.(/static/js/[^"]+)"', http.get("/").text)
    assert script is not None
    assert http.get(script[1]).status_code == 200
    assert http.get("/delivery/", follow_redirects=True).url.path == "/delivery"


def test_no_other_origin_may_steer_a_page_that_it_embeds(http: httpx.Client) -> None:
    config = http.get("/_stcore/host-config", headers={"Origin": "https://evil.example"})
    assert config.json()["allowedOrigins"] == []
    assert config.json()["blockErrorDialogs"] is True
    assert "access-control-allow-origin" not in config.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/", "/delivery", "/nothing", "/favicon.png", "/delivery/")),
        *(("GET", path) for path in ("/_stcore/health", "/_stcore/host-config", "/media/x.png")),
        *(("GET", path) for path in ("/api/v1/health", "/api/v1/docs", "/api/v1/x", "/metrics")),
        *(("GET", path) for path in ("/live/x", "/sandbox/handset/14155550123", "/sandbox/x")),
        *(("GET", path) for path in ("/admin/sign-in", "/checkcode/+14155550123/123456")),
        *(("POST", path) for path in ("/plivo/message/x", "/admin/sign-in", "/", "/x/../y")),
        ("POST", "/api/v1/verifications"),
        ("PUT", UPLOAD),
        ("GET", "//x"),
    ],
)
def test_every_answer_says_who_may_frame_it_and_what_a_link_tells(
    http: httpx.Client, method: str, path: str
) -> None:
    with http.stream(method, path) as answer:
        headers = {name: answer.headers.get(name) for name in HEADERS}
    # An answer to a form with a secret passes no referrer on, not even within the site.
    strict = HEADERS | {"referrer-policy": "no-referrer"}
    assert headers == (strict if (method, path) == ("POST", "/admin/sign-in") else HEADERS)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://[", "null", "http://localhost:1", "http://", "x"]
)
@pytest.mark.parametrize("path", [STREAM, PUSH])
def test_a_websocket_of_another_origin_is_refused_with_the_headers(
    app: App, origin: str, path: str
) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(app, origin=origin, path=path):
        pass
    answer = refused.value.response
    assert answer.status_code == 403
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ["/", "/_stcore/streams", "/live", "/sandbox/x", "/api/v1/x"])
def test_there_is_no_other_websocket(app: App, path: str) -> None:
    with (
        pytest.raises(InvalidStatus),
        connect(f"ws://localhost:{app.port}{path}", origin=Origin(app.address)),
    ):
        pass


def test_a_push_of_ours_passes_and_an_address_may_open_so_many(
    app: App, http: httpx.Client
) -> None:
    # From elsewhere, a handset needs a token.
    secret = secret_key(Settings(data_dir=app.log.parent))
    bearer = f"Bearer {sandbox_token(Keyring(secret))}"
    mine = {"X-Forwarded-For": "203.0.113.19", "Authorization": bearer}
    with ExitStack() as stack:
        for _ in range(2 * PER_ADDRESS):
            last = stack.enter_context(opened(app, path=PUSH, **mine))
        with pytest.raises(InvalidStatus):
            opened(app, path=PUSH, **mine)
        # They leave the sockets of Streamlit their own share.
        stack.enter_context(opened(app, **mine))
        stack.enter_context(opened(app, path=PUSH))
        http.delete(PUSH.removesuffix("/events")).raise_for_status()
        assert last.recv(timeout=PATIENCE_SECONDS) == "changed"


def test_an_address_may_open_so_many_sockets_and_an_unknown_one_more(app: App) -> None:
    assert PER_ADDRESS >= 32
    mine = {"X-Forwarded-For": "203.0.113.9"}
    with ExitStack() as stack:
        for _ in range(PER_ADDRESS):
            stack.enter_context(opened(app, **mine))
        with pytest.raises(InvalidStatus):
            opened(app, **mine)
        for other in ("203.0.113.10", "2001:db8::1"):
            stack.enter_context(opened(app, **{"X-Forwarded-For": other}))
        # From this machine itself: no address is known, and only the process has a limit.
        for _ in range(PER_ADDRESS + 1):
            stack.enter_context(opened(app))

    def is_free_again() -> bool:
        try:
            with opened(app, **mine):
                return True
        except InvalidStatus:
            return False

    until(is_free_again)


def test_one_network_of_ipv6_counts_as_one_address(app: App) -> None:
    network = "2001:db8:0:7"
    with ExitStack() as stack:
        for n in range(PER_ADDRESS):
            stack.enter_context(opened(app, **{"X-Forwarded-For": f"{network}::{n + 1:x}"}))
        with pytest.raises(InvalidStatus), opened(app, **{"X-Forwarded-For": f"{network}:ffff::1"}):
            pass


def flood(app: App, stop: threading.Event, page: str, gap: float, most: int) -> None:
    """Ask for reruns, at most so many in all, with so many seconds between two; reconnect."""
    sent = itertools.count()
    while not stop.is_set() and next(sent) < most:
        try:
            with opened(app) as socket:
                while not stop.wait(gap) and next(sent) < most:
                    socket.send(rerun(page), text=False)
        except (ConnectionClosed, OSError, InvalidStatus, TimeoutError):
            continue


@pytest.mark.parametrize("gap", [0.0, 0.06], ids=["as-fast-as-it-can", "within-its-budget"])
@pytest.mark.parametrize("page", ["", "delivery"], ids=["verify", "delivery"])
def test_a_flood_of_reruns_holds_up_nobody_else(app: App, page: str, gap: float) -> None:
    quiet = visit(app)
    threads, files, megabytes = held(app)
    stop = threading.Event()
    flooding = [
        threading.Thread(target=flood, args=(app, stop, page, gap, 5_000), daemon=True)
        for _ in range(8)
    ]
    for thread in flooding:
        thread.start()
    try:
        waits = [visit(app) for _ in range(6)]
        during = held(app)
    finally:
        stop.set()
        for thread in flooding:
            thread.join(30)
    after = held(app)
    figures(
        f"another visitor waited {max(waits):.2f} s at most (quiet: {quiet:.2f} s); threads, "
        f"files, MB: {(threads, files, megabytes)} before, {during} during, {after} after"
    )
    assert during[0] <= threads + 40
    assert after[0] <= threads + 20
    assert after[1] <= files + KEPT_SESSIONS * FILES_PER_SESSION
    assert after[2] <= megabytes + 150
    assert LogPart(app.log, whole=True).tracebacks() == ""
