"""The sandbox's handset of a verification, for a page that does not know the number."""

from core.model.way import Way
from tests.world import World


def test_the_handset_of_a_verification_is_that_of_its_number_and_hides_it(at: World) -> None:
    number = at.number()
    verification = at.started(number)
    text = at.message(number)
    answer = at.http.get(f"/phone/{verification}/handset")
    assert answer.status_code == 200
    assert answer.json()["messages"][0]["text"] == text
    assert number.lstrip("+") not in answer.text


def test_its_calls_are_answered_there(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.VOICE)
    call = at.call(number, "ringing")
    answered = at.http.post(f"/phone/{verification}/handset/calls/{call['call_uuid']}/answer")
    assert answered.status_code == 200
    assert number.lstrip("+") not in answered.text
    at.call(number, "in-progress")


def test_it_streams_its_changes(at: World) -> None:
    verification = at.started(at.number())
    with at.http.stream("GET", f"/phone/{verification}/handset/events") as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines()) == ": open"


def test_there_is_no_phone_of_an_unknown_verification_and_nothing_beside_it(at: World) -> None:
    verification = at.started(at.number())
    for path in (f"{'a' * 24}/handset", f"{verification}/", f"{verification}/handsets",
                 f"{verification}/handset/../../v1/Account/", f"{verification}/v1"):  # fmt: skip
        assert at.http.get(f"/phone/{path}").status_code == 404, path
