"""The facts beside the headline of a verification: time, way and cost."""

from dataclasses import dataclass

from core.model.attempt import State
from core.model.clock import elapsed
from core.model.verification import Status, View
from core.plivo.pricing import Price
from core.wording.formats import duration, format_price, price_range, way_name


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """Each is "" while it is not known. `cost` is what Plivo reported for all attempts that were
    sent, else the price of the current way."""

    time: str
    way: str
    cost: str


def verdict_facts(view: View, price: Price | None) -> VerdictFacts:
    """`price` is that of the verification's country, None while it is not known."""
    return VerdictFacts(_time(view), way_name(view.verification.way), _cost(view, price))


def _time(view: View) -> str:
    """From the first request to the right code; before that, to the state of the newest attempt."""
    took = view.verification.time_to_verify
    newest = view.newest
    is_open = view.verification.status is Status.PENDING
    if took is None and is_open and newest is not None and newest.state is not State.REJECTED:
        at = next(
            (at for kind, at in newest.moments.items() if kind.value == newest.state.value), None
        )
        took = elapsed(view.verification.started_at, at) if at else None
    return f"in {duration(took)}" if took else ""


def _cost(view: View, price: Price | None) -> str:
    sent = [attempt for attempt in view.attempts if attempt.state is not State.REJECTED]
    if not sent:
        return ""
    if all(attempt.cost_micros for attempt in sent):
        return format_price(sum(attempt.cost_micros for attempt in sent) / 1_000_000)
    if price is None:
        return ""
    if view.verification.way.is_call:
        return f"{price_range(price.minute_from, price.minute_to)} a minute"
    return price_range(price.message_from, price.message_to)
