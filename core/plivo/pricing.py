"""Plivo's prices for a message and a minute, by country: read in a thread, and cached.

Messages differ by network (`outbound_networks_list`), calls by prefix (`rates`), so each has a
lowest and a highest rate. Rates are texts with five decimals.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from core.model.clock import Clock
from core.model.errors import ProviderRead
from core.plivo.client import PlivoClients
from core.plivo.sdk_call import SdkCall

log = logging.getLogger(__name__)

#: How long a price is used, and the wait after a failed read.
FRESH, RETRY = timedelta(hours=6), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars: a message part and a minute of a call, each lowest and highest."""

    message_from: Decimal
    message_to: Decimal
    minute_from: Decimal
    minute_to: Decimal


class Prices:
    """Plivo's prices by country, cached in this process."""

    def __init__(self, clients: PlivoClients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._lock = threading.Lock()
        self._prices: dict[str, Price | None] = {}
        self._read_at: dict[str, datetime] = {}
        self._thread: threading.Thread | None = None

    def of(self, region: str) -> Price | None:
        """The price for a country, by its ISO code; None while it is not known. Never waits: a
        missing or old price is read by another thread, one country at a time."""
        now = self._clock.now()
        with self._lock:
            price = self._prices.get(region)
            read_at = self._read_at.get(region)
            is_due = read_at is None or now - read_at >= (FRESH if price else RETRY)
            is_busy = self._thread is not None and self._thread.is_alive()
            if region and is_due and not is_busy:
                self._read_at[region] = now
                self._thread = threading.Thread(
                    target=self._read, args=(region,), name="prices", daemon=True
                )
                self._thread.start()
        return price

    def _read(self, region: str) -> None:
        try:
            answer = self._clients.read(SdkCall("pricing.get", {"country_iso": region}))
            price = _price(answer)
        except ProviderRead as error:
            log.warning("price not read", extra={"country": region, "cause": error.cause})
            return  # An older price stays.
        with self._lock:
            self._prices[region] = price


def _price(answer: Any) -> Price:
    """Raises ProviderRead if the price list is not as documented."""
    try:
        message, voice = answer.message, answer.voice.outbound
        networks = getattr(message, "outbound_networks_list", None) or []
        rates = getattr(voice, "rates", None) or []
        messages = [_rate(message.outbound), *(_rate(network) for network in networks)]
        minutes = [_rate(voice.local), *(_rate(rate) for rate in rates)]
    except (AttributeError, TypeError, InvalidOperation, ValueError) as error:
        raise ProviderRead(
            "Plivo's price list is not as documented.", "Look the price up in the Plivo console."
        ) from error
    return Price(min(messages), max(messages), min(minutes), max(minutes))


def _rate(of: Any) -> Decimal:
    rate = Decimal(of.rate)
    if not (rate.is_finite() and rate >= 0):
        raise ValueError("a rate is a number from 0")
    return rate
