"""Writes the frames of panels as CSV and Parquet, without rounding."""

import io
import re
from typing import Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

#: Text that spreadsheets may read as a formula (OWASP, CSV Injection): also in full width, and
#: after blanks or quotes, which some spreadsheets drop.
_FORMULA = re.compile(r"""[\s"'\u200b\ufeff]*[\t\r\n=+\-@＝＋－＠﹦﹢﹣﹫]""")  # noqa: RUF001


def csv_of(frame: pd.DataFrame) -> bytes:
    """The frame as CSV, UTF-8 with the byte-order mark that Excel needs; a named index is included.
    Numbers are not rounded, missing ones are empty, moments are ISO 8601 with their zone, lists are
    joined by spaces. An apostrophe is put before text that could start a formula."""
    rows = frame.reset_index() if frame.index.names != [None] else frame.copy(deep=False)
    for name, kind in rows.dtypes.items():
        if not (is_numeric_dtype(kind) or is_datetime64_any_dtype(kind)):
            rows[name] = rows[name].map(_text)
    return rows.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def parquet_of(frame: pd.DataFrame) -> bytes:
    """The frame as Parquet, with its index and the zone of its moments."""
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def file_name(name: str, suffix: str, *, simulated: bool) -> str:
    """ "delivery-funnel.csv"; a file of figures that include sample traffic says so in its name,
    because it will be read outside the page."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{stem}{'-with-sample-traffic' if simulated else ''}.{suffix}"


def _text(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(str(item) for item in value)
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
