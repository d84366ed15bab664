"""The mode badge of every page: sandbox or live, and the price of a send."""

from dataclasses import dataclass
from decimal import Decimal

from core.model.errors import StoreUnavailable
from core.model.regions import country_of
from core.plivo.pricing import Price, Prices
from core.settings.settings import Settings
from core.verification.service import Verifications


@dataclass(frozen=True, slots=True)
class Badge:
    """`mark` is shown in bold before `words`."""

    is_live: bool
    mark: str
    words: str


def badge_of(
    settings: Settings, verifications: Verifications, prices: Prices, region: str | None
) -> Badge:
    """The badge for sends to a country; None: to the sender's own. Makes no request to Plivo."""
    if settings.is_sandbox:
        return Badge(False, "Sandbox", "Nothing leaves this machine.")
    region = region or settings.sender_region
    return Badge(
        True,
        "LIVE",
        f"{_price(settings, prices.of(region), region)} · {_today(settings, verifications)}",
    )


def _price(settings: Settings, price: Price | None, region: str) -> str:
    where = f"{country_of(region)}: " if region else ""
    if price is None:
        return f"{where}a message or call about {exact(settings.assumed_price)} (assumed)"
    message = span(price.message_from, price.message_to)
    return f"{where}message {message}, call {span(price.minute_from, price.minute_to)} a minute"


def span(low: Decimal, high: Decimal) -> str:
    """A price, or its range."""
    return exact(low) if low == high else f"{exact(low)} to {exact(high)}"


def _today(settings: Settings, verifications: Verifications) -> str:
    limit = f"${settings.spend_per_day:,.2f}"
    try:
        return f"today ${verifications.spent_today():,.2f} of {limit}"
    except StoreUnavailable:
        return f"today's spend unknown, limit {limit}"


def exact(amount: Decimal | float) -> str:
    """ "$0.0077", "$0.31": no trailing zeros, at least two decimals."""
    text = f"{amount:.5f}".rstrip("0")
    return f"${text}{'0' * max(0, 2 - len(text.partition('.')[2]))}"
