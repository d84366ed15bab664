"""Parses Plivo XML into steps that a call can execute.

Executed elements: Speak, GetDigits, GetInput, Wait, Redirect, Hangup and those in a PreAnswer. The
other elements of Plivo become a NotPlayed; an element that Plivo does not have is an error.
Defaults are those of Plivo's pages; `digitEndTimeout="auto"` means two seconds, as in GetDigits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from core.sandbox.errors import InvalidXml

ALL_KEYS = "0123456789*#"
MAX_NAME = 40


@dataclass(frozen=True, slots=True)
class Speak:
    """`loops` 0 repeats without end."""

    text: str
    loops: int


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class NotPlayed:
    """An element of Plivo that the sandbox does not simulate. `ends_call`: what follows it depends
    on what it does, so the call cannot go on."""

    element: str
    ends_call: bool

    @property
    def sentence(self) -> str:
        return f"{self.element} is not simulated."


Prompt = Speak | Wait | NotPlayed


@dataclass(frozen=True, slots=True)
class Listen:
    """Collect keys. `tries` is how often the prompts are spoken. An empty `action` gets no keys."""

    prompts: tuple[Prompt, ...]
    action: str
    method: str
    max_keys: int
    valid_keys: str
    finish_key: str
    first_key_seconds: float
    next_key_seconds: float
    tries: int
    follow: bool  # whether the answer of the action URL is executed


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """Hang up `after` seconds, while the call goes on; None means at once."""

    after: float | None


Step = Prompt | Listen | Redirect | Hangup

#: The elements that become a NotPlayed, and whether the call ends there.
_NOT_PLAYED = {
    "Play": False,
    "DTMF": False,
    "Message": False,
    "Stream": False,
    "Record": True,
    "Dial": True,
    "Conference": True,
    "MultiPartyCall": True,
}


def parse(document: bytes) -> tuple[Step, ...]:
    """The steps of a `<Response>`; an empty one has none. Raises InvalidXml.

    Safe for any bytes: entities and document types are refused, and nothing is fetched.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as e:
        raise InvalidXml("The document is not well-formed XML.") from e
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidXml("The document declares a document type.")
    if root.tag != "Response":
        raise InvalidXml("The root element is not Response.")
    return tuple(_steps(root))


def _steps(parent: etree._Element) -> Iterator[Step]:
    for element in parent:
        # The sandbox's calls are outbound, so they have been answered.
        if element.tag == "PreAnswer" and parent.tag == "Response":
            yield from _steps(element)
        else:
            yield _step(element)


def _step(element: etree._Element) -> Step:
    match element.tag:
        case "Speak" | "Wait":
            return _prompt(element)
        case "GetDigits":
            return _get_digits(element)
        case "GetInput":
            return _get_input(element)
        case "Redirect":
            url = _text(element).strip()
            if not url:
                raise InvalidXml("A Redirect is empty.")
            return Redirect(url, _method(element))
        case "Hangup":
            seconds = _number(element, "schedule", 0)
            return Hangup(seconds or None)
        case str(tag) if tag in _NOT_PLAYED:
            return NotPlayed(tag, _NOT_PLAYED[tag])
        case _:
            raise InvalidXml(f"Plivo XML has no element {_name(element)} here.")


def _prompt(element: etree._Element) -> Prompt:
    if element.tag == "Wait":
        return Wait(_number(element, "length", 1))
    if element.tag == "Play":
        return NotPlayed("Play", ends_call=False)
    if element.tag != "Speak":
        raise InvalidXml(f"{_name(element)} is not allowed inside a prompt.")
    # SSML is spoken as its text.
    text = " ".join(_text(element).split())
    if not text:
        raise InvalidXml("A Speak is empty.")
    return Speak(text, int(_number(element, "loop", 1)))


def _get_digits(element: etree._Element) -> Listen:
    return Listen(
        prompts=tuple(_prompt(child) for child in element),
        action=element.get("action", ""),
        method=_method(element),
        max_keys=_count(element, "numDigits", 99),
        valid_keys=element.get("validDigits", ALL_KEYS),
        finish_key=element.get("finishOnKey", "#"),
        first_key_seconds=_number(element, "timeout", 5),
        next_key_seconds=_number(element, "digitTimeout", 2),
        tries=_count(element, "retries", 1),
        follow=_bool(element, "redirect"),
    )


def _get_input(element: etree._Element) -> Listen | NotPlayed:
    kinds = set(element.get("inputType", "dtmf").split())
    if kinds == {"speech"}:
        return NotPlayed("GetInput with inputType speech", ends_call=True)
    if not kinds or kinds - {"dtmf", "speech"}:
        raise InvalidXml("inputType must be dtmf, speech, or both.")
    automatic = element.get("digitEndTimeout", "auto") == "auto"
    return Listen(
        prompts=tuple(_prompt(child) for child in element),
        action=element.get("action", ""),
        method=_method(element),
        max_keys=_count(element, "numDigits", 32),
        valid_keys=ALL_KEYS,
        finish_key=element.get("finishOnKey", "#"),
        first_key_seconds=_number(element, "executionTimeout", 15),
        next_key_seconds=2.0 if automatic else _number(element, "digitEndTimeout", 2),
        tries=1,
        follow=_bool(element, "redirect"),
    )


def _name(element: etree._Element) -> str:
    return str(element.tag)[:MAX_NAME]


def _text(element: etree._Element) -> str:
    """All text in an element and its children."""
    return "".join(str(part) for part in element.itertext())


def _method(element: etree._Element) -> str:
    return element.get("method", "POST").upper()


def _bool(element: etree._Element, name: str) -> bool:
    return element.get(name, "true").lower() == "true"


def _count(element: etree._Element, name: str, default: int) -> int:
    count = int(_number(element, name, default))
    if count < 1:
        raise InvalidXml(f"{name} must be 1 or more.")
    return count


def _number(element: etree._Element, name: str, default: float) -> float:
    """A number of at least 0; the upper bound keeps calculations with it finite."""
    try:
        value = float(element.get(name, default))
    except ValueError as e:
        raise InvalidXml(f"{name} is not a number.") from e
    if not 0 <= value <= 86_400:
        raise InvalidXml(f"{name} is out of range.")
    return value
