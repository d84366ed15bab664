"""Files hold what the frame held, to the last digit."""

import csv
import io
from math import nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.panels.export import csv_of, file_name, parquet_of
from tests.panels.frames import steps

NUMBERS = st.floats(allow_infinity=False, allow_nan=False)


def unescaped(name: str, read: str) -> str:
    """A name as the file should have it: with an apostrophe where it could begin a formula."""
    return f"'{name}" if read == f"'{name}" else name


STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]


@pytest.mark.parametrize("before", ["", " ", '"', "'", ' "', "\u00a0", "\ufeff"])
@pytest.mark.parametrize("start", STARTS)
def test_no_cell_with_text_begins_a_formula_whatever_its_column(start: str, before: str) -> None:
    text = f"{before}{start}cmd|' /C calc'!A0"
    frame = pd.DataFrame(
        {
            "text": [text],
            "mixed": np.array([text], dtype="object"),
            "kinds": pd.Categorical([text]),
            "list": [[text, 1]],
        },
        index=pd.Index([text], name="index"),
    )
    cells = list(csv.reader(io.StringIO(csv_of(frame, "").decode("utf-8-sig"), newline="")))[1]
    assert cells == [f"'{text}"] * 4 + [f"'{text} 1"]


def test_numbers_stay_numbers_and_the_file_has_a_byte_order_mark() -> None:
    frame = pd.DataFrame(
        {"share": [-0.5], "count": [-3], "mixed": pd.Series([-7], dtype="object"), "name": ["Ö"]}
    )
    written = csv_of(frame, "")
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.decode("utf-8-sig").splitlines()[1] == "-0.5,-3,-7,Ö"


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), NUMBERS)))
def test_a_csv_always_reads_back_as_the_frame(rows: list[tuple[str, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["name", "Rate"])
    read = list(csv.reader(io.StringIO(csv_of(frame, "").decode("utf-8-sig"), newline="")))
    assert read[0] == ["Name", "Rate"]
    assert [(name, float(share)) for name, share in read[1:]] == [
        (unescaped(name, read_name), share)
        for (name, share), (read_name, _) in zip(rows, read[1:], strict=True)
    ]


def test_moments_are_written_with_their_zone_and_lists_with_spaces() -> None:
    index = pd.date_range("2026-11-24", periods=1, tz="Asia/Kathmandu", name="start")
    frame = pd.DataFrame({"spark": [[1.5, 2.0]], "p95": [nan]}, index=index)
    assert (
        csv_of(frame, "").decode("utf-8-sig")
        == "Start of the step,Confirmed over time (%),P95\r\n2026-11-24 00:00:00+05:45,1.5 2.0,\r\n"
    )
    assert frame["spark"].iloc[0] == [1.5, 2.0]


def test_a_parquet_reads_back_as_the_frame() -> None:
    frame = steps(requested=10, confirmed=9)
    read = pd.read_parquet(io.BytesIO(parquet_of(frame)))
    pd.testing.assert_frame_equal(read, frame, check_freq=False)


def test_a_file_of_sample_traffic_says_so_in_its_name() -> None:
    assert file_name("over_time", "csv", simulated=False) == "over-time.csv"
    about = ["2026-11-24-1200", "2026-11-25-1200", "sms", "DE", "O2/E-Plus " + "x" * 200]
    named = file_name("over_time", "csv", simulated=False, about=about)
    assert named == (
        "over-time_2026-11-24-1200_2026-11-25-1200_sms_DE_O2-E-Plus-" + "x" * 30 + ".csv"
    )
    assert file_name("over_time", "csv", simulated=True) == "over-time-with-sample-traffic.csv"
