"""Figures, durations and states in words."""

from datetime import timedelta

from core.wording import formats as words
from tests.panels.frames import NOW, ZONE


def test_durations_waits_money_and_counts_in_words() -> None:
    assert [words.duration(timedelta(seconds=s)) for s in (0.04, 1.84, 8, 12.3, 150, 720)] == [
        "<0.1 s", "1.8 s", "8 s", "12 s", "2.5 min", "12 min",
    ]  # fmt: skip
    assert [words.duration(timedelta(hours=h)) for h in (5, 24, 84)] == ["5 h", "24 h", "3.5 days"]
    assert [words.wait_time(timedelta(seconds=s)) for s in (0.2, 40, 119.2, 600, 601, 7201)] == [
        "1 second", "40 seconds", "2 minutes", "10 minutes", "11 minutes", "3 hours",
    ]  # fmt: skip
    assert [words.dollars(n) for n in (1.25, 0.0213, 0.00012, 0.00001, 0)] == [
        "$1.25", "$0.0213", "$0.00012", "<$0.0001", "$0",
    ]  # fmt: skip
    assert [words.times(n) for n in (0, 1, 3)] == ["never", "once", "3 times"]
    assert words.counted(1, "attempt") == "1 attempt"
    assert words.counted(4312, "message or call") == "4,312 messages or calls"


def test_freshness_names_the_moment_and_the_lag() -> None:
    assert words.through(NOW, timedelta(seconds=8), ZONE) == "Data through 13:04:30, lag 8 s"
    assert words.through(NOW, timedelta(days=3), ZONE) == "Data through 24 Nov 13:04, lag 3 days"
    assert words.through(None, None, ZONE) == "No data yet"


def test_the_progress_of_reading_the_logs_in_words() -> None:
    text = words.progress_words(40, timedelta(minutes=3), is_last=False)
    assert text == "40 rows read, about 3 min left"
    assert "checking attempts" in words.progress_words(40, None, is_last=True)
