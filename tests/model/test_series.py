"""Names of series: joined and split in one place."""

from hypothesis import given
from hypothesis import strategies as st

from core.model.series import Series, carrier_named

PARTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@given(PARTS, PARTS, st.text(st.characters(codec="utf-8"), max_size=8))
def test_a_series_gives_back_the_parts_that_it_was_made_of(
    channel: str, country: str, last: str
) -> None:
    leaf = Series.of(channel, country, last)
    assert (leaf.channel, leaf.country, leaf.last) == (channel, country, last)
    assert Series(str(leaf)).parts == [channel, country, last]
    assert leaf.parent == Series.of(channel, country)
    assert leaf.isprintable() or not "".join(leaf.parts).isprintable()


@given(PARTS, PARTS)
def test_a_country_belongs_to_its_channel_and_a_channel_to_all_traffic(
    channel: str, country: str
) -> None:
    series = Series.of(channel, country)
    assert (series.parent, series.is_channel) == (Series.of(channel), False)
    assert (series.parent.parent, series.parent.is_channel) == ("", True)


def test_an_error_of_all_countries_has_an_empty_country() -> None:
    error = Series.of("sms", "", "30")
    assert (error, error.country, error.last) == ("sms//30", "", "30")


def test_a_carrier_that_is_not_known_has_one_name() -> None:
    assert {carrier_named(name) for name in ("", " ", "?", "unknown", "Unknown")} == {"unknown"}
    assert [carrier_named(name) for name in ("A/B", " O2 ")] == ["A/B", "O2"]


def test_a_carrier_named_as_a_word_of_the_filters_can_be_told_from_it() -> None:
    assert [carrier_named(name) for name in ("all", "others")] == [
        "all (carrier)",
        "others (carrier)",
    ]
