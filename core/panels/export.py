"""Writes frames of panels, without rounding: CSV for people, Parquet for programs."""

import io
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from core.panels.headings import heading

#: Text that spreadsheets may read as a formula (OWASP, CSV Injection): also in full width, and
#: after blanks or quotes, which some spreadsheets drop.
_FORMULA = re.compile(r"""[\s"'\u200b\ufeff]*[\t\r\n=+\-@＝＋－＠﹦﹢﹣﹫]""")  # noqa: RUF001
#: Characters of each part of a file's name: a carrier may have hundreds.
_LONGEST_PART = 40


def csv_of(frame: pd.DataFrame, file: str) -> bytes:
    """The frame as CSV, UTF-8 with the byte-order mark that Excel needs; a named index is included.
    The columns have headings that people read; `file`, a name such as "countries", decides some.
    Numbers are not rounded, missing ones are empty, moments are ISO 8601 with their zone, lists are
    joined by spaces. An apostrophe is put before text that could start a formula."""
    rows = frame.reset_index() if frame.index.names != [None] else frame.copy(deep=False)
    for name, kind in rows.dtypes.items():
        if not (is_numeric_dtype(kind) or is_datetime64_any_dtype(kind)):
            rows[name] = rows[name].map(_text)
    rows.columns = [heading(name, file) for name in rows.columns]
    return rows.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def parquet_of(frame: pd.DataFrame) -> bytes:
    """The frame as Parquet, with its index, the zone of its moments, and its names of columns:
    those of `Queries`."""
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def file_name(name: str, suffix: str, *, simulated: bool, about: Sequence[str] = ()) -> str:
    """ "funnel_2026-11-24-1200_2026-11-25-1200_sms.csv": what it holds, and `about`, the range and
    the filters. A file of figures that include sample traffic says so, because it will be read
    outside the page."""
    parts = [_slug(part)[:_LONGEST_PART] for part in (name.lower(), *about)]
    stem = "_".join(part for part in parts if part)
    return f"{stem}{'-with-sample-traffic' if simulated else ''}.{suffix}"


def _slug(text: str) -> str:
    """The letters and digits of a text, and hyphens in place of the rest."""
    return re.sub(r"[\W_]+", "-", text).strip("-")


def _text(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(str(item) for item in value)
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
