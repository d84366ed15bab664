"""Links that open the simulated handset of one verification on a phone in someone's hand.

    https://verify.example.com/handset#<handle>

Decision: the handle is an HMAC of the verification's id, so that every rerun of a page has the same
link and nothing else can make one. It is in the fragment, which browsers do not send, so no log of
a server or proxy has it. Redis has only its keyed digest. Neither the id, which opens the
verification's page, nor the number can be derived from it.
Rejected: the id itself, signed. It would open the page, where the code can be checked and resent.
"""

import socket
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from core.access.local import is_loopback
from core.model.clock import Clock
from core.model.verification import Status, Verification
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys

PAGE = "/handset"
_PROBE_SECONDS = 0.3
#: An address of no host (RFC 5737): no packet is sent to it.
_ANYWHERE = ("192.0.2.1", 9)

NO_ADDRESS = (
    "No phone can reach this app: it listens on this machine only.",
    "For phones in the same network, start it with --server.address 0.0.0.0. For others, start a "
    "tunnel such as ngrok and set PUBLIC_URL to its address.",
)


class PhoneLinks:
    """Makes links and finds their verifications. `local_url` returns the address that this process
    serves, None before it is known."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        keyring: Keyring,
        clock: Clock,
        public_url: str | None,
        local_url: Callable[[], str | None],
    ) -> None:
        self._client = client
        self._keys = keys
        self._keyring = keyring
        self._clock = clock
        self._public_url = public_url
        self._local_url = local_url

    def address(self) -> str | None:
        """Where a phone reaches this app: PUBLIC_URL, else its address in the local network if it
        listens there; None if neither is usable."""
        if self._public_url:
            return self._public_url
        local_url = self._local_url()
        if local_url is None:
            return None
        host, port = urlsplit(local_url).hostname or "", urlsplit(local_url).port or 80
        if not is_loopback(host):
            return local_url
        network_host = _network_host()
        if network_host is None or not _is_listening(network_host, port):
            return None
        return f"http://{network_host}:{port}"

    def link(self, verification: Verification) -> str | None:
        """The link of a pending verification; None if no phone can reach this app. It ends with
        the verification. Raises StoreUnavailable."""
        address = self.address()
        return address and f"{address}{PAGE}#{self.handle(verification)}"

    def handle(self, verification: Verification) -> str:
        """The handle of a pending verification, stored until that expires. Raises ValueError if it
        is not pending, and StoreUnavailable."""
        left = verification.expires_at - self._clock.now()
        if verification.status is not Status.PENDING or left < timedelta(milliseconds=1):
            raise ValueError("only a pending verification has a handle")
        handle = self._keyring.phone_handle(verification.id)
        self._client.set(self._key(handle), verification.id, px=left, nx=False)
        return handle

    def find(self, handle: str) -> str | None:
        """The id of the verification that a handle opens, which may have ended; None for a handle
        that is forged or expired. Raises StoreUnavailable."""
        return self._client.get(self._key(handle))

    def _key(self, handle: str) -> str:
        return self._keys.phone(self._keyring.phone_index(handle))


def is_this_machine(link: str) -> bool:
    """Whether only browsers of this machine can open it."""
    host = urlsplit(link).hostname or ""
    return host == "localhost" or is_loopback(host)


def _network_host() -> str | None:
    """This machine's address in its network; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
            host = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if is_loopback(host) or host == "0.0.0.0" else host  # noqa: S104


def _is_listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _PROBE_SECONDS).close()
    except OSError:
        return False
    return True
