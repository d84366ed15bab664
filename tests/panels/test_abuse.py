"""What the Delivery page says of abuse."""

import numpy as np
import pandas as pd
import pytest

from core.figures.catalogue import QUERY_COLUMNS
from core.model.grant import OPERATOR
from core.model.verification import SendOutcome
from core.panels.abuse import refused_table, suspects
from core.wording.budgets import BUDGETS
from core.wording.verification import _BUDGETS
from tests.world import World


def places(**given: tuple[int, int]) -> pd.DataFrame:
    """(started, converted) by place, "ID" or "ID_Telkomsel"."""
    index = pd.MultiIndex.from_tuples(
        [(one.partition("_")[0], one.partition("_")[2]) for one in given],
        names=["country", "carrier"],
    )
    frame = pd.DataFrame(0, index=index, columns=list(QUERY_COLUMNS))
    frame["started"] = [started for started, _ in given.values()]
    frame["converted"] = [converted for _, converted in given.values()]
    return frame


@pytest.mark.parametrize(
    ("now", "before", "is_one"),
    [
        ((300, 60), (100, 85), True),  # three times as many, and most codes never entered
        ((300, 255), (100, 85), False),  # a campaign: they do enter it
        ((100, 20), (100, 85), False),  # a bad carrier: no more than before
        ((115, 20), (100, 85), False),  # hardly more
        ((12, 0), (4, 4), False),  # too few to be anybody's business
        ((300, 60), (0, 0), False),  # nothing to compare with
    ],
)
def test_a_suspect_has_grown_and_converts_worse(
    now: tuple[int, int], before: tuple[int, int], is_one: bool
) -> None:
    found = suspects(places(ID=now), places(ID=before))
    assert found["country"].tolist() == (["ID"] if is_one else [])


def test_suspects_come_by_growth_and_say_what_changed() -> None:
    found = suspects(
        places(ID=(300, 60), ID_Telkomsel=(290, 50), NG=(900, 100), DE=(100, 90)),
        places(ID=(100, 85), ID_Telkomsel=(90, 80), NG=(200, 150), DE=(90, 80)),
    )
    assert found["place"].tolist() == ["Nigeria", "Indonesia", "Indonesia, Telkomsel"]
    assert (found["n"].iloc[0], found["before"].iloc[0]) == (900, 200)
    assert found["conversion_before"].iloc[0] == 75
    assert suspects(places(ID=(300, 60)), None).empty


def test_a_new_place_where_no_code_is_entered_is_suspect() -> None:
    """Nothing was requested there before, so it is compared with the others."""
    before = places(DE=(400, 340), DE_O2=(400, 340))
    pumped = suspects(places(DE=(400, 335), VU=(5000, 0), VU_Digicel=(5000, 0)), before)
    assert pumped["place"].tolist() == ["Vanuatu", "Vanuatu, Digicel"]
    assert pumped["before"].tolist() == [0, 0]
    assert pumped["conversion_before"].isna().all()
    assert suspects(places(DE=(400, 335), VU=(5000, 4300)), before).empty


def test_of_sixty_equal_places_that_all_grew_none_is_suspect_by_chance() -> None:
    rng = np.random.default_rng(7)
    looks = 0
    for _ in range(40):
        now, before = (
            {f"A{n}": (size, int(rng.binomial(size, 0.85))) for n in range(60)} for size in (90, 40)
        )
        looks += not suspects(places(**now), places(**before)).empty
    assert looks <= 1


def test_every_budget_that_can_refuse_has_its_words() -> None:
    locking = {"failed_checks_per_hour", "failed_checks_per_day", "guesses_per_day"}
    assert set(BUDGETS) == set(_BUDGETS) | locking


def test_a_send_that_a_budget_refuses_is_counted_under_it_and_a_cooldown_is_not(at: World) -> None:
    number = at.number()
    made = [at.start(number) for _ in range(5)]
    assert {one.outcome for one in made} == {SendOutcome.SENT}
    assert refused_table(at.services.ledger.counters()).empty
    soon = at.services.verifications.resend(made[-1].verification or "", grant=OPERATOR, seen=1)
    assert soon.outcome is SendOutcome.TOO_SOON
    for _ in range(3):
        assert at.start(number).outcome is SendOutcome.OVER_BUDGET
    table = refused_table(at.services.ledger.counters())
    assert table["budget"].tolist() == [BUDGETS["sends_per_10_minutes"]]
    assert table["refused"].tolist() == [3]
