"""Counts open websockets, by client address and in total."""

from collections import Counter
from ipaddress import IPv6Address, ip_address
from weakref import WeakValueDictionary

from starlette.types import Scope

from pages.components.protocol.turns import Visitor

#: A whole office may share one address.
PER_ADDRESS = 64
PER_PROCESS = 1000


class Sockets:
    """Counts sockets. Without a client address, only the limit of the process applies."""

    def __init__(self, per_address: int = PER_ADDRESS, per_process: int = PER_PROCESS) -> None:
        self._per_address = per_address
        self._per_process = per_process
        self._open: Counter[str | None] = Counter()
        self._visitors: WeakValueDictionary[str, Visitor] = WeakValueDictionary()

    def open(self, address: str | None) -> bool:
        """Count a socket; False, without counting it, if the limit is reached."""
        is_full = self._open.total() >= self._per_process
        if is_full or (address is not None and self._open[address] >= self._per_address):
            return False
        self._open[address] += 1
        return True

    def close(self, address: str | None) -> None:
        """A counted socket has closed."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def visitor(self, address: str | None) -> Visitor:
        """The visitor whose share of the turns a socket of this address uses."""
        if address is None:
            return Visitor()
        return self._visitors.setdefault(address, Visitor())


def client_address(scope: Scope) -> str | None:
    """The client's address, or its /64 network for IPv6, as the server sees it (with a
    proxy's `X-Forwarded-For`); None for this machine itself, as in `st.context.ip_address`."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)
