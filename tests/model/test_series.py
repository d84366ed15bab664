"""Names of series: joined and split in one place."""

from hypothesis import given
from hypothesis import strategies as st

from core.model.series import Series

PARTS = st.text(st.characters(exclude_characters="/"), min_size=1, max_size=8)


@given(PARTS, PARTS, st.text(max_size=8))
def test_a_series_gives_back_the_parts_that_it_was_made_of(
    channel: str, country: str, last: str
) -> None:
    kept = last.replace("/", "-")
    assert Series.of(channel, country, last).parts == [channel, country, kept]
    assert Series(f"{channel}/{country}/{kept}") == Series.of(channel, country, last)
    leaf = Series.of(channel, country, last)
    assert (leaf.channel, leaf.country, leaf.last) == (channel, country, kept)


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
