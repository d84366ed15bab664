"""A client of the sandbox's own routes, for tests and for the QA page.

It uses the standard library only, so this file can be copied into another project. A test leases a
number, lets its program send a code to it, and waits for the code:

    sandbox = SandboxClient("http://127.0.0.1:8501/sandbox")
    with sandbox.lease() as lease:
        start_verification(lease.number)
        assert check(sandbox.handset(lease.number).wait().code)

Every method raises SandboxError. The routes are in `core/sandbox/README.md`.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

Json = dict[str, Any]

#: HTTP status of a wait that has timed out.
TIMED_OUT = 408
#: Seconds of the longest wait.
MAX_WAIT = 60


class SandboxError(Exception):
    """The sandbox refused a request or did not answer, with its cause and what to do. `status` is
    the HTTP status; None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class WaitTimedOut(SandboxError):
    """Nothing arrived in time; the text says whether a call waits for an answer or a key."""


class SandboxClient:
    """Calls the sandbox at `address`, such as http://127.0.0.1:8501/sandbox, or at the address that
    a function returns. `credentials` are the account's Auth ID and token: without them, only
    requests of the same machine are admitted."""

    def __init__(
        self,
        address: str | Callable[[], str],
        credentials: tuple[str, str] | None = None,
        *,
        seconds: float = 5.0,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._seconds = seconds

    def handset(self, number: str) -> "Handset":
        """The simulated phone of a number."""
        return Handset(self, number)

    def lease(
        self, *, ending: str = "5555", country: str = "US", count: int = 1, seconds: int = 600
    ) -> "Lease":
        """Numbers that no other test has, with empty handsets. `ending` is the last four digits,
        which decide how a send ends; by default it is delivered. `with` releases them."""
        body = {"ending": ending, "country": country, "count": count, "seconds": seconds}
        return _lease(self, self.request("POST", "/numbers", body))

    def leases(self) -> "list[Lease]":
        """The leases in force, newest first."""
        return [_lease(self, lease) for lease in self.request("GET", "/numbers")["leases"]]

    def release(self, lease: str) -> None:
        """End a lease by its id; one that has ended is no error."""
        self.request("DELETE", _path("numbers", lease))

    def endings(self) -> Json:
        """The table of endings: `groups` and `endings`."""
        table: Json = self.request("GET", "/endings")
        return table

    def inbox(self, search: str = "", *, limit: int = 50, before: int | None = None) -> Json:
        """What arrived on all handsets, newest first: `entries`, and `next_before`, which continues
        with older ones. `search` selects by number, sender, text or code."""
        query: dict[str, str | int | float] = {"search": search, "limit": limit}
        if before is not None:
            query["before"] = before
        page: Json = self.request("GET", "/inbox", query=query)
        return page

    def inbox_entry(self, reference: str) -> Json:
        """One message or call of the inbox, by its UUID."""
        entry: Json = self.request("GET", _path("inbox", reference))
        return entry

    def clear_handsets(self) -> None:
        """Empty all handsets and turn auto-answer off."""
        self.request("DELETE", "/handset")

    def delete_logs(self) -> None:
        """Delete all messages and calls with their logs and callbacks."""
        self.request("DELETE", "/log")

    def reset(self, *kinds: str) -> Json:
        """Reset kinds of state of the application that contains the sandbox: budgets, handsets,
        attempts, sample, test_sessions; without any, all but test_sessions. Returns what was
        removed."""
        query = {"what": ",".join(kinds)} if kinds else None
        removed: Json = self.request("DELETE", "/state", query=query)
        return removed

    def chaos(self) -> Json:
        """The document of chaos (README of the sandbox, section Chaos)."""
        document: Json = self.request("GET", "/chaos")
        return document

    def set_chaos(self, document: Mapping[str, Any]) -> Json:
        """Replace the document; return it as it is now. Status 400: a field is wrong; 409: its
        `revision` is not the current one."""
        changed: Json = self.request("PUT", "/chaos", dict(document))
        return changed

    def stop_chaos(self) -> None:
        """Turn chaos off and remove all rules."""
        self.request("DELETE", "/chaos")

    def sends(self) -> list[Json]:
        """The newest messages and calls; `next` are the statuses that can be pushed."""
        sends: list[Json] = self.request("GET", "/sends")["sends"]
        return sends

    def send(self, uuid: str) -> Json:
        """One of them, however old; `by_chaos`: a rule of chaos acted on it."""
        send: Json = self.request("GET", _path("sends", uuid))
        return send

    def push_status(self, channel: str, uuid: str, status: str, **more: Any) -> Json:
        """Push a status onto a message (`channel` "sms") or a call ("call"). `more`: the
        `error_code` or `hangup_cause_code`."""
        kind = "messages" if channel == "sms" else "calls"
        path = _path(kind, uuid, "status")
        send: Json = self.request("POST", path, {"status": status, **more})
        return send

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str | int | float] | None = None,
        seconds: float | None = None,
    ) -> Any:
        """The JSON of the answer; None where it has no body. `seconds`: the time-out of this
        request. Raises SandboxError."""
        address = self._address if isinstance(self._address, str) else self._address()
        base = address.rstrip("/")
        url = f"{base}{path}{'?' + urlencode(query) if query else ''}"
        headers = {"Accept": "application/json"}
        if self._credentials:
            pair = ":".join(self._credentials).encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            request = Request(url, data=data, headers=headers, method=method)  # noqa: S310
            with urlopen(request, timeout=seconds or self._seconds) as answer:  # noqa: S310
                content = answer.read()
        except HTTPError as error:
            with error:
                kind = WaitTimedOut if error.code == TIMED_OUT else SandboxError
                cause = _cause(error.read()) or _no_sandbox(base, error.code)
                raise kind(cause, error.code) from error
        except (OSError, HTTPException, ValueError) as error:
            # ValueError: the address is no URL, such as that of an app that does not serve yet.
            is_address = isinstance(error, OSError)
            reason = getattr(error, "reason", error) if is_address else "that is no address"
            raise SandboxError(
                f"The sandbox did not answer at {_masked(base)} ({reason}). Start it, or correct "
                "the address, such as http://127.0.0.1:8501/sandbox."
            ) from error
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise SandboxError(_no_sandbox(base, 200)) from error


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that has arrived, a call in which a code was spoken, or a call that rings.

    `channel` is `sms` or `call`; `reference` the UUID of the message or call; `text` that of the
    message, or what was spoken so far. `code` is None where the text has none.
    """

    reference: str
    channel: str
    time: str
    text: str = field(repr=False)
    code: str | None = field(repr=False)
    #: The whole answer: also `from`, and of a call `status` and `transcript`.
    answer: Json = field(repr=False)


class Handset:
    """The simulated phone of a number. `wait` returns each arrival once, in their order, beginning
    with what was on the phone when it was last emptied."""

    def __init__(self, sandbox: SandboxClient, number: str) -> None:
        self._sandbox = sandbox
        self._path = _path("handset", number)
        self._after = ""

    def wait(
        self, *, timeout: float = 30, channel: str = "", reference: str = "", after: str = ""
    ) -> Arrival:
        """Wait for the next message or spoken code. `channel` (sms or call) and `reference` (the
        UUID of a message or call) select; `after` is a moment or the reference of an arrival, in
        place of what the last wait returned. Raises WaitTimedOut."""
        query = {"channel": channel, "reference": reference, "after": after or self._after}
        arrival = self._wait(timeout, query)
        # Not its reference: a moment is valid also when the logs have been deleted.
        self._after = arrival.time
        return arrival

    def wait_for_call(self, *, timeout: float = 30, after: str = "") -> Arrival:
        """Wait until a call rings; `after` is a moment or the reference of an earlier call. For the
        code that is spoken in it, `wait(reference=…)`. Raises WaitTimedOut."""
        return self._wait(timeout, {"for": "ringing", "after": after})

    def answer(self, call: str) -> Json:
        """Answer a ringing call; returns the handset, as all methods below do."""
        return self._act("POST", _path("calls", call, "answer"))

    def decline(self, call: str) -> Json:
        """Decline a ringing call."""
        return self._act("POST", _path("calls", call, "decline"))

    def press(self, call: str, key: str) -> Json:
        """Press a key in a call: 0-9, * or #."""
        return self._act("POST", _path("calls", call, "press", key))

    def hangup(self, call: str) -> Json:
        """Hang up a call in progress."""
        return self._act("POST", _path("calls", call, "hangup"))

    def auto_answer(self, on: bool = True, *, press: str = "1") -> Json:
        """Answer calls by itself, and press a key when one is asked for; "" presses none."""
        return self._act("PUT", "/auto-answer", {"on": on, "press": press})

    def look(self) -> Json:
        """The newest messages and calls on the phone."""
        return self._act("GET", "")

    def clear(self) -> Json:
        """Empty the phone."""
        return self._act("DELETE", "")

    def _act(self, method: str, path: str, body: object = None) -> Json:
        handset: Json = self._sandbox.request(method, self._path + path, body)
        return handset

    def _wait(self, timeout: float, query: dict[str, str]) -> Arrival:
        if not timeout <= MAX_WAIT:
            raise SandboxError(f"A wait takes at most {MAX_WAIT} seconds. For more, wait again.")
        timeout = max(timeout, 0)  # the deadline of a test may have passed
        parameters = {name: value for name, value in query.items() if value}
        answer = self._sandbox.request(
            "GET",
            f"{self._path}/wait",
            query={**parameters, "timeout": timeout},
            seconds=timeout + 5,
        )
        fields = {name: answer[name] for name in ("reference", "channel", "time", "text", "code")}
        return Arrival(**fields, answer=answer)


@dataclass(frozen=True, slots=True)
class Lease:
    """Numbers that belong to this test until `expires_at` (UTC, ISO 8601)."""

    id: str
    numbers: tuple[str, ...]
    country: str
    ending: str
    expires_at: str
    _sandbox: SandboxClient = field(repr=False, compare=False)

    @property
    def number(self) -> str:
        """The first number."""
        return self.numbers[0]

    def renew(self, seconds: int = 600) -> "Lease":
        """The same numbers until `seconds` from now."""
        path = _path("numbers", self.id)
        return _lease(self._sandbox, self._sandbox.request("PUT", path, {"seconds": seconds}))

    def release(self) -> None:
        """Give the numbers back."""
        self._sandbox.release(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _lease(sandbox: SandboxClient, answer: Json) -> Lease:
    fields = {name: answer[name] for name in ("country", "ending", "expires_at")}
    return Lease(answer["lease"], tuple(answer["numbers"]), **fields, _sandbox=sandbox)


def _path(*parts: str) -> str:
    """A path of these parts. An empty one would be another path, such as that of all handsets."""
    if not all(parts):
        raise SandboxError("A number, an id or a key is empty. Pass the one that you mean.")
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def _cause(content: bytes) -> str:
    """The error in an answer, as a sentence; "" for a page of HTML and for no text."""
    text = content.decode("utf-8", "replace").strip()
    try:
        answer = json.loads(text)
        if "error" in answer:
            return str(answer["error"])
        return f"{answer['cause']} {answer['remedy']}"
    except (ValueError, TypeError, KeyError):
        return "" if text.startswith("<") else text


def _no_sandbox(address: str, status: int) -> str:
    return (
        f"What answers at {_masked(address)} is no sandbox (HTTP {status}). Correct the address: "
        "that of an app ends in /sandbox."
    )


def _masked(address: str) -> str:
    """The address without user and password."""
    scheme, separator, rest = address.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
