"""The address at which Plivo reports on attempts, and the URLs of each attempt below it."""

import logging
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallbackUrls:
    """The URLs where Plivo reports on an attempt. Each has the attempt's token, none the code."""

    message: str
    answer: str
    ring: str
    hangup: str


class CallbackAddress:
    """The public base of our callback URLs, and the URLs of each attempt below it.

    `public_url` has precedence. Without it only the sandbox in the same process can call back, at
    the address that the server listens on (`listening_on`).

    `file` holds that address while this process runs, for commands that call its sandbox.
    """

    def __init__(
        self, public_url: str | None, *, local_allowed: bool, file: Path | None = None
    ) -> None:
        self._public_url = public_url
        self._local_allowed = local_allowed
        self._file = file
        self._local: str | None = None

    def listening_on(self, url: str) -> None:
        """Set the server's own address, such as `http://127.0.0.1:8501`."""
        if url == self._local:
            return
        self._local = url
        if self._file is not None:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.write_text(url)
            except OSError as error:
                log.warning("address not written", extra={"cause": error.strerror})

    def withdraw(self) -> None:
        """Remove the file, if this process wrote it."""
        if self._file is not None and self._local is not None:
            self._file.unlink(missing_ok=True)

    @property
    def beside(self) -> str | None:
        """The address of the application that runs in the same folder; None if none does."""
        if self._local is None and self._file is not None and self._file.exists():
            return self._file.read_text() or None
        return self._local

    @property
    def local(self) -> str | None:
        """The address this process serves; None before it is known."""
        return self._local

    @property
    def base(self) -> str | None:
        """Without a trailing slash; None when no callback can arrive."""
        if self._public_url:
            return self._public_url
        return self._local if self._local_allowed else None

    def urls(self, token: str) -> CallbackUrls | None:
        """The URLs for the attempt with this token; None when no callback can arrive."""
        if self.base is None:
            return None
        return CallbackUrls(
            message=f"{self.base}/plivo/message/{token}",
            answer=f"{self.base}/plivo/answer/{token}",
            ring=f"{self.base}/plivo/ring/{token}",
            hangup=f"{self.base}/plivo/hangup/{token}",
        )
