"""The query that the header's controls mean."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from core.figures.comparing import compare
from core.figures.filters import Filters, SeenDimensions
from core.figures.ranges import Comparison, Preset, Range, preset
from core.panels import query_state
from core.panels.query_state import RANGES, page_address, parse_query_state
from core.panels.zones import zones

NOW = datetime(2026, 11, 24, 12, 4, 30, tzinfo=UTC)
KATHMANDU = ZoneInfo("Asia/Kathmandu")
SEEN = SeenDimensions(("sms",), {"NG": ("MTN", "unknown"), "DE": ("O2",)})


def test_the_default_is_the_last_24_hours_in_the_viewers_zone() -> None:
    state = parse_query_state({}, NOW, "Asia/Kathmandu")
    assert state.zone == KATHMANDU
    assert state.range == preset(Preset.DAY, NOW, KATHMANDU)
    assert state.comparison is Comparison.PREVIOUS
    assert (state.range_read, state.range_text) == (state.range, "")
    assert state.filters == Filters()
    assert not state.is_over


def test_a_custom_range_is_in_the_selected_zone_and_its_ends_may_be_swapped() -> None:
    ends = datetime(2026, 11, 20, 9), datetime(2026, 11, 20, 10, 30)  # noqa: DTZ001
    for first, last in (ends, ends[::-1]):
        values = {"range": "custom", "from": first, "to": last, "zone": "Asia/Kathmandu"}
        state = parse_query_state(values, NOW, None)
        assert state.range == Range(
            datetime(2026, 11, 20, 3, 15, tzinfo=UTC), datetime(2026, 11, 20, 4, 45, tzinfo=UTC)
        )
        assert state.is_over


def test_a_custom_range_is_the_last_seven_days_by_default() -> None:
    state = parse_query_state({"range": "custom"}, NOW, "UTC")
    assert state.range == Range(datetime(2026, 11, 18, tzinfo=UTC), NOW)


def test_filters_and_comparison_are_read_and_a_carrier_belongs_to_a_country() -> None:
    values = {"channel": "sms", "country": "NG", "carrier": "", "compare": "none"}
    state = parse_query_state(values, NOW, None)
    assert state.filters == Filters("sms", "NG", "unknown")
    assert state.comparison_text(None, None) == ""
    assert parse_query_state({"carrier": "MTN"}, NOW, None).filters == Filters()


def test_the_page_says_what_the_changes_are_against_or_why_there_are_none() -> None:
    begins = NOW - timedelta(days=5)
    state = parse_query_state({"range": "today", "compare": "weekday"}, NOW, "UTC")
    compared = compare(
        state.range, state.range, state.comparison, state.zone, NOW, NOW - timedelta(days=30)
    )
    assert state.comparison_text(compared, begins) == (
        "Changes are against the same weekday: 17 Nov 00:00 to 17 Nov 12:00. "
        "Grey: within the usual variation, or not judged."
    )
    assert state.comparison_text(None, begins) == (
        "No changes are shown: figures begin on 19 Nov 12:04, after the start of the same weekday."
    )
    hour = parse_query_state({"range": "1h", "compare": "year"}, NOW, "UTC")
    long_ago = NOW - timedelta(days=399)
    assert hour.comparison_text(None, long_ago) == (
        "No changes are shown: last year is no longer kept so finely."
    )


def test_the_page_names_the_range_that_is_read_where_it_is_another() -> None:
    ends = datetime(2026, 6, 20, 9), datetime(2026, 6, 20, 10, 30)  # noqa: DTZ001
    values = {"range": "custom", "from": ends[0], "to": ends[1], "zone": "America/New_York"}
    state = parse_query_state(values, NOW, None)
    assert state.range_text.startswith("Read from 19 Jun 20:00 to 20 Jun 20:00: so far back")


@given(
    st.dictionaries(
        st.sampled_from(["range", "from", "to", "channel", "compare", "zone", "country"]),
        st.one_of(st.none(), st.text(), st.integers(), st.datetimes()),
    )
)
def test_any_address_gives_a_valid_range(values: dict[str, object]) -> None:
    state = parse_query_state(values, NOW, "Not/AZone")
    assert state.range.start <= state.range.end <= NOW + timedelta(minutes=1)


def test_countries_are_offered_by_name_and_carriers_only_of_a_country() -> None:
    assert list(query_state.countries(SEEN).items()) == [
        ("all", "All"), ("DE", "Germany"), ("NG", "Nigeria"),
    ]  # fmt: skip
    assert query_state.carriers(SEEN, "NG") == {
        "all": "All", "MTN": "MTN", "unknown": "unknown",
    }  # fmt: skip
    assert query_state.carriers(SEEN, "all") == {"all": "All"}


def test_a_row_filters_by_its_country_or_its_carrier() -> None:
    assert query_state.row_filters("NG", "") == {"country": "NG", "carrier": "all"}
    assert query_state.row_filters("NG", "MTN") == {"country": "NG", "carrier": "MTN"}
    assert query_state.row_filters("NG", "A/B") == {"country": "NG", "carrier": "A/B"}


def test_the_viewers_zone_and_utc_are_offered_first_and_once() -> None:
    offered = zones("Asia/Kathmandu")
    assert offered[:2] == ["Asia/Kathmandu", "UTC"]
    assert len(offered) == len(set(offered)) > 400
    assert zones("Not/AZone")[0] == "UTC"


def test_an_address_in_the_spelling_of_the_api_becomes_that_of_the_page() -> None:
    page = {"range": "30 days", "channel": "SMS", "country": "Nigeria", "carrier": "MTN",
            "compare": "the same weekday", "zone": "UTC", "other": "kept"}  # fmt: skip
    api = {"range": "30d", "channel": "sms", "country": "NG", "carrier": "MTN",
           "compare": "weekday", "zone": "UTC", "other": "kept"}  # fmt: skip
    assert page_address(page, SEEN, None) == page_address(api, SEEN, None) == page
    for value, label in RANGES.items():
        for text in (value, value.upper(), label):
            assert page_address({"range": text}, SEEN, None) == {"range": label}
    for name in ("unknown", "?", "Unknown"):
        address = page_address({"country": "ng", "carrier": name}, SEEN, None)
        assert address == {"country": "Nigeria", "carrier": "unknown"}
    nothing = {"range": "2d", "country": "XX", "carrier": "MTN"}
    assert page_address(nothing, SEEN, None) == nothing


def test_a_range_of_the_api_is_a_custom_range_in_the_zone_of_the_page() -> None:
    ends = {"start": "2026-11-20T03:15:00Z", "end": "2026-11-20T06:45:00+02:00"}
    assert page_address({**ends, "zone": "Asia/Kathmandu"}, SEEN, None) == {
        "range": "Custom", "from": "2026-11-20T09:00", "to": "2026-11-20T10:30",
        "zone": "Asia/Kathmandu",
    }  # fmt: skip
    early = {**ends, "end": "0001-01-01T00:00:00+14:00"}
    assert page_address(early, SEEN, None) == early


@given(st.dictionaries(st.sampled_from(["range", "start", "end", "country", "zone"]), st.text()))
def test_any_address_can_be_read(parameters: dict[str, str]) -> None:
    page_address(parameters, SEEN, "Not/AZone")
