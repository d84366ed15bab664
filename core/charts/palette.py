"""Defines the colours of charts and states on a light and on a dark ground."""

from dataclasses import dataclass

from core.wording.marks import STATE_MARKS


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours on one ground."""

    text: str
    quiet: str
    line: str
    ground: str
    blue: str
    vermilion: str
    green: str
    purple: str
    ochre: str
    grey: str

    @property
    def states(self) -> dict[str, str]:
        """The colour of each state of STATE_MARKS."""
        return {state: getattr(self, mark.colour) for state, mark in STATE_MARKS.items()}

    def shades(self, colour: str, *parts: float) -> list[str]:
        """Mixtures of a colour with the ground: 0 is the ground, 1 the colour."""
        pairs = list(zip(_channels(self.ground), _channels(colour), strict=True))
        return [
            "#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in pairs) for part in parts
        ]


LIGHT = Palette(
    text="#14202B", quiet="#52616F", line="#D9DFE5", ground="#FFFFFF", blue="#0072B2",
    vermilion="#C24E00", green="#007F5C", purple="#A85482", ochre="#9E6600", grey="#7A8794",
)  # fmt: skip
DARK = Palette(
    text="#E8EEF3", quiet="#9FB0BF", line="#2A3641", ground="#0E1419", blue="#56B4E9",
    vermilion="#D55E00", green="#009E73", purple="#CC79A7", ochre="#E69F00", grey="#9FB0BF",
)  # fmt: skip


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
