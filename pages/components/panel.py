"""The parts of a panel: chart, table with its columns, downloads, and a closed panel's answer."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any
from zlib import crc32

import pandas as pd
import streamlit as st

from core.charts.axes import Chart
from core.charts.palette import DARK, LIGHT, Palette
from core.panels.export import csv_of, file_name, parquet_of
from core.wording.formats import NO_VALUE
from pages.components.theme import is_dark


def theme_palette() -> Palette:
    """The palette of the viewer's theme."""
    return DARK if is_dark() else LIGHT


def question(words: str) -> None:
    """A panel's heading."""
    st.header(words, anchor=False)


def answer(text: str) -> None:
    """The main number of a closed panel, in its line."""
    st.html(f'<div class="question-answer">{escape(text)}</div>')


def downloads(
    *,
    simulated: bool,
    about: Sequence[str] = (),
    **frames: pd.DataFrame | Callable[[], pd.DataFrame],
) -> None:
    """A CSV download of each frame that a panel is drawn from, by name, or of what a function
    returns on the click. `simulated`: the frames contain sample traffic; `about`: their range and
    filters."""
    with st.container(horizontal=True):
        for name, frame in frames.items():
            label = f"CSV: {name.replace('_', ' ')}"
            csv(frame, name, label, simulated=simulated, about=about)


def csv(
    frame: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    label: str = "CSV",
    *,
    simulated: bool,
    about: Sequence[str] = (),
) -> None:
    """A download of a frame as CSV. The file is written on the click."""
    _download(
        label,
        lambda: csv_of(frame() if callable(frame) else frame, name),
        file_name(name, "csv", simulated=simulated, about=about),
        "text/csv",
        f"csv_{name}",
    )


def parquet(
    frame: pd.DataFrame, name: str, label: str, *, simulated: bool, about: Sequence[str] = ()
) -> None:
    """A download of a frame as Parquet. The file is written on the click."""
    file = file_name(name, "parquet", simulated=simulated, about=about)
    mime = "application/vnd.apache.parquet"
    _download(label, lambda: parquet_of(frame), file, mime, f"parquet_{name}")


def chart(chart: Chart, key: str, height: int) -> None:
    """Draw a chart. The fixed height, in pixels, keeps the content below in place."""
    st.echarts_chart(chart.option, height=height, key=f"chart_{key}", alt=chart.alt)


def number(label: str, form: str | None = None, **more: Any) -> Any:
    return st.column_config.NumberColumn(label, format=form, **more)


def grid(frame: Any, key: str, columns: dict[str, Any], **more: Any) -> Any:
    """A table that can be sorted and searched, with exactly these `columns`, in this order."""
    rows = len(getattr(frame, "data", frame))
    return st.dataframe(
        frame, key=key, hide_index=True, column_order=tuple(columns), column_config=columns,
        placeholder=NO_VALUE, **({"height": frame_height(rows)} | more),
    )  # fmt: skip


def table_key(key: str, ids: Iterable[str]) -> str:
    """The key of a table whose rows can be selected. Streamlit keeps the positions of the selected
    rows: with the key of the rows before, they would be positions of other rows."""
    return f"{key}_{crc32(' '.join(ids).encode()):08x}"


def text(label: str, **more: Any) -> Any:
    return st.column_config.TextColumn(label, **more)


def frame_height(rows: int, most: int = 10) -> int:
    """The height in pixels of a table with `rows` rows, of which at most `most` are visible."""
    return 35 * (min(rows, most) + 1) + 3


def _download(label: str, write: Callable[[], bytes], file: str, mime: str, key: str) -> None:
    st.download_button(
        label, write, file, mime, key=key, icon=":material/download:", on_click="ignore",
        type="tertiary",
    )  # fmt: skip
