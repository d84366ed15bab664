"""Clients that are slow or gone: a deadline for bodies, no traceback, and files enough."""

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from core.sandbox.api.answers import read_json
from core.web.body_deadline import BodyDeadline
from core.web.rest.application import rest_api
from tests.world import PATIENCE_SECONDS, World, served, until

#: Routes that read a body, as the product has them.
PATHS = [
    "/plivo/message/token",
    "/plivo/answer/token",
    "/admin/sign-in",
    "/api/v1/verifications",
    "/api/v1/attempts/search",
    "/sandbox/v1/Account/{auth_id}/Message/",
    "/sandbox/v1/Account/{auth_id}/Call/",
]


def raw(
    address: str,
    path: str,
    *more: str,
    length: int = 1000,
    body: bytes = b"",
    kind: str = "application/json",
) -> bytes:
    """A request whose body is shorter than it says."""
    host = address.removeprefix("http://")
    lines = [
        f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {length}",
        f"Content-Type: {kind}", *more, "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + body


def connected(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)


@pytest.fixture
def slow(at: World) -> Iterator[str]:
    """Routes that read bodies in each way that ours do, behind a short deadline."""

    async def whole(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def form(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.form())))

    async def stream(request: Request) -> Response:
        return PlainTextResponse(str([chunk async for chunk in request.stream()]))

    async def sandbox(request: Request) -> Response:
        return PlainTextResponse(str(await read_json(request)))

    paths = {"/whole": whole, "/form": form, "/stream": stream, "/sandbox": sandbox}
    app = Starlette(
        routes=[
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in paths.items()),
            Mount("/api/v1", app=rest_api(lambda: at.services)),
        ],
        middleware=[Middleware(BodyDeadline, seconds=0.3)],
    )
    with served(app) as address:
        yield address


@pytest.mark.parametrize(
    "path", ["/whole", "/form", "/stream", "/sandbox", "/api/v1/verifications"]
)
@pytest.mark.parametrize("body", [b"", b'{"number": '], ids=["none", "a-part"])
def test_a_body_that_does_not_arrive_in_time_is_408(
    at: World, slow: str, path: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    token = f"Authorization: Bearer {at.services.tokens.sandbox_token}"
    kind = "application/x-www-form-urlencoded" if path == "/form" else "application/json"
    with connected(slow) as client:
        client.sendall(raw(slow, path, token, body=body, kind=kind))
        answer = client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        # Closed, so that the file is free again.
        assert b"connection: close" in answer.lower()
    assert not [record for record in caplog.records if record.exc_info]


def test_drops_of_a_body_do_not_prolong_the_deadline(slow: str) -> None:
    with connected(slow) as client:
        client.sendall(raw(slow, "/whole", length=100_000))
        client.settimeout(0.05)

        def answer() -> bytes:
            try:
                client.sendall(b"x")
                return client.recv(4096)
            except TimeoutError:
                return b""

        assert until(answer).startswith(b"HTTP/1.1 408 ")


def test_a_whole_body_is_read_and_a_slow_answer_has_no_deadline(slow: str) -> None:
    with connected(slow) as client:
        client.sendall(raw(slow, "/whole", length=5, body=b"12345"))
        answer = b""
        while not answer.endswith(b"5"):
            answer += client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", PATHS)
def test_a_client_that_goes_while_its_body_is_read_leaves_no_traceback(
    at: World, path: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = path.format(auth_id=at.services.settings.auth_id)
    token = f"Authorization: Bearer {at.services.tokens.sandbox_token}"
    for _ in range(5):
        with connected(at.address) as client:
            client.sendall(raw(at.address, path, token, body=b"a=", kind=kind))
    # The server answers later requests, so it has dealt with those.
    assert at.http.get("/api/v1/health").status_code == 200
    errors = [r for r in caplog.records if r.exc_info or r.levelno >= logging.ERROR]
    assert errors == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_limit_of_open_files_is_raised_as_far_as_allowed() -> None:
    code = (
        "import resource as r; from core.web.open_files import raise_file_limit\n"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1]\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (256, hard)); raise_file_limit()\n"
        "print(r.getrlimit(r.RLIMIT_NOFILE)[0], min(hard, 65536) if hard > 0 else 65536)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    limit, allowed = done.stdout.split()
    assert limit == allowed
    assert int(limit) > 256
