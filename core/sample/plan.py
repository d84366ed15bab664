"""What sample traffic is to be loaded, and how far it is. Light to import: no numpy."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.clock import read_ms, to_ms
from core.model.errors import SampleRefused

MOST_DAYS, MOST_PER_DAY = 90, 20_000
#: The defaults.
DAYS, PER_DAY, SEED = 60, 2000, 7


@dataclass(frozen=True, slots=True)
class Plan:
    """`per_day` verifications a day, on the UTC days that end with the one of `until`; nothing is
    later than `until`."""

    days: int
    per_day: int
    seed: int
    until: datetime

    def __post_init__(self) -> None:
        """Raises SampleRefused."""
        if not (1 <= self.days <= MOST_DAYS and 1 <= self.per_day <= MOST_PER_DAY):
            raise SampleRefused(
                f"{self.days} days of {self.per_day} verifications are outside the limits.",
                f"Choose 1 to {MOST_DAYS} days and 1 to {MOST_PER_DAY:,} verifications a day.",
            )
        if self.seed < 0:
            raise SampleRefused("The seed is negative.", "Choose a seed of 0 or more.")

    def has_size_of(self, other: "Plan") -> bool:
        """Whether both differ at most in their end."""
        size, others = ((plan.days, plan.per_day, plan.seed) for plan in (self, other))
        return size == others

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """Raises ValueError, KeyError."""
        values = json.loads(text)
        until = read_ms(str(values["until_ms"]))
        return cls(values["days"], values["per_day"], values["seed"], until)

    def __str__(self) -> str:
        values = {"days": self.days, "per_day": self.per_day, "seed": self.seed}
        return json.dumps(values | {"until_ms": to_ms(self.until)})


class SampleStatus(StrEnum):
    """The values are those of `sample_status.lua`."""

    ABSENT = ""
    LOADING = "loading"
    STOPPED = "stopped"
    LOADED = "loaded"
    REMOVING = "removing"

    @property
    def has_work(self) -> bool:
        """Whether a process must go on with it."""
        return self in {SampleStatus.LOADING, SampleStatus.REMOVING}


@dataclass(frozen=True, slots=True)
class SampleState:
    """The sample traffic of all processes and visitors: its plan, how many of its days are in the
    figures, how many attempts these have, and whether the newest of them have records."""

    status: SampleStatus = SampleStatus.ABSENT
    plan: Plan | None = None
    days: int = 0
    attempts: int = 0
    has_records: bool = False

    @property
    def done(self) -> float:
        """The part of the days that is in the figures, from 0 to 1."""
        return min(1.0, self.days / self.plan.days) if self.plan else 0.0
