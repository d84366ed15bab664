"""Steps are grouped until each group carries a rate."""

from core.figures.step_groups import StepGroup, step_groups


def sizes(counts: list[int]) -> list[int]:
    groups = step_groups(counts, [True] * len(counts))
    assert [group.first for group in groups] == [0, *(group.end for group in groups[:-1])]
    return [sum(counts[group.first : group.end]) for group in groups]


def test_groups_are_as_wide_as_it_takes_and_cover_all_steps() -> None:
    by_day_and_night = ([4] * 12 + [150] * 12) * 7
    assert min(sizes(by_day_and_night)) >= 150
    assert sum(sizes(by_day_and_night)) == sum(by_day_and_night)
    assert sizes([1000] * 10) == [1000] * 10


def test_little_traffic_is_a_few_wide_groups_and_too_little_is_one() -> None:
    assert min(sizes([12] * 96)) >= 100
    assert sizes([5] * 48) == [30] * 8
    assert sizes([1] * 20) == [20]
    assert sizes([0, 0]) == [0]
    assert step_groups([], []) == []


def test_the_unfinished_step_is_a_group_of_its_own() -> None:
    *ended, last = step_groups([200, 200, 7], [True, True, False])
    assert ended == [StepGroup(0, 1, is_complete=True), StepGroup(1, 2, is_complete=True)]
    assert last == StepGroup(2, 3, is_complete=False)
