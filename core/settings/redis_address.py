"""Parses REDIS_URL.

    redis://[user:password@]host[:6379][/db]                 a server; rediss:// with TLS
    unix:///path/to/socket[?db=0]                            a server on this machine
    redis+cluster://[user:password@]host[:6379],…            a Cluster; rediss+cluster:// with TLS
    redis+sentinel://[user:password@]host[:26379],…/service[/db]

Decision: our own parser around `urlsplit`, not `Redis.from_url`. That function ignores a database
that is not a number, supports neither Cluster nor Sentinel, and lets the query enable retries,
which `connection.py` must exclude. Only the options below are allowed in the query.

A password with an unencoded `#` or `/` makes another valid URL with another host. So a fragment,
and an `@` after the host, are refused, with the encoding of such passwords.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_TLS_OPTIONS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}


class RedisKind(StrEnum):
    """The kind of server at the address."""

    SERVER = "server"
    SOCKET = "socket"
    CLUSTER = "cluster"
    SENTINEL = "sentinel"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A parsed REDIS_URL. `hosts` are the Sentinels of a SENTINEL, or nodes of a CLUSTER (at least
    one must answer); empty for a SOCKET."""

    kind: RedisKind
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    db: int = 0
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)
    #: Files for TLS: ssl_ca_certs, ssl_certfile, ssl_keyfile.
    tls_files: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The address for people and logs, without user and password."""
        if self.kind is RedisKind.SOCKET:
            return f"unix://{self.path}"
        hosts = ",".join(f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in self.hosts)
        scheme = "rediss" if self.tls else "redis"
        if self.kind is not RedisKind.SERVER:
            scheme += f"+{self.kind}"
        parts = [hosts, self.service, str(self.db) if self.db else ""]
        return f"{scheme}://{'/'.join(part for part in parts if part)}"


_SCHEMES = {
    "redis": (RedisKind.SERVER, False),
    "rediss": (RedisKind.SERVER, True),
    "unix": (RedisKind.SOCKET, False),
    "redis+cluster": (RedisKind.CLUSTER, False),
    "rediss+cluster": (RedisKind.CLUSTER, True),
    "redis+sentinel": (RedisKind.SENTINEL, False),
}
_RULES = {
    RedisKind.SERVER: "redis://host:6379/0 (rediss:// with TLS)",
    RedisKind.SOCKET: "unix:///path/to/socket",
    RedisKind.CLUSTER: (
        "redis+cluster://host:6379,host2:6379 (rediss+cluster:// with TLS), without a database"
    ),
    RedisKind.SENTINEL: "redis+sentinel://host:26379,host2:26379/service/0",
}
_ENCODING = (
    "; in a user and a password write %23 for #, %2F for /, %3F for ?, %40 for @ and %25 for %"
    " (core/store/README.md prints a password like that)"
)


def parse_address(url: str) -> RedisAddress:
    """The address in `url`. Raises ValueError with the allowed form; never quotes the URL."""
    scheme, _, _ = url.partition("://")
    if scheme not in _SCHEMES:
        raise ValueError(f"one of {'; '.join(_RULES.values())}")
    kind, tls = _SCHEMES[scheme]
    try:
        if "#" in url:
            raise _Rule(_RULES[kind])
        return _parse(kind, tls, urlsplit(url))
    except ValueError as error:
        rule = str(error) if type(error) is _Rule else _RULES[kind]
        if "@" in url or "#" in url:
            rule += _ENCODING
        # `from None`: messages of urlsplit and int may quote a part of the URL with the password.
        raise ValueError(rule) from None


class _Rule(ValueError):
    """An error whose text is ours and may be shown."""


def _parse(kind: RedisKind, tls: bool, url: SplitResult) -> RedisAddress:
    # A plus is a plus here, not a space, as in the other parts.
    query = dict(parse_qsl(url.query.replace("+", "%2B"), strict_parsing=bool(url.query)))
    allowed = (
        ({"db", "username", "password"} if kind is RedisKind.SOCKET else set())
        | (_TLS_OPTIONS if tls else set())
        | ({"sentinel_password"} if kind is RedisKind.SENTINEL else set())
    )
    if set(query) - allowed:
        options = f"only {', '.join(sorted(allowed))}" if allowed else "no options"
        raise _Rule(f"{_RULES[kind]}, with {options} after ?")
    hosts: tuple[tuple[str, int], ...] = ()
    userinfo, _, netloc = url.netloc.rpartition("@")
    username, _, password = userinfo.partition(":")
    if kind is RedisKind.SOCKET:
        if netloc or not url.path.strip("/"):
            raise _Rule(_RULES[kind])
        path, service, db = unquote(url.path), "", query.get("db", "")
    else:
        if "@" in url.path:
            raise _Rule(_RULES[kind])
        default_port = 26379 if kind is RedisKind.SENTINEL else 6379
        hosts = tuple(_host(part, default_port) for part in netloc.split(","))
        path, (service, db) = "", _service_and_db(kind, url.path)
        if len(hosts) > 1 and kind is RedisKind.SERVER:
            raise _Rule(_RULES[kind])
    if db and not (db.isascii() and db.isdigit()):
        raise _Rule(_RULES[kind])
    return RedisAddress(
        kind,
        hosts,
        path,
        service,
        int(db or 0),
        tls,
        unquote(username) or query.get("username"),
        unquote(password) or query.get("password"),
        query.get("sentinel_password"),
        {name: query[name] for name in sorted(_TLS_OPTIONS & set(query))},
    )


def _host(part: str, default_port: int) -> tuple[str, int]:
    split = urlsplit(f"//{part}")
    if not split.hostname:
        raise ValueError(part)
    return split.hostname, split.port or default_port


def _service_and_db(kind: RedisKind, path: str) -> tuple[str, str]:
    parts = [unquote(part) for part in path.split("/") if part]
    match kind, parts:
        case RedisKind.SENTINEL, [service]:
            return service, ""
        case RedisKind.SENTINEL, [service, db]:
            return service, db
        case RedisKind.SERVER, [db]:
            return "", db
        case RedisKind.SERVER | RedisKind.CLUSTER, []:
            return "", ""
        case _:
            raise _Rule(_RULES[kind])
