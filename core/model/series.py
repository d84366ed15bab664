"""Names of places and of series of figures: the only place that joins and splits their parts."""

import re
from typing import Self
from urllib.parse import unquote

#: The carrier of numbers for which the numbering plan names none, and the country (a code of CLDR)
#: of numbers that belong to none. Figures, REST, filters, files and addresses use these names.
UNKNOWN_CARRIER = "unknown"
UNKNOWN_COUNTRY = "ZZ"
#: The sum of the series that a list or the figures have no room for.
OTHERS = "others"
_UNNAMED = {"", "?", UNKNOWN_CARRIER}
_SEPARATOR = "/"
_ALL = "all"
#: Words of filters and figures. A carrier that is called so is counted as "all (carrier)".
_RESERVED = {_ALL, OTHERS}
#: Characters that separate names somewhere, and the one that escapes them.
_ESCAPED = re.compile(r"[%/\x00-\x1f\x7f]")


def carrier_named(name: str) -> str:
    """The name under which a carrier is counted: its own, without outer blanks, or
    UNKNOWN_CARRIER. No name is a word of filters or figures."""
    name = selected_carrier(name)
    return f"{name} (carrier)" if name.casefold() in _RESERVED else name


def selected_carrier(name: str) -> str:
    """The name in the figures that a filter means: OTHERS is their sum."""
    name = name.strip()
    return UNKNOWN_CARRIER if name.casefold() in _UNNAMED else name


def country_named(region: str) -> str:
    """The code under which a country is counted: its own, or UNKNOWN_COUNTRY."""
    return region or UNKNOWN_COUNTRY


class Series(str):
    """The attempts whose figures are added up together, by the name that Redis keeps:

    - "all": all channels; the figures of it are not stored
    - "sms": a channel
    - "sms/DE": a country of a channel
    - "sms/DE/Vodafone": a carrier of a country, as the numbering plan names it
    - "sms//30" and "sms/DE/30": an error code in all countries, and in one of them

    Parts may contain any character: "/", "%" and control characters are escaped as in an address.
    """

    __slots__ = ()

    @classmethod
    def of(cls, channel: str, country: str | None = None, last: str | None = None) -> Self:
        """The series of a channel, of a country, or of a carrier or an error code (`last`)."""
        parts = [channel]
        if country is not None:
            parts.append(country)
        if last is not None:
            parts.append(last)
        return cls(_SEPARATOR.join(_ESCAPED.sub(_escape, part) for part in parts))

    @property
    def parts(self) -> list[str]:
        """The channel, then the country and the last part as far as it has them."""
        parts = self.split(_SEPARATOR)
        # Hardly any name has an escaped character, and a query reads the parts of all names.
        return [unquote(part) for part in parts] if "%" in self else parts

    @property
    def channel(self) -> str:
        """ "" for the series of all channels."""
        return "" if self == _ALL else self.parts[0]

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
        return _SEPARATOR not in self and self != _ALL

    @property
    def parent(self) -> "Series":
        """The series that includes it: of a country its channel. "" for a channel."""
        return Series(self.rpartition(_SEPARATOR)[0])

    def _part(self, place: int) -> str:
        parts = self.parts
        return parts[place] if len(parts) > place else ""


def _escape(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


#: The sum of all channels.
ALL_TRAFFIC = Series(_ALL)
#: Where no series is meant.
NO_SERIES = Series("")
