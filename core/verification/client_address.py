"""Maps a client address to the network that budgets count by."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address


@lru_cache(maxsize=10_000)
def network_of(address: str | None) -> str | None:
    """An IPv4 address, also where a dual-stack server writes it as ::ffff:192.0.2.1, or the /64 of
    an IPv6 address. None where it is not known: a loopback peer may be a proxy that does not name
    its client."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if parsed.is_loopback:
        return None
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(IPv6Network((int(parsed), 64), strict=False))
