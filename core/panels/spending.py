"""The mode badge of every page: sandbox or live, and the price of a send."""

from dataclasses import dataclass

from core.model.errors import StoreUnavailable
from core.model.regions import country_of
from core.plivo.pricing import Price, Prices
from core.settings.settings import Settings
from core.verification.service import Verifications
from core.wording.formats import format_price, price_range


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
        return f"{where}a message or call about {format_price(settings.assumed_price)} (assumed)"
    message = price_range(price.message_from, price.message_to)
    call = price_range(price.minute_from, price.minute_to)
    return f"{where}message {message}, call {call} a minute"


def _today(settings: Settings, verifications: Verifications) -> str:
    limit = f"${settings.spend_per_day:,.2f}"
    try:
        return f"today ${verifications.spent_today():,.2f} of {limit}"
    except StoreUnavailable:
        return f"today's spend unknown, limit {limit}"
