"""The incidents of sample traffic: what goes wrong where, and since when.

Each is a number of days before the UTC day with which the traffic ends, so that the newest days
always have the same ones.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.model.clock import to_ms


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that goes wrong from the moment `begin` before midnight (UTC) of the last day,
    until `end` before it; None: it is still going on. It holds for messages (`unclear`: for all
    attempts) to a carrier ("": all) of a country ("": all).

    `arrives`: the share that arrives, of what would have arrived; `time_factor`: by what factor the
    carrier's time grows; `silent`: no receipts; `price_factor`: by what factor the price grows;
    `unclear`: the share of sends that Plivo answers with 503; `pumped`: additional verifications,
    as a share of a day's, whose code is not entered.
    """

    begin: timedelta
    end: timedelta | None
    country: str = ""
    carrier: str = ""
    arrives: float = 1
    time_factor: float = 1
    silent: bool = False
    price_factor: float = 1
    unclear: float = 0
    pumped: float = 0

    def period_ms(self, last: date) -> tuple[float, float]:
        """Begin and end in Unix ms, for traffic whose last day (UTC) is `last`."""
        midnight = datetime(last.year, last.month, last.day, tzinfo=UTC)
        end = float("inf") if self.end is None else to_ms(midnight - self.end)
        return to_ms(midnight - self.begin), end


def _before(days: int, hours: float = 0) -> timedelta:
    """`hours` after the midnight that was `days` days before that of the last day."""
    return timedelta(days=days) - timedelta(hours=hours)


INCIDENTS = (
    # Under way.
    Incident(_before(4), None, "ID", "Telkomsel", arrives=0.35),
    # An hour of 5xx from Plivo.
    Incident(_before(2, 14), _before(2, 15), unclear=0.75),
    # Pumping into a country that was never served.
    Incident(_before(9, 1), _before(7, 6), "TJ", pumped=0.12),
    # A slow carrier.
    Incident(_before(14), _before(11), "IN", "Vodafone", time_factor=9),
    # Receipts stop in one country; the codes are entered all the same.
    Incident(_before(19), _before(16), "ES", silent=True),
    # A dead carrier, for two days.
    Incident(_before(25), _before(23), "DE", "O2", arrives=0),
    # A price that stays.
    Incident(_before(30), None, "BR", price_factor=3),
)
