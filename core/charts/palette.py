"""Colours on each ground, and the shapes of the states."""

from dataclasses import dataclass

from core.model.attempt import State
from core.wording.marks import mark

#: The states of the chart over time, from the ground up, and their words.
STATES = {
    "delivered": "delivered",
    "pending": "pending",
    "unreported": "unknown",
    "undelivered": "undelivered",
    "failed": "failed",
    "rejected": "rejected",
}
#: The signs of core.wording.marks as ECharts draws them.
SHAPES = {
    "delivered": "circle",
    "pending": "path://M10 0A10 10 0 1 1 9.9 0ZM10 5A5 5 0 1 0 10.1 5Z",
    "unreported": "diamond",
    "undelivered": "triangle",
    "failed": "path://M2 0L6 4L10 0L12 2L8 6L12 10L10 12L6 8L2 12L0 10L4 6L0 2Z",
    "rejected": "rect",
}


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours on one ground."""

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
        """State: colour. Two of one colour differ by their shape, their pattern and their word."""
        return {
            "delivered": self.green,
            "pending": self.grey,
            "unreported": self.purple,
            "undelivered": self.vermilion,
            "failed": self.vermilion,
            "rejected": self.ochre,
        }

    def shades(self, colour: str, *parts: float) -> list[str]:
        """Mixtures of a colour with the ground: 0 is the ground, 1 the colour."""
        pairs = list(zip(_channels(self.ground), _channels(colour), strict=True))
        return [
            "#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in pairs) for part in parts
        ]


#: The state that each sign of core.wording.marks stands for.
_SIGNS = {
    mark(State.DELIVERED): "delivered",
    mark(State.UNKNOWN): "unreported",
    mark(State.UNDELIVERED): "undelivered",
    mark(State.FAILED): "failed",
    mark(State.REJECTED): "rejected",
}


def state_colour(said: str, colours: Palette) -> str:
    """The colour of a text that begins with the sign of a state; quiet where it is not decided."""
    state = _SIGNS.get(said[:1])
    return colours.states[state] if state else colours.quiet


LIGHT = Palette(
    text="#14202B", quiet="#52616F", line="#D9DFE5", ground="#FFFFFF", blue="#0072B2",
    vermilion="#C24E00", green="#007F5C", purple="#A85482", ochre="#B37400", grey="#7A8794",
)  # fmt: skip
DARK = Palette(
    text="#E8EEF3", quiet="#9FB0BF", line="#2A3641", ground="#0E1419", blue="#56B4E9",
    vermilion="#D55E00", green="#009E73", purple="#CC79A7", ochre="#E69F00", grey="#9FB0BF",
)  # fmt: skip


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
