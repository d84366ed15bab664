"""The scripts and styles of the components, read from the files beside this one.

Streamlit loads a component's script as a single module that cannot import other files of ours, so
shared parts are put before it as text.
"""

from pathlib import Path

_HERE = Path(__file__).parent


def script(*names: str) -> str:
    """`base.js`, then the named scripts, as one JavaScript module. The last one exports."""
    return _joined(("base", *names), "js")


def style(name: str) -> str:
    """`base.css`, then the named style sheet."""
    return _joined(("base", name), "css")


def _joined(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join(read_asset(f"{name}.{suffix}") for name in names)


def read_asset(name: str) -> str:
    """The text of a file beside this one."""
    return (_HERE / name).read_text("utf-8")
