"""Frames as files: what a panel was drawn from, to the last digit."""

import io
import re
from typing import Any

import pandas as pd
from pandas.api.types import is_object_dtype


def csv_of(frame: pd.DataFrame) -> bytes:
    """The frame as CSV, UTF-8: its index too where that has a name. Numbers are written in full, a
    missing one as nothing, moments in ISO 8601 with their zone, a list with spaces between."""
    made = frame.reset_index() if frame.index.names != [None] else frame.copy(deep=False)
    for name in made.columns[[is_object_dtype(one) for one in made.dtypes]]:
        made[name] = made[name].map(_text)
    return made.to_csv(index=False, lineterminator="\r\n").encode()


def parquet_of(frame: pd.DataFrame) -> bytes:
    """The frame as Parquet, with its index and the zone of its moments."""
    written = io.BytesIO()
    frame.to_parquet(written)
    return written.getvalue()


def file_name(name: str, suffix: str, *, simulated: bool) -> str:
    """ "delivery-funnel.csv"; with sample traffic among the figures the name says so, since a file
    leaves the page that says it."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{'simulated-' if simulated else ''}{stem}.{suffix}"


def _text(value: Any) -> Any:
    return " ".join(str(one) for one in value) if isinstance(value, list) else value
