"""The scripts and styles of the components, read from the files beside this one.

Streamlit loads a component's script as a single module that cannot import other files of ours, so
shared parts are put before it as text.
"""

from pathlib import Path

from core.charts.palette import DARK, LIGHT
from core.wording.marks import STATE_MARKS, VERIFIED_COLOUR

_HERE = Path(__file__).parent
#: The variables of the style sheets, and the colours of the palette that they have.
_COLOURS = {
    "quiet": "quiet",
    "line": "line",
    "delivered": STATE_MARKS["delivered"].colour,
    "verified": VERIFIED_COLOUR,
    "pending": STATE_MARKS["pending"].colour,
    "unclear": STATE_MARKS["unclear"].colour,
    "unknown": STATE_MARKS["unreported"].colour,
    "failed": STATE_MARKS["failed"].colour,
    "blocked": STATE_MARKS["rejected"].colour,
}


def script(*names: str) -> str:
    """`base.js`, then the named scripts, as one JavaScript module. The last one exports."""
    return _joined(("base", *names), "js")


def style(name: str) -> str:
    """The colours and `base.css`, then the named style sheet."""
    return f"{_colours('.root')}\n{_joined(('base', name), 'css')}"


def page_style(name: str) -> str:
    """The colours, then the named style sheet, for what is outside the components; also for
    popovers, which Streamlit draws outside of `.stApp`."""
    return f"{_colours(':root')}\n{_joined((name,), 'css')}"


def _colours(scope: str) -> str:
    colours = "".join(
        f"--{name}: light-dark({getattr(LIGHT, colour)}, {getattr(DARK, colour)});"
        for name, colour in _COLOURS.items()
    )
    return f"{scope} {{{colours}}}"


def _joined(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join(read_asset(f"{name}.{suffix}") for name in names)


def read_asset(name: str) -> str:
    """The text of a file beside this one."""
    return (_HERE / name).read_text("utf-8")
