"""An HTTP server with scripted answers, for those that neither Plivo nor the sandbox gives."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from core.model.code import Code
from core.model.phone_number import PhoneNumber
from core.plivo.client import PlivoClients
from core.plivo.sdk_call import SdkCall

AUTH_ID = "MATESTTESTTESTTEST00"
AUTH_TOKEN = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4"
PHLO_ID = "5a4db0c5-0000-4000-8000-000000000001"
REFERENCE = "5b40a428-bfc7-4daf-9d06-726c558bf3b8"
SENDER, TO = "+14155550100", "+14155557623"
TO_NUMBER = PhoneNumber(TO, "+1 415 ••• ••23", "US", "United States")
# The longest code that is not masked as a number.
CODE = "0471182"
TOKEN = "abcdefghijklmnopqrstuvwx-1.kq0zXcV-2_signature"

MESSAGE = SdkCall(
    "messages.create",
    {
        "src": SENDER,
        "dst": TO,
        "text": f"{CODE} is your code.",
        "log": "false",
        "url": f"https://example.com/plivo/message/{TOKEN}",
    },
    code=Code(CODE),
)
CALL = SdkCall(
    "calls.create",
    {"from_": SENDER, "to_": TO, "answer_url": f"https://example.com/plivo/answer/{TOKEN}"},
    code=Code(CODE),
)
RUN = SdkCall(
    "phlo.run", {"from": SENDER, "to": TO, "otp": CODE, "mode": "call"}, PHLO_ID, code=Code(CODE)
)
RECORD = SdkCall("messages.get", {"message_uuid": REFERENCE})


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. `cut`: the connection ends in the middle of the body; -1, before the status.
    `held`: the answer waits until it is set."""

    status: int = 202
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    held: threading.Event | None = None


def json_answer(status: int, **body: Any) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(body).encode())


ACCEPTED = json_answer(202, message="queued", message_uuid=[REFERENCE], request_uuid=REFERENCE)
FLOW = json_answer(200, api_id=REFERENCE, phlo_id=PHLO_ID, name="codes")


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that arrived. `port` is the client's: it names the connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON of the body."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields


class Scripted:
    """A running server. `answer` may be replaced at any time; `requests` are all so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[ReceivedRequest] = []
        self.answer: Callable[[ReceivedRequest], Answer] = lambda _: ACCEPTED

    def answer_with(self, *answers: Answer) -> None:
        """Give these answers in turn, and the last one again and again."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    @property
    def sent(self) -> list[ReceivedRequest]:
        """The requests that would have sent something."""
        return [request for request in self.requests if request.method == "POST"]

    def clients(self, read_seconds: float = 5) -> PlivoClients:
        """The product's clients, with this server in Plivo's place."""
        timeout = (1, read_seconds)
        return PlivoClients(AUTH_ID, AUTH_TOKEN, timeout=timeout, base=lambda: self.url)


@contextmanager
def scripted(tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """A server on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Small answers in two packets would wait for each other.
        disable_nagle_algorithm = True

        def _play(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = ReceivedRequest(
                self.command, self.path, dict(self.headers), body, self.client_address[1]
            )
            script.requests.append(request)
            answer = script.answer(request)
            if answer.held is not None:
                answer.held.wait(60)
            self.close_connection = answer.cut is not None or answer.held is not None
            if answer.cut == -1:
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut])

        do_GET = do_POST = do_DELETE = _play

        def log_message(self, format: str, *args: Any) -> None:
            """Logs nothing: a test reads `requests`."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # Connections that wait to be accepted: more than any test opens at once.
        request_queue_size = 256

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Logs nothing: some tests make a client give up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        script = Scripted(f"{scheme}://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
