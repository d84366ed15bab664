"""Ways: the one that may replace another."""

import pytest

from core.model.way import Channel, Mode, Way


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("way", list(Way))
def test_a_way_in_a_mode_has_it_and_stays_with_the_phlo_or_without_it(way: Way, mode: Mode) -> None:
    replacement = way.in_mode(mode)
    assert replacement.mode is mode
    assert (replacement.channel is Channel.PHLO) == (way.channel is Channel.PHLO)
    assert replacement is (way if way.mode is mode else way.other)


@pytest.mark.parametrize("way", list(Way))
def test_the_other_way_of_the_other_way_is_the_first(way: Way) -> None:
    assert way.other is not way
    assert way.other.other is way
