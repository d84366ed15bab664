"""What chaos of the sandbox does now, for the band on every page, and its switch.

Decision: only `read` asks the sandbox, and only the push to open windows calls it
(`core.web.live_chaos`): no run of a page waits for the sandbox, and without a window nothing asks.
"""

import time
from functools import lru_cache

from core.lab.chaos import change_chaos
from core.lab.sandbox_client import SandboxClient, SandboxError
from core.wording.chaos import band_words, effects_words

#: After this long without a read, the last answer may be wrong.
_FRESH_SECONDS = 10.0
_NOT_FOUND = 404


class ChaosWatch:
    """Reads chaos from the sandbox, and turns it off."""

    def __init__(self, sandbox: SandboxClient) -> None:
        self._sandbox = sandbox
        self._latest, self._read_at = "", 0.0
        # The sandbox decides the effects on a send as it accepts it. An error is not kept.
        self._effects = lru_cache(maxsize=1000)(self._read_effects)

    @property
    def latest(self) -> str:
        """The words of the band as of the last read; "" if that was long ago."""
        is_fresh = time.monotonic() - self._read_at < _FRESH_SECONDS
        return self._latest if is_fresh else ""

    def read(self) -> str:
        """The words of the band; "" while chaos is off, or the sandbox does not answer."""
        try:
            document = self._sandbox.chaos()
            is_active = document["on"] and document["rules"]
            self._latest = band_words(document["rules"]) if is_active else ""
        # The others: the document of another version of the sandbox has no words here.
        except (SandboxError, KeyError, TypeError, ValueError):
            self._latest = ""
        self._read_at = time.monotonic()
        return self._latest

    def effects_on(self, reference: str) -> str:
        """What rules of chaos did to a message or call, in words; "" if they did nothing, or the
        sandbox does not know it (any more). A session's report asks for hundreds."""
        try:
            return self._effects(reference) if reference else ""
        except SandboxError as error:
            return "" if error.status == _NOT_FOUND else "not known, the sandbox does not answer"

    def _read_effects(self, reference: str) -> str:
        send = self._sandbox.send(reference)
        return effects_words(send["effects"]) if send["by_chaos"] else ""

    def turn_off(self) -> None:
        """Turn chaos off and keep its rules. Raises SandboxError."""
        change_chaos(self._sandbox, lambda document: {**document, "on": False})
        self.read()
