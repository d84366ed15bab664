"""Finds the verification code in a message or in the transcript of a call.

A code is the longest run of 4 to 10 digits that stands alone: plain (471029), in groups of equal
size (471-029), or read out digit by digit (4, 7, 1, 0, 2, 9). Digits of an address, a phone number,
an amount, a time, a date or a word (2FA) are not a code. The Verify page, which knows the length of
its codes, has a stricter rule in `pages/components/codes.js`.
"""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST, LONGEST = 4, 10
#: The only length of codes that come in groups of two sizes (47-102).
_UNEQUAL_TOTAL = 5
#: A number of so few digits beside a code belongs to the words around it.
_SMALL_NUMBER = 2

#: Scripts that write words apart: Latin, Greek, Cyrillic, Armenian, Georgian. In other scripts a
#: code touches the words beside it.
_LETTER = "[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u058f\u10a0-\u10ff\u1e00-\u1fff]"
_CURRENCY = "[$\u00a2-\u00a5\u20a0-\u20cf]"
_CURRENCY_CODE = "(?:AUD|BRL|CAD|CHF|CNY|EUR|GBP|IDR|INR|JPY|MXN|NGN|PHP|PLN|SEK|USD|ZAR)"
_GROUP = re.compile(
    rf"(?<!\d)(?<!{_LETTER})(?<!{_LETTER}_)(?<!\d[.,:'])(?<![/+\u2022\u00d7])"
    rf"(?<!{_CURRENCY})(?<!{_CURRENCY} )(?<![A-Z]{{3}}(?<={_CURRENCY_CODE}))"
    rf"(?<!(?<={_CURRENCY_CODE}) )(?<!(?<!\*)\*(?=\d{{4}}(?![\d*])))"
    rf"\d+"
    rf"(?!\d|_?{_LETTER}|[.,:']\d|/| ?{_CURRENCY}| ?{_CURRENCY_CODE}\b| ?%)"
)
#: Digits on their own with only pauses between them.
_READ_OUT = re.compile(
    rf"(?<!\d)(?<!{_LETTER})(?<!\d[.,:])(?<!\+)\d(?:[\s,.;:\u2026\u060c\u3001\uff0c\u3002-]+\d(?!\d))+"
    rf"(?!{_LETTER})"
)
_SENTENCE_END = re.compile(r"[.;:\u2026\u3002\n]")
#: The last line of an origin-bound message, which names the code for programs.
_ORIGIN_BOUND = re.compile(r"(?:^|\n)@[^\s#]+ #(\S+)(?: @\S+)?\s*\Z")
_NEVER_CODES = (
    # Addresses of pages and of mail.
    re.compile(r"\b(?:[a-z][a-z0-9+.-]{0,20}://|www\.)\S+", re.IGNORECASE),
    re.compile(r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}\.[a-z]{2,20}/\S*", re.IGNORECASE),
    re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}\.[^\s@]{1,63}"),
    # Phone numbers: +49 (0)170 1234567, (415) 555-0123.
    re.compile(r"\+\d(?: ?\(\d+\) ?|[ ./-]?\d)+"),
    re.compile(r"\(\d{1,5}\)[ -]?\d(?:[ -]?\d)+"),
    # A date: 2026-01-15.
    re.compile(r"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)"),
)
_YEAR = re.compile("(?:18|19|20)[0-9]{2}")
#: Separates what must not be joined: it is no space.
_GAP = "\0"


def code_in_text(text: str) -> str | None:
    """The code in a text, as ASCII digits; None where there is none. Of several codes of the same
    length it is the first, and a year only where nothing else is as long."""
    plain = _plain(text)
    bound = _ORIGIN_BOUND.search(plain)
    candidates = [re.sub(r"[\s.-]", "", bound[1])] if bound else []
    if not any(map(_fits, candidates)):
        for pattern in _NEVER_CODES:
            plain = pattern.sub(_GAP, plain)
        candidates = [*_in_groups(plain), *_read_out(plain)]
    fitting = [each for each in candidates if _fits(each)]
    return max(fitting, key=lambda code: (len(code), not _YEAR.fullmatch(code)), default=None)


def code_in_call(lines: Iterable[tuple[str, str]]) -> str | None:
    """The code in a transcript of lines of kind and text. A pressed key separates the texts around
    it, so that the 1 of "press 1" never becomes the first digit."""
    text = "\n".join(text if kind == "spoken" else _GAP for kind, text in lines)
    return code_in_text(text)


def _fits(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST


def _plain(text: str) -> str:
    """ASCII digits, plain spaces and dashes; without invisible characters."""
    return text if text.isascii() else "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Cf":
            return ""
        case "Pd":
            return "-"
        case "Zs":
            return " "
        case "Zl" | "Zp":
            return "\n"
        case _:
            return character


def _in_groups(text: str) -> list[str]:
    """Numbers, each in one group, or in several with single spaces or dashes between them."""
    chains: list[list[str]] = []
    end = None
    for match in _GROUP.finditer(text):
        if end is not None and text[end : match.start()] in {" ", "  ", "-"}:
            chains[-1] += [text[end : match.start()], match[0]]
        else:
            chains.append([match[0]])
        end = match.end()
    return [code for chain in chains for code in _codes_of(chain)]


def _codes_of(chain: list[str]) -> list[str]:
    """The codes in groups that follow each other; `chain` has the separators between them."""
    if _is_code(chain[::2]):
        return ["".join(chain[::2])]
    # Twice, or beside a small number: "482913 5 minutes", "Studio 54 482913".
    words = [[chain[0]]]
    for separator, group in zip(chain[1::2], chain[2::2], strict=True):
        if separator == "-":
            words[-1].append(group)
        else:
            words.append([group])
    word = next((each for each in words if _is_code(each)), None)
    if word is None or (word is not words[0] and chain[0].startswith("0")):
        return []
    code = "".join(word)
    others = [group for each in words if "".join(each) != code for group in each]
    return [code] if all(len(group) <= _SMALL_NUMBER for group in others) else []


def _is_code(groups: list[str]) -> bool:
    sizes = [len(group) for group in groups]
    total = sum(sizes)
    # Other groups are phone numbers: 555-0123, 415-555-0123.
    return SHORTEST <= total <= LONGEST and (len(set(sizes)) == 1 or total == _UNEQUAL_TOTAL)


def _read_out(text: str) -> list[str]:
    """Codes read out digit by digit, once or several times in a row."""
    return [_once(match[0]) for match in _READ_OUT.finditer(text)]


def _once(text: str) -> str:
    """The digits of one repetition: of equal sentences, or of what is too long for one code."""
    sentences = [re.sub(r"\D", "", part) for part in _SENTENCE_END.split(text)]
    parts = [part for part in sentences if part]
    if len(parts) > 1 and len(set(parts)) == 1 and len(parts[0]) >= SHORTEST:
        return parts[0]
    digits = "".join(parts)
    if len(digits) <= LONGEST:
        return digits
    sizes = range(SHORTEST, LONGEST + 1)
    repeated = (n for n in sizes if digits == digits[:n] * (len(digits) // n))
    return digits[: next(repeated, 0)]
