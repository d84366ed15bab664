"""The name of a series of figures: the only place that joins and splits its parts."""

from typing import Self

_SEPARATOR = "/"


class Series(str):
    """The attempts whose figures are added up together, by the name that Redis keeps:

    - "sms": a channel
    - "sms/DE": a country of a channel
    - "sms/DE/Vodafone": a carrier of a country, as the numbering plan names it
    - "sms//30" and "sms/DE/30": an error code in all countries, and in one of them
    """

    __slots__ = ()

    @classmethod
    def of(cls, channel: str, country: str | None = None, last: str | None = None) -> Self:
        """The series of a channel, of a country, or of a carrier or an error code (`last`)."""
        parts = [channel]
        if country is not None:
            parts.append(country)
        if last is not None:
            parts.append(last.replace(_SEPARATOR, "-"))
        return cls(_SEPARATOR.join(parts))

    @property
    def parts(self) -> list[str]:
        """The channel, then the country and the last part as far as it has them."""
        return self.split(_SEPARATOR, 2)

    @property
    def channel(self) -> str:
        return self.parts[0]

    @property
    def country(self) -> str:
        """ISO 3166 code; "" for the series of a channel, and for one of all countries."""
        return self._part(1)

    @property
    def last(self) -> str:
        """The carrier or the error code; "" where the series has neither."""
        return self._part(2)

    @property
    def is_channel(self) -> bool:
        """Whether it is the series of a whole channel."""
        return _SEPARATOR not in self

    @property
    def parent(self) -> "Series":
        """The series that includes it: of a country its channel. Of a channel "", all traffic."""
        return Series(self.rpartition(_SEPARATOR)[0])

    def _part(self, place: int) -> str:
        parts = self.parts
        return parts[place] if len(parts) > place else ""


#: Where no series is meant.
NO_SERIES = Series("")
