"""What the header's controls mean."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.figures.queries import Filters, SeenDimensions
from core.figures.ranges import Comparison, Preset, Range, comparison_range, preset
from core.panels import query_state as header
from core.panels.query_state import choice

NOW = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
KATHMANDU = ZoneInfo("Asia/Kathmandu")
KNOWN = SeenDimensions(("sms",), {"NG": ("", "MTN"), "DE": ("O2",)})


def test_nothing_said_is_the_last_24_hours_in_the_viewers_zone() -> None:
    found = choice({}, NOW, "Asia/Kathmandu")
    assert found.zone == KATHMANDU
    assert found.range == preset(Preset.DAY, NOW, KATHMANDU)
    assert found.before == comparison_range(found.range, Comparison.PREVIOUS, found.zone)
    assert found.filters == Filters()
    assert not found.is_over


def test_a_custom_range_is_in_the_chosen_zone_and_in_whichever_order() -> None:
    ends = datetime(2026, 11, 20, 9), datetime(2026, 11, 20, 10, 30)  # noqa: DTZ001
    for first, last in (ends, ends[::-1]):
        said = {"range": "custom", "from": first, "to": last, "zone": "Asia/Kathmandu"}
        found = choice(said, NOW, None)
        assert found.range == Range(
            datetime(2026, 11, 20, 3, 15, tzinfo=UTC), datetime(2026, 11, 20, 4, 45, tzinfo=UTC)
        )
        assert found.is_over


def test_a_custom_range_begins_as_the_last_seven_days() -> None:
    found = choice({"range": "custom"}, NOW, "UTC")
    assert found.range == Range(datetime(2026, 11, 18, tzinfo=UTC), NOW)


def test_filters_and_comparison_are_read_and_a_carrier_belongs_to_a_country() -> None:
    said = {"channel": "sms", "country": "NG", "carrier": "", "compare": "none"}
    found = choice(said, NOW, None)
    assert found.filters == Filters("sms", "NG", "")
    assert (found.before, found.compared_words(is_told=True)) == (None, "")
    assert choice({"carrier": "MTN"}, NOW, None).filters == Filters()
    year = choice({"compare": "year"}, NOW, None)
    assert year.compared_words(is_told=True).startswith("Changes are against last year.")
    assert "too little to compare with in last year" in year.compared_words(is_told=False)


@given(
    st.dictionaries(
        st.sampled_from(["range", "from", "to", "channel", "compare", "zone", "country"]),
        st.one_of(st.none(), st.text(), st.integers(), st.datetimes()),
    )
)
def test_whatever_the_address_says_there_is_always_a_range(said: dict[str, object]) -> None:
    found = choice(said, NOW, "Not/AZone")
    assert found.range.start <= found.range.end <= NOW + timedelta(minutes=1)


def test_countries_are_offered_by_name_and_carriers_only_of_a_country() -> None:
    assert list(header.countries(KNOWN).items()) == [
        ("all", "All"), ("DE", "Germany"), ("NG", "Nigeria"),
    ]  # fmt: skip
    assert header.carriers(KNOWN, "NG") == {"all": "All", "": "carrier not known", "MTN": "MTN"}
    assert header.carriers(KNOWN, "all") == {"all": "All"}


def test_a_row_stands_for_its_country_or_its_carrier() -> None:
    assert header.of_row("NG", "") == {"country": "NG", "carrier": "all"}
    assert header.of_row("NG", "MTN") == {"country": "NG", "carrier": "MTN"}
    assert header.of_row("NG", "?") == {"country": "NG", "carrier": ""}


def test_the_viewers_zone_and_utc_are_offered_first_and_once() -> None:
    zones = header.zones("Asia/Kathmandu")
    assert zones[:2] == ["Asia/Kathmandu", "UTC"]
    assert len(zones) == len(set(zones)) > 400
    assert header.zones("Not/AZone")[0] == "UTC"
