"""The lines of "Behind the scenes": what they name, and their parts as text that can be run."""

import base64
import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.model.exchange import Exchange
from core.model.way import Way
from core.panels.exchanges import ExchangeLine, exchange_lines
from core.plivo.wire import PlivoAdapter, WireContext
from core.verification.timeline import timeline
from tests.world import World, until

#: The sandbox answers a curl command that is written for Plivo.
_CURL = """
curl() {
  while [ $# -gt 0 ]; do
    case "$1" in
      -u) printf 'user=%s\\n' "$2"; shift ;;
      -X) printf 'method=%s\\n' "$2"; shift ;;
      -H) printf 'header=%s\\n' "$2"; shift ;;
      -d) printf 'body=%s\\n' "$(printf %s "$2" | base64 | tr -d '\\n')"; shift ;;
      *) printf 'url=%s\\n' "$1" ;;
    esac
    shift
  done
}
"""


def lines_of(at: World, verification: str, *, simulated: bool = True) -> list[ExchangeLine]:
    view = at.look(verification)
    return exchange_lines(
        at.services.exchanges.of(verification),
        timeline(view),
        view.verification.started_at,
        simulated=simulated,
    )


def line(what: str, lines: list[ExchangeLine]) -> ExchangeLine:
    return next(line for line in lines if line.what == what)


def text(name: str, line: ExchangeLine) -> str:
    return next(tab.text for tab in line.tabs if tab.name == name)


def environment(at: World, number: str) -> dict[str, str]:
    return {
        "PLIVO_AUTH_ID": at.services.settings.auth_id,
        "PLIVO_AUTH_TOKEN": at.services.auth_token,
        "FROM": at.services.settings.sender,
        "TO": number,
    }


def repeated(at: World, command: str, environment: dict[str, str]) -> httpx.Response:
    """The answer of the sandbox to a curl command, which a real shell reads."""
    run = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", _CURL + command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    read = dict(part.split("=", 1) for part in run.stdout.splitlines())
    url = httpx.URL(read["url"])
    assert url.host in {"api.plivo.com", "phlorunner.plivo.com"}
    user, _, password = read["user"].partition(":")
    return at.http.request(
        read.get("method", "GET"),
        f"/sandbox{url.raw_path.decode()}",
        auth=(user, password),
        content=base64.b64decode(read.get("body", "")),
        headers={"Content-Type": "application/json"},
    )


def run_program(at: World, program: str, monkeypatch: pytest.MonkeyPatch, number: str) -> Any:
    """Run a program for the SDK, unchanged, with the sandbox behind the SDK's sessions; return what
    it prints."""
    for name, value in environment(at, number).items():
        monkeypatch.setenv(name, value)
    setup, call = program.rsplit("\nprint(", 1)
    names: dict[str, Any] = {}
    exec(setup, names)  # noqa: S102
    client = names["client"]
    context = WireContext()
    client.session.mount("https://", PlivoAdapter(context, lambda: f"{at.address}/sandbox"))
    printed: list[Any] = []
    exec(f"print({call}", names | {"print": printed.append})  # noqa: S102
    return printed[0]


@pytest.mark.parametrize(
    ("way", "what"),
    [
        (Way.SMS, "POST Message"),
        (Way.VOICE, "POST Call"),
        (Way.PHLO_SMS, "POST PHLO"),
        (Way.PHLO_SMS, "GET Message"),
        (Way.PHLO_CALL, "GET live Call"),
    ],
)
def test_a_request_can_be_made_again_by_its_curl_and_by_its_program(
    at: World, way: Way, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = at.number()
    verification = at.started(number, way)
    found = until(lambda: next((x for x in lines_of(at, verification) if x.what == what), None))
    assert found is not None
    assert found.is_request
    assert [tab.name for tab in found.tabs] == ["curl", "Python SDK", "Body"]
    curl, program = text("curl", found), text("Python SDK", found)
    for code in (curl, program):
        assert code.startswith("# Simulated: this request went to the sandbox.")
        assert at.services.auth_token not in code
        assert number[3:] not in code
    answer = repeated(at, curl, environment(at, number))
    assert answer.is_success, answer.text
    result = run_program(at, program, monkeypatch, number)
    assert vars(result) if what.startswith("POST") else result is not None


def test_a_live_exchange_is_not_called_simulated(at: World) -> None:
    verification = at.started(at.number())
    (post, *_) = lines_of(at, verification, simulated=False)
    assert not post.is_simulated
    assert "imulated" not in "".join(tab.text for tab in post.tabs)
    assert text("curl", post).startswith('curl -u "$PLIVO_AUTH_ID:$PLIVO_AUTH_TOKEN"')


def test_a_text_with_quotes_and_dollars_reaches_the_command_unchanged(at: World) -> None:
    sent = {"src": "14155550100", "dst": "+49151••••••30", "text": """It's "$5" `now`\n\\ ••••••"""}
    url = "https://api.plivo.com/v1/Account/MA••••••/Message/"
    exchange = Exchange("request", 1, "POST", url, sent, 202, {}, 3, "odd text")
    (found,) = exchange_lines([exchange], [], at.clock.now(), simulated=False)
    run = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", _CURL + text("curl", found)],
        env=os.environ | {"TO": "+4915112340030"},
        capture_output=True,
        text=True,
        check=True,
    )
    body = next(x for x in run.stdout.splitlines() if x.startswith("body="))
    assert json.loads(base64.b64decode(body[5:])) == sent | {"dst": "+4915112340030"}
    # What is no Python is shown as it is stored.
    assert "print(odd text)" in text("Python SDK", found)


def lines_until(
    at: World, verification: str, what: str, act: Callable[[], object] = lambda: None
) -> list[ExchangeLine]:
    """The lines once the last is this one; until then, `act`."""

    def ended() -> list[ExchangeLine] | None:
        act()
        lines = lines_of(at, verification)
        return lines if lines[-1].what == what else None

    found = until(ended)
    assert found is not None
    return found


def test_a_message_is_a_log_of_one_line_each_in_order(at: World) -> None:
    verification = at.started(at.number("0030"))
    # A slow send is polled too.
    lines = [
        each
        for each in lines_until(at, verification, "callback undelivered")
        if each.what != "GET Message"
    ]
    assert [(x.what, x.status, x.step_label) for x in lines] == [
        ("POST Message", "202", "Accepted"),
        ("callback queued", "204", "Queued"),
        ("callback sent", "204", "Sent"),
        ("callback undelivered", "204", "Not delivered"),
    ]
    assert [x.is_request for x in lines] == [True, False, False, False]
    assert [x.after_ms for x in lines] == sorted(x.after_ms for x in lines)
    assert [tab.name for tab in lines[1].tabs] == ["Body"]
    assert lines[0].steps == ("1-accepted", "1-requested")


def test_a_call_shows_its_xml_without_the_code(at: World) -> None:
    number = at.number()
    verification = at.started(number, Way.VOICE)
    code = at.code(verification)
    call = at.call(number, "ringing")
    at.touch(number, call, "answer")
    lines_until(at, verification, "answer URL")
    # A key that is pressed before the question is not heard.
    lines = lines_until(at, verification, "key URL", lambda: at.touch(number, call, "press/1"))
    assert [x.what for x in lines] == ["POST Call", "callback ringing", "answer URL", "key URL"]
    assert "<GetInput" in text("XML", line("answer URL", lines))
    read_out = text("XML", line("key URL", lines))
    assert "•, •, •, •, •, •" in read_out
    shown = json.dumps([tab.text for x in lines for tab in x.tabs])
    token = at.services.keyring.callback_token(f"{verification}-1")
    for secret in (code, ", ".join(code), number[2:], token, at.services.auth_token):
        assert secret not in shown


def test_no_answer_and_an_exchange_of_an_older_version_have_lines(at: World) -> None:
    none = Exchange(
        "request", 5, "GET", "https://api.plivo.com/v1/Account/MA••••••/Call/u/", {}, None, None, 7
    )
    odd = Exchange("callback", 4, "POST", "", {}, 204, None, 0)
    lines = exchange_lines([none, odd], [], at.clock.now(), simulated=True)
    assert [(x.what, x.status, x.steps) for x in lines] == [
        ("callback", "204", ()), ("GET Call", "no answer", ()),
    ]  # fmt: skip
    assert [tab.name for tab in lines[1].tabs] == ["curl", "Body"]
