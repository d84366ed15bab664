"""The filters of a query, and the values that they can take."""

from dataclasses import dataclass, replace

from core.model.series import selected_carrier


@dataclass(frozen=True, slots=True)
class Filters:
    """Which attempts a query counts; None is all of them. A carrier belongs to a country."""

    channel: str | None = None
    country: str | None = None
    carrier: str | None = None

    def __post_init__(self) -> None:
        # A carrier that is not known has several spellings and one series.
        if self.carrier is not None:
            object.__setattr__(self, "carrier", selected_carrier(self.carrier))

    @property
    def is_empty(self) -> bool:
        return self == Filters()

    @property
    def of_all_carriers(self) -> "Filters":
        """The filters of errors and histograms, which are not kept by carrier."""
        return replace(self, carrier=None)


ALL = Filters()


@dataclass(frozen=True, slots=True)
class SeenDimensions:
    """The values that filters can take: channels, and the carriers of each country, sorted."""

    channels: tuple[str, ...]
    carriers: dict[str, tuple[str, ...]]

    @property
    def countries(self) -> tuple[str, ...]:
        return tuple(self.carriers)
