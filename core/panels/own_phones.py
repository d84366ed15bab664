"""What the QA page shows of the team's own handsets: their prices, and what each attempt was."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal

from core.model.attempt import Attempt, EventKind
from core.model.clock import elapsed
from core.model.errors import NumberRefused
from core.model.way import Way
from core.plivo.pricing import Price, Prices
from core.settings.own_phones import OwnPhone
from core.verification.numbers import Numbers
from core.wording.formats import counted, duration, format_price, price_range
from core.wording.qa_session import seen_words


@dataclass(frozen=True, slots=True)
class OwnPhoneLine:
    """A handset and the ways by which its number may be verified: a landline gets calls only.
    `refusal` says why some or all ways are missing, "" where none is."""

    label: str
    to_masked: str = ""
    region: str = ""
    country: str = ""
    ways: tuple[Way, ...] = ()
    refusal: str = ""


def phone_lines(phones: Iterable[OwnPhone], numbers: Numbers) -> list[OwnPhoneLine]:
    return [_line(phone, numbers) for phone in phones]


def _line(phone: OwnPhone, numbers: Numbers) -> OwnPhoneLine:
    line = OwnPhoneLine(phone.label)
    for way in Way:
        try:
            number = numbers.read(phone.number, region=None, way=way)
        except NumberRefused as error:
            line = replace(line, refusal=error.cause)
        else:
            line = replace(
                line,
                to_masked=number.masked,
                region=number.region,
                country=number.country,
                ways=(*line.ways, way),
            )
    return line


def line_words(line: OwnPhoneLine, parts: int, price: Price | None, *, simulated: bool) -> str:
    """ "+1 212 ••• ••55 · United States · SMS $0.0077, call $0.01 a minute"."""
    if not line.ways:
        return f"{line.refusal} Change TEST_PHONES or COUNTRIES."
    costs = "price not known yet"
    if price is not None:
        by_way = {
            Way.SMS: f"SMS {price_range(parts * price.message_from, parts * price.message_to)}",
            Way.VOICE: f"call {price_range(price.minute_from, price.minute_to)} a minute",
        }
        costs = ", ".join(words for way, words in by_way.items() if way in line.ways)
        costs += ", simulated" if simulated else ""
    return " · ".join(filter(None, (line.to_masked, line.country, costs, line.refusal)))


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run costs if each send is made once: US dollars, lowest and highest. A call counts as
    one minute. `unpriced` are the countries whose price is not known; each of their sends counts as
    `assumed`, as it is booked."""

    sends: int
    lowest: Decimal
    highest: Decimal
    unpriced: tuple[str, ...]
    assumed: Decimal


def run_cost(
    lines: Iterable[OwnPhoneLine],
    ways: Sequence[Way],
    parts: int,
    prices: Prices,
    assumed: Decimal,
) -> RunCost:
    """`parts` are those of the message. A PHLO is taken to send one message or to make one call."""
    sends, lowest, highest = 0, Decimal(0), Decimal(0)
    unpriced: dict[str, None] = {}
    for line in lines:
        price = prices.of(line.region)
        for way in line.ways:
            if way not in ways:
                continue
            sends += 1
            if price is None:
                unpriced[line.country] = None
                lowest, highest = lowest + assumed, highest + assumed
            elif way.is_call:
                lowest, highest = lowest + price.minute_from, highest + price.minute_to
            else:
                lowest += parts * price.message_from
                highest += parts * price.message_to
    return RunCost(sends, lowest, highest, tuple(unpriced), assumed)


def run_cost_words(cost: RunCost, *, simulated: bool) -> str:
    """ "6 sends cost $0.05 to $0.09 if each is made once, a call for one minute." """
    invented = " (simulated)" if simulated else ""
    words = (
        f"{counted(cost.sends, 'send')} {'costs' if cost.sends == 1 else 'cost'} "
        f"{price_range(cost.lowest, cost.highest)}{invented} if each is made once, "
        "a call for one minute."
    )
    if not cost.unpriced:
        return words
    countries = ", ".join(cost.unpriced)
    assumed = format_price(cost.assumed)
    return f"{words} The price of {countries} is not known yet: {assumed} is assumed."


def phone_seen_words(attempt: Attempt) -> str:
    """ "Sent at 14:03:05 UTC, receipt after 1.2 s, right code after 8.4 s, $0.0079". A lost attempt
    begins with its cause."""
    moments = attempt.moments
    requested = moments[EventKind.REQUESTED]
    parts = [f"sent at {requested.astimezone(UTC):%H:%M:%S} UTC"]
    if attempt.state.is_lost:
        parts.insert(0, seen_words(attempt))
    arrival = (EventKind.ANSWERED, "answered") if attempt.way.is_call else _RECEIPT
    for kind, name in (arrival, (EventKind.VERIFIED, "right code")):
        at = moments.get(kind)
        took = elapsed(requested, at) if at else None
        parts.append(f"{name} after {duration(took)}" if took else f"no {_MISSING[name]} yet")
    cost = format_price(attempt.cost_micros / 1_000_000) if attempt.cost_micros else "no price yet"
    words = ", ".join([*parts, cost])
    return f"{words[:1].upper()}{words[1:]}"


_RECEIPT = (EventKind.DELIVERED, "receipt")
_MISSING = {"receipt": "receipt", "answered": "answer", "right code": "right code"}
