"""A client of the sandbox's own routes, for tests and for the QA page.

It uses the standard library only, so this file can be copied into another project.
"""

import base64
import json
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen


class SandboxError(Exception):
    """The sandbox refused a request or did not answer. `status` is the HTTP status; None without
    an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


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
        url = f"{address}{path}{'?' + urlencode(query) if query else ''}"
        headers = {"Accept": "application/json"}
        if self._credentials:
            pair = ":".join(self._credentials).encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = Request(url, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=seconds or self._seconds) as answer:  # noqa: S310
                content = answer.read()
        except HTTPError as error:
            with error:
                raise SandboxError(_cause(error.read()), error.code) from error
        except (OSError, HTTPException) as error:
            raise SandboxError("The sandbox did not answer.") from error
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise SandboxError("The answer of the sandbox is not JSON.") from error

    def chaos(self) -> dict[str, Any]:
        """The document of chaos (README of the sandbox, section Chaos)."""
        document: dict[str, Any] = self.request("GET", "/chaos")
        return document

    def set_chaos(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the document; return it as it is now. Status 400: a field is wrong; 409: its
        `revision` is not the current one."""
        changed: dict[str, Any] = self.request("PUT", "/chaos", dict(document))
        return changed

    def stop_chaos(self) -> None:
        """Turn chaos off and remove all rules."""
        self.request("DELETE", "/chaos")

    def sends(self) -> list[dict[str, Any]]:
        """The newest messages and calls; `next` are the statuses that can be pushed."""
        sends: list[dict[str, Any]] = self.request("GET", "/sends")["sends"]
        return sends

    def push_status(self, channel: str, uuid: str, status: str, **more: Any) -> dict[str, Any]:
        """Push a status onto a message (`channel` "sms") or a call ("call"). `more`: the
        `error_code` or `hangup_cause_code`."""
        kind = "messages" if channel == "sms" else "calls"
        path = f"/{kind}/{uuid}/status"
        send: dict[str, Any] = self.request("POST", path, {"status": status, **more})
        return send


def _cause(content: bytes) -> str:
    """The error in an answer, as a sentence."""
    try:
        return str(json.loads(content)["error"])
    except (ValueError, TypeError, KeyError):
        return content.decode("utf-8", "replace").strip() or "The sandbox refused the request."
