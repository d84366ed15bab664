"""The table of endings: the sandbox behaves as it says, and serves it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sandbox.facts.effects import EffectChannel
from core.sandbox.facts.endings import (
    ENDINGS,
    Ending,
    EndingGroup,
    EndingKind,
    ending_of,
)
from core.sandbox.facts.hangups import HANGUP_CAUSES, Phase
from core.sandbox.facts.message_errors import MESSAGE_ERRORS

from .support import Api, number, wait_for

SUFFIXES = st.from_regex(r"[0-9]{4}", fullmatch=True)
#: A person must answer these calls.
ANSWERED = {code for code, cause in HANGUP_CAUSES.items() if cause.phase is Phase.ANSWERED}


def test_the_endings_are_unique_and_lead_to_their_rows() -> None:
    assert len({ending.suffix for ending in ENDINGS}) == len(ENDINGS)
    assert [ending_of(f"+1415555{ending.suffix}") for ending in ENDINGS] == list(ENDINGS)


def test_every_kind_and_every_group_has_a_row() -> None:
    assert {ending.kind for ending in ENDINGS} == set(EndingKind)
    assert list(dict.fromkeys(ending.group for ending in ENDINGS)) == list(EndingGroup)


@given(prefix=st.text("0123456789", min_size=3, max_size=10), suffix=SUFFIXES)
def test_the_last_four_digits_always_decide(prefix: str, suffix: str) -> None:
    assert ending_of(prefix + suffix) == ending_of(suffix)


@given(suffix=SUFFIXES)
def test_separators_never_change_the_outcome(suffix: str) -> None:
    assert ending_of(f"+1 (415) 555-{suffix[:2]} {suffix[2:]}") == ending_of(suffix)


@pytest.mark.parametrize("suffix", ["0000", "0001", "0123", "0999", "3060", "7021", "9999"])
def test_a_code_that_plivo_does_not_document_changes_nothing(suffix: str) -> None:
    assert ending_of(f"1415555{suffix}").kind is EndingKind.NORMAL


def test_every_error_and_every_hangup_cause_of_plivo_has_an_ending() -> None:
    kinds = {(ending.kind, ending.value) for ending in ENDINGS}
    assert {(EndingKind.MESSAGE_ERROR, code) for code in MESSAGE_ERRORS} <= kinds
    assert {(EndingKind.HANGUP, code) for code in HANGUP_CAUSES} <= kinds


def test_a_late_number_says_how_late() -> None:
    assert ending_of("14155550742").value == 42
    assert ending_of("14155550742").message.happens == "delivered 42 seconds late"
    assert ending_of("14155550700").kind is EndingKind.NO_RECEIPT


def test_the_table_is_served_as_it_is_without_credentials(api: Api) -> None:
    table = api.http.get("/endings", auth=None).json()
    assert [group["name"] for group in table["groups"]] == list(EndingGroup)
    assert all(group["summary"] for group in table["groups"])
    assert [row["suffix"] for row in table["endings"]] == [ending.suffix for ending in ENDINGS]
    (spam,) = [row for row in table["endings"] if row["suffix"] == "0030"]
    assert spam == {
        "suffix": "0030",
        "pattern": "0030",
        "group": "refused by the carrier",
        "kind": "message error",
        "title": "Spam detected",
        "channels": ["sms"],
        "example": "+14155550030",
        "sms": {
            "happens": "sent, then undelivered",
            "state": "undelivered",
            "code": "30",
            "http_status": None,
        },
        "call": {"happens": "rings as usual", "state": None, "code": None, "http_status": None},
    }


def expected(channel: EffectChannel) -> list[Ending]:
    """The endings whose result the table names, but for an answer that comes after a minute."""
    return [
        ending
        for ending in ENDINGS
        if ending.outcome(channel).state and ending.kind is not EndingKind.TIME_OUT
    ]


def test_every_message_ends_in_the_state_and_with_the_code_of_the_table(api: Api) -> None:
    uuids = {ending: api.send(number(ending.suffix)) for ending in expected(EffectChannel.SMS)}
    for ending, uuid in uuids.items():
        state, code = ending.message.state, ending.message.code
        record = wait_for(lambda uuid=uuid, state=state: as_expected(api, uuid, str(state)))  # type: ignore[misc]
        assert record["error_code"] == code, ending.suffix


def as_expected(api: Api, uuid: str, state: str) -> dict[str, object]:
    """The record of a message, once it has that state."""
    record = api.message(uuid)
    return record if record["message_state"] == state else {}


def test_every_call_ends_with_the_cause_of_the_table(api: Api) -> None:
    endings = [ending for ending in expected(EffectChannel.CALL) if ending.value not in ANSWERED]
    uuids = {
        ending: api.call(number(ending.suffix), "http://127.0.0.1:9/", machine_detection="hangup")
        for ending in endings
    }
    for ending, uuid in uuids.items():
        assert str(api.hung_up(uuid)["hangup_cause_code"]) == ending.call.code, ending.suffix


@pytest.mark.parametrize("path", ["/Message/", "/Call/"])
def test_every_http_status_of_the_table_is_answered(api: Api, path: str) -> None:
    for ending in ENDINGS:
        if ending.kind is EndingKind.HTTP_STATUS:
            names = ("src", "dst") if path == "/Message/" else ("from", "to")
            body = dict(zip(names, ("14155550100", number(ending.suffix)), strict=True))
            answer = api.post(path, **body, text="hello", answer_url="http://127.0.0.1:9/")
            assert answer.status_code == ending.message.http_status == ending.call.http_status
