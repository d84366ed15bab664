"""The targets of rates, from the settings, and whether a rate meets its target."""

from collections.abc import Mapping

from core.figures.rates import Rate
from core.settings.settings import Settings

#: Targets as fractions, by the column that counts the attempts which meet them; without those that
#: are not set.
Targets = Mapping[str, float]


def targets_of(settings: Settings) -> dict[str, float]:
    percents = {
        "confirmed": settings.target_confirmed,
        "within_30": settings.target_within_30,
        "converted": settings.target_conversion,
    }
    return {column: value / 100 for column, value in percents.items() if value}


def target_words(rate: Rate, target: float) -> str:
    """ "Target 95 %: met". Missed is a rate whose whole interval lies below the target."""
    name = f"Target {100 * target:g} %"
    if rate.value >= target:
        return f"{name}: met"
    return f"{name}: missed" if rate.high < target else f"{name}: not clearly missed"
