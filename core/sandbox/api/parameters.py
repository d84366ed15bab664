"""Reads parameters that several resources share from request bodies. Each raises Refusal 400."""

import re
from collections.abc import Collection, Iterable

from core.sandbox.api.answers import Body
from core.sandbox.api.numbers import parse_destination
from core.sandbox.errors import Refusal
from core.sandbox.outgoing import is_web_address


def refuse_others(names: Iterable[str], known: Collection[str], noun: str) -> None:
    """Every name of a query or a body must be known: one that is misspelled would be ignored.
    `noun` says what they are."""
    if other := sorted(set(names) - set(known)):
        raise Refusal(400, f"unknown {noun} {other[0][:40]!r}; there are {', '.join(known)}")


def require(body: Body, *names: str) -> None:
    """Every parameter in `names` must be present and not empty."""
    for name in names:
        if not body.get(name):
            raise Refusal(400, f"{name} parameter not present")


def parse_destinations(body: Body, name: str, sender_name: str, sender: str) -> list[str]:
    """The numbers of a parameter, which `<` separates; none of them may be the sender."""
    numbers = [parse_destination(part) for part in str(body[name]).split("<")]
    if sender in numbers:
        raise Refusal(400, f"{name} is identical to {sender_name}")
    return numbers


def parse_url(body: Body, name: str) -> str:
    """An http or https URL; empty if the parameter is absent."""
    url = str(body.get(name) or "")
    if url and not is_web_address(url):
        raise Refusal(400, f"{name} is not a valid URL")
    return url


def parse_method(body: Body, name: str) -> str:
    """GET or POST; POST if the parameter is absent."""
    method = str(body.get(name) or "POST").upper()
    if method not in {"GET", "POST"}:
        raise Refusal(400, f"{name} must be GET or POST")
    return method


def parse_seconds(name: str, value: object, minimum: int, maximum: int) -> int:
    """A whole number of seconds from `minimum` to `maximum`."""
    if not re.fullmatch("-?[0-9]{1,18}", str(value)):
        raise Refusal(400, f"{name} must be a whole number of seconds")
    seconds = int(str(value))
    if not minimum <= seconds <= maximum:
        raise Refusal(400, f"{name} must be {minimum} to {maximum} seconds")
    return seconds
