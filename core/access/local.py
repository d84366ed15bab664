"""Decides whether a request comes from this machine itself, with no proxy or tunnel between."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

#: Headers that proxies and tunnels add.
_FORWARDED = {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}


def is_local(address: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the client at `address` is this machine; None is a loopback address, as in
    `st.context.ip_address`. The Host must be a loopback name too: a tunnel's peer is local, and a
    page of another site can reach a local server under its own name."""
    if any(name.lower() in _FORWARDED for name in headers):
        return False
    host = next((value for name, value in headers.items() if name.lower() == "host"), "")
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return (name == "localhost" or is_loopback(name)) and (address is None or is_loopback(address))


def is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return (parsed.ipv4_mapped or parsed).is_loopback
    return parsed.is_loopback
