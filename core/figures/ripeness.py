"""Computes how old an attempt must be before a rate may count it.

An attempt is *ripe* for a measure once it has had the time that the measure gives it: 30 s for
"within 30 s", and the life of its code for all other measures, because a code that comes later is
of no use. Ripeness depends on the age alone. If attempts counted as soon as they have a result, the
quick results would count before the slow ones.
"""

from dataclasses import dataclass
from datetime import timedelta

#: The rates that the page draws by step: what is counted, and of what it is a share.
RATES = {
    "confirmed": "requested",
    "within_30": "requested",
    "converted": "started",
}
_WITHIN = {
    "within_10": timedelta(seconds=10),
    "within_30": timedelta(seconds=30),
    "within_60": timedelta(seconds=60),
}


@dataclass(frozen=True, slots=True)
class Ripeness:
    """The ages at which attempts are ripe. `code_life`: how long a code is valid."""

    code_life: timedelta = timedelta(minutes=5)

    def age(self, measure: str) -> timedelta:
        """The age for a measure, by the name of its figure; "" is every figure without a limit of
        its own."""
        return _WITHIN.get(measure, self.code_life)


DEFAULT_RIPENESS = Ripeness()
