"""Endings that change the HTTP answer of messages, calls and PHLO runs."""

import threading
from collections.abc import Callable

import httpx
import pytest

from .support import AUTH_ID, AUTH_TOKEN, SENDER, Api, number, wait_for

PHLO = f"/v1/account/{AUTH_ID}/phlo/some-phlo/"
RESOURCES = ["message", "call", "phlo sms", "phlo call"]


def start(api: Api, resource: str, to: str, timeout: float = 5) -> httpx.Response:
    both = {"from": SENDER, "to": to}
    path, body = {
        "message": (f"{api.account}/Message/", {"src": SENDER, "dst": to, "text": "hello"}),
        "call": (f"{api.account}/Call/", {**both, "answer_url": "http://127.0.0.1:9/"}),
        "phlo sms": (PHLO, {**both, "otp": "1", "mode": "sms"}),
        "phlo call": (PHLO, {**both, "otp": "1", "mode": "call"}),
    }[resource]
    return api.http.post(path, json=body, timeout=timeout)


def happened(api: Api, to: str) -> bool:
    view = api.phone(to).look()
    return bool(view["messages"] or view["calls"])


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("status", [402, 403, 429, 500, 503])
def test_a_send_is_answered_with_the_status_in_the_number(
    api: Api, resource: str, status: int
) -> None:
    to = number(f"0{status}")
    answer = start(api, resource, to)
    assert answer.status_code == status
    assert set(answer.json()) == {"api_id", "error"}


def test_a_send_with_an_error_status_is_in_no_log_and_rings_no_phone(api: Api) -> None:
    to = number("0500")
    for resource in RESOURCES:
        start(api, resource, to)
    # A later message has arrived, so an earlier one would have arrived too.
    later = number("5555")
    api.settled(api.send(later))
    assert not happened(api, to)
    assert api.get("/Message/", to_number=to).json()["objects"] == []


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_send_whose_answer_is_delayed_is_carried_out(api: Api, resource: str) -> None:
    to = number("0408")
    with pytest.raises(httpx.ReadTimeout):
        start(api, resource, to, timeout=0.2)
    wait_for(lambda: happened(api, to))


def test_an_http_status_ending_among_several_numbers_applies_to_all(api: Api) -> None:
    good, bad = number("5555"), number("0503")
    assert start(api, "message", f"{good}<{bad}").status_code == 503


def test_a_delayed_answer_is_sent_when_the_sandbox_stops(
    started: Callable[[], tuple[Api, Callable[[], None]]],
) -> None:
    api, stop = started()
    answers: list[int] = []

    def wait_for_an_answer() -> None:
        url = f"{api.base}{api.account}/Message/"
        body = {"src": SENDER, "dst": to, "text": "hello"}
        # The delay is a minute, which the client does not wait for.
        answer = httpx.post(url, json=body, auth=(AUTH_ID, AUTH_TOKEN), timeout=30)
        answers.append(answer.status_code)

    to = number("0408")
    waiting = threading.Thread(target=wait_for_an_answer)
    waiting.start()
    wait_for(lambda: happened(api, to))
    stop()
    waiting.join()
    assert answers == [202]
