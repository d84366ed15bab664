"""Types of settings: each parses and checks one kind of value.

A validator raises ValueError with the end of the sentence "It must be …". `core.settings.reading`
completes the sentence with the name of the setting and its value, unless that is secret.
"""

import base64
import binascii
import re
from ipaddress import ip_address
from typing import Annotated, Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from core.model.regions import known_region
from core.settings.redis_address import parse_address

_AUTH_ID = re.compile(r"(MA|SA)[A-Za-z0-9]{18}")
_TEST_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})\s*=\s*([0-9]{4,10})", re.ASCII)
_ARGON2 = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_PHLO_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_WEBHOOK_RULE = "whsec_ and the base64 of 24 to 64 bytes"
_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f]+")
# RFC 1123 labels; at least two, since the code's last line is matched against a public host.
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


class FixedNumber(NamedTuple):
    """A number of TEST_NUMBERS in E.164, and the code of its verifications."""

    number: str
    code: SecretStr


def _auth_id(text: str) -> str:
    if not _AUTH_ID.fullmatch(text):
        raise ValueError("20 characters that begin with MA or SA, as the Plivo console shows it")
    return text


def _password_hash(text: str) -> str:
    if not _ARGON2.fullmatch(text):
        raise ValueError("the output of `python -m core hash-password`: it begins with $argon2id$")
    return text


def _phlo_id(text: str) -> str:
    # The id becomes a part of a URL's path.
    if not _PHLO_ID.fullmatch(text):
        raise ValueError("the id from the PHLO's page in the Plivo console: letters, digits and -")
    return text


def parse_e164(text: str) -> str:
    """The number in E.164. Raises ValueError for a text that is no valid number."""
    rule = "a full number with its country code, such as +14155550100"
    try:
        # The Plivo console shows numbers without the plus.
        number = phonenumbers.parse(f"+{text.lstrip('+')}")
    except phonenumbers.NumberParseException as error:
        raise ValueError(rule) from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(rule)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _web_url(text: str) -> str:
    rule = "an address such as https://verify.example.com, without user or query"
    url = _split_url(text, rule)
    if url.username is not None or "?" in text or "#" in text:
        raise ValueError(rule)
    return text.rstrip("/")


def _split_url(text: str, rule: str) -> SplitResult:
    """The parts of an http or https address with a host. Raises ValueError with the rule."""
    try:
        url = urlsplit(text)
        # The parser drops line breaks, and reads a port when it is asked for it.
        is_whole = _VISIBLE.fullmatch(text) and url.hostname and url.port != 0
    except ValueError as error:
        raise ValueError(rule) from error
    if url.scheme not in {"http", "https"} or not is_whole:
        raise ValueError(rule)
    return url


def _webhook_url(text: str) -> str:
    rule = "an address such as https://example.com/events, without user and fragment"
    # Imported late, here and below: httpx is slow to load, and only webhooks need it.
    import httpx

    # `webhook_host` splits it with the standard library, and httpx sends to it.
    parts = _split_url(text, rule)
    try:
        httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(rule) from error
    if parts.username is not None or parts.fragment:
        raise ValueError(rule)
    return text


def is_private(url: str) -> bool:
    """Whether requests to this webhook address are encrypted or stay on this machine."""
    import httpx

    parts = httpx.URL(url)
    if parts.scheme == "https" or parts.host == "localhost":
        return True
    try:
        return ip_address(parts.host).is_loopback
    except ValueError:
        return False


def is_plivo(url: str) -> bool:
    """Whether this is an address of the real Plivo."""
    host = f".{urlsplit(url).hostname or ''}".rstrip(".")
    return host.endswith(".plivo.com")


def _webhook_secret(secret: SecretStr) -> SecretStr:
    # Standard Webhooks: 24 to 64 random bytes.
    prefix, _, encoded = secret.get_secret_value().partition("_")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(_WEBHOOK_RULE) from error
    if prefix != "whsec" or not 24 <= len(key) <= 64:
        raise ValueError(_WEBHOOK_RULE)
    return secret


def _host(text: str) -> str:
    host = text.lower()
    if not _HOST.fullmatch(host):
        raise ValueError("a host name such as verify.example.com, without https:// and path")
    return host


def _region(text: str) -> str:
    region = known_region(text)
    if region is None:
        raise ValueError("the two letters of a country (ISO 3166-1), such as US")
    return region


def _regions(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Sorted and without repeats."""
    regions = {text: known_region(text) for text in texts}
    if wrong := sorted(text.upper() for text, region in regions.items() if region is None):
        raise ValueError(
            "two-letter countries (ISO 3166-1) with commas between, such as US, CA; "
            f"unknown: {', '.join(wrong)}"
        )
    return tuple(sorted({region for region in regions.values() if region}))


def _cooldowns(value: Any) -> tuple[int, ...]:
    rule = "whole seconds from 1 to 3600 with commas between, such as 30, 40, 60"
    try:
        seconds = tuple(int(part) for part in split_list(value))
    except (TypeError, ValueError) as error:
        raise ValueError(rule) from error
    if not seconds or not all(1 <= step <= 3600 for step in seconds):
        raise ValueError(rule)
    return seconds


def _brand(text: str) -> str:
    if not 1 <= len(text) <= 20 or not text.isprintable():
        raise ValueError("1 to 20 printable characters")
    return text


def _template(text: str) -> str:
    if "__code__" not in text:
        raise ValueError("a text with __code__ where the code goes")
    return text


def _redis_url(text: str) -> str:
    parse_address(text)
    return text


def _test_numbers(value: Any) -> tuple[FixedNumber, ...]:
    """Errors name an entry by its place, never by its text: it holds a code."""
    rule = "numbers with their codes and commas between, such as +14155550199=123456"
    parts = split_list(value)
    if not isinstance(parts, list | tuple):
        raise ValueError(rule)
    entries: list[FixedNumber] = []
    for place, part in enumerate(parts, 1):
        match = _TEST_NUMBER.fullmatch(str(part))
        if match is None:
            raise ValueError(f"{rule}; entry {place} is not")
        entries.append(FixedNumber(f"+{match[1]}", SecretStr(match[2])))
        if len({entry.number for entry in entries}) < place:
            raise ValueError(f"{rule}; entry {place} repeats a number")
    return tuple(entries)


def split_list(value: Any) -> Any:
    """ "30, 40" as a tuple of texts; a list (from TOML) is returned as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _split_urls(value: Any) -> Any:
    """ "slack://… mailto://…" as a tuple; a list (from TOML) is returned as it is. A comma may be
    part of an address."""
    return tuple(value.split()) if isinstance(value, str) else value


def _alert_urls(urls: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for place, url in enumerate(urls, 1):
        if not re.match(r"^[a-z][a-z0-9]*s?://.", url.get_secret_value(), re.IGNORECASE):
            raise ValueError(
                f"addresses of apprise, separated by spaces, such as slack://…; address {place} "
                "has another form"
            )
    return urls


AuthId = Annotated[str, AfterValidator(_auth_id)]
PhloId = Annotated[str, AfterValidator(_phlo_id)]
E164 = Annotated[str, AfterValidator(parse_e164)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
WebhookUrl = Annotated[str, AfterValidator(_webhook_url)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
HostName = Annotated[str, AfterValidator(_host)]
Region = Annotated[str, AfterValidator(_region)]
Regions = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_regions)
]
AlertUrls = Annotated[
    tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_urls), AfterValidator(_alert_urls)
]
Cooldowns = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_cooldowns)]
FixedNumbers = Annotated[tuple[FixedNumber, ...], NoDecode, BeforeValidator(_test_numbers)]
Brand = Annotated[str, AfterValidator(_brand)]
Template = Annotated[str, AfterValidator(_template)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
PasswordHash = Annotated[str, AfterValidator(_password_hash)]
