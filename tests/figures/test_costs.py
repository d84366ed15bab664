"""Costs: by what they are divided, how much of them is known, and when they can be compared."""

from core.figures.costs import Cost, cost_of, costs_differ
from core.figures.rates import Rate
from tests.panels.frames import row


def test_at_a_place_the_cost_is_by_the_attempts_that_were_verified_there() -> None:
    calls = row(requested=40, priced=40, cost_micros=2_000_000, verified=40)
    assert cost_of(calls, at_place=True).per_verified == 0.05
    assert cost_of(calls, at_place=False).per_verified is None
    assert cost_of(row(requested=4, verified=4, converted=4), at_place=True).per_verified is None


def test_a_cost_is_judged_only_where_95_percent_of_both_ranges_are_priced() -> None:
    history = [Cost(1_000_000 + n % 7, Rate(100, 100), 100) for n in range(28)]

    def differs(priced: int, priced_before: int) -> bool | None:
        now = Cost(3_000_000, Rate(priced, 100), 100)
        before = Cost(1_000_000, Rate(priced_before, 100), 100)
        return costs_differ(now, before, history, 1.0)

    assert [differs(100, 100), differs(95, 95), differs(94, 100), differs(100, 94)] == [
        True, True, None, None,
    ]  # fmt: skip
