"""The sandbox's endings, read over HTTP, and the numbers and ways to try them."""

import pytest

from core.lab.endings import SandboxEnding, SandboxEndings, way_to
from core.lab.sandbox_client import SandboxClient
from core.model.errors import SandboxUnavailable
from core.model.way import Mode, Way
from core.sandbox.facts.endings import ENDINGS, EndingGroup
from tests.world import World


def ending(at: World, suffix: str) -> SandboxEnding:
    return next(each for each in at.services.endings.table().endings if each.suffix == suffix)


def test_the_table_is_that_of_the_sandbox(at: World) -> None:
    table = at.services.endings.table()
    assert [group.name for group in table.groups] == list(EndingGroup)
    assert [each.suffix for each in table.endings] == [each.suffix for each in ENDINGS]


@pytest.mark.parametrize("region", ["US", "DE", "IN", None])
def test_every_ending_has_a_number_that_may_be_verified_and_ends_so(
    at: World, region: str | None
) -> None:
    numbers = at.services.endings.numbers(region)
    assert set(numbers) == {each.suffix for each in ENDINGS}
    for suffix, number in numbers.items():
        read = at.services.verifications.numbers.read(number, region=None, way=Way.VOICE)
        assert read.e164.endswith(suffix), suffix


@pytest.mark.parametrize(
    ("suffix", "way", "expected"),
    [
        ("0030", Way.SMS, Way.SMS),
        ("0030", Way.VOICE, Way.SMS),
        ("0030", Way.PHLO_CALL, Way.PHLO_SMS),
        ("3010", Way.SMS, Way.VOICE),
        ("3010", Way.PHLO_SMS, Way.PHLO_CALL),
        ("0500", Way.VOICE, Way.VOICE),
        ("0500", Way.PHLO_SMS, Way.PHLO_SMS),
    ],
)
def test_an_ending_is_tried_by_a_way_that_it_affects(
    at: World, suffix: str, way: Way, expected: Way
) -> None:
    assert way_to(ending(at, suffix), way) is expected


def test_a_row_says_once_what_happens(at: World) -> None:
    assert ending(at, "0030").summary == "message · sent, then undelivered"
    assert ending(at, "0500").summary.startswith("message and call · the request is answered")
    assert ending(at, "0804").summary == (
        "message: delivered; no callback arrives; call: rings; no callback arrives"
    )
    assert ending(at, "0030").channels == (Mode.SMS,)


def test_a_sandbox_that_does_not_answer_is_a_named_error(at: World) -> None:
    endings = SandboxEndings(SandboxClient("http://127.0.0.1:9"), at.services.verifications.numbers)
    with pytest.raises(SandboxUnavailable) as error:
        endings.table()
    assert "SANDBOX_URL" in error.value.remedy
