"""Frames as files: what a panel was drawn from, to the last digit."""

import io
import re
from typing import Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

#: What spreadsheets may read as the start of a formula (OWASP, CSV Injection), also in full width,
#: and behind blanks or quotes, which some of them drop.
_FORMULA = re.compile(r"""[\s"'\u200b\ufeff]*[\t\r\n=+\-@＝＋－＠﹦﹢﹣﹫]""")  # noqa: RUF001


def csv_of(frame: pd.DataFrame) -> bytes:
    """The frame as CSV, UTF-8 with the byte-order mark that Excel needs: its index too where that
    has a name. Numbers are written in full, a missing one as nothing, moments in ISO 8601 with
    their zone, a list with spaces between. Text that could begin a formula gets an apostrophe."""
    made = frame.reset_index() if frame.index.names != [None] else frame.copy(deep=False)
    for name, kind in made.dtypes.items():
        if not (is_numeric_dtype(kind) or is_datetime64_any_dtype(kind)):
            made[name] = made[name].map(_text)
    return made.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


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
    if isinstance(value, list):
        value = " ".join(str(one) for one in value)
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
