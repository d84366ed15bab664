"""The sandbox's README: its examples run, and its tables list every route and option."""

import dataclasses
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from plivo import plivoxml
from starlette.routing import Route

from core.sandbox.api.not_simulated import not_simulated
from core.sandbox.app import Sandbox
from core.sandbox.chaos.document import COMMON, PARAMETERS, STATES, ChaosDocument
from core.sandbox.facts.effects import EffectKind

from .support import AUTH_ID, AUTH_TOKEN, Api, number, sandbox_on

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "core" / "sandbox" / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


EXAMPLES = [block for block in blocks("sh") if "curl" in block]


def run(api: Api, to: str, example: str) -> str:
    """Run an example in a shell in which an HTTP error status is a failure; return its output."""
    script = f"""curl() {{ command curl --fail-with-body "$@"; }}
SANDBOX={api.base}/sandbox
AUTH={AUTH_ID}:{AUTH_TOKEN}
NUMBER={to}
{example}"""
    result = subprocess.run(  # noqa: S603
        ["/bin/bash", "-e", "-o", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def shape(value: Any) -> Any:
    """The names and types of a JSON value; of a list, those of its first item."""
    match value:
        case dict():
            return {name: shape(item) for name, item in value.items()}
        case list():
            return [shape(item) for item in value[:1]]
        case _:
            return type(value)


def test_the_examples_run_one_after_another_and_show_the_handset(tmp_path: Path) -> None:
    to = number("5555")
    message, call, inbox, decline, rest, chaos, push, callbacks = EXAMPLES
    with sandbox_on(tmp_path, speed=1.0) as api:
        phone = api.phone(to)
        run(api, to, message)
        assert phone.texts == ["Your code is 4711"]
        run(api, to, call)
        (expected,) = map(json.loads, blocks("json"))
        handset = phone.look()
        assert shape(handset) == shape(expected)
        transcript = [part["text"] for part in expected["calls"][0]["transcript"]]
        # On a slow machine the code may be spoken again before the hangup.
        assert [part["text"] for part in phone.call["transcript"]][:3] == transcript
        assert phone.call["hangup_cause_code"] == expected["calls"][0]["hangup_cause_code"]
        spoken, sent = json.loads(run(api, to, inbox))["entries"]
        assert (spoken["channel"], sent["channel"]) == ("call", "sms")
        assert spoken["code"] == sent["code"] == "4711"
        run(api, to, decline)
        assert phone.call["hangup_cause_code"] == 3020
        assert ": open" in run(api, to, rest)
        assert phone.look()["messages"] == phone.look()["calls"] == []
        documents = re.findall(r'"effect":"(\w+)"', run(api, to, chaos))
        assert documents == ["not_delivered", "delay"] * 2
        assert '"status":"delivered"' in run(api, to, push)
        assert phone.texts == ["Your code is 4711"]
        run(api, to, "curl -s -X DELETE $SANDBOX/log")
        assert json.loads(run(api, to, callbacks))["objects"] == []


def test_every_route_is_in_the_readme(tmp_path: Path) -> None:
    sandbox = Sandbox(data=tmp_path, auth_id=AUTH_ID, auth_token=AUTH_TOKEN)
    not_there = {(path, method) for path, methods in not_simulated() for method in methods}
    routes = {
        f"`{method} {route.path}`"
        for route in sandbox.asgi.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
        if (route.path, method) not in not_there
    }
    assert routes == set(re.findall(r"^\| (`[A-Z]+ /[^`]*`) \|", README, re.MULTILINE))


def test_every_resource_that_is_not_simulated_is_in_the_readme() -> None:
    rows = re.findall(r"^\| (.+) \| 501 \|", README, re.MULTILINE)
    named = {name for row in rows for name in re.findall("`([^`]+)`", row)}
    expected = set()
    for path, methods in not_simulated():
        resource = path.removeprefix("/v1/").removeprefix("Account/{auth_id}/").strip("/")
        first = resource.partition("/")[0]
        if not resource:
            expected |= {f"{method} {path}" for method in methods}
        else:
            expected.add(resource if first in {"Call", "Message", "phlo"} else first)
    assert named == expected


def test_every_element_of_plivo_xml_is_in_the_readme() -> None:
    (table,) = re.findall(r"^\| what \| how \|.*?\n\n", README, re.MULTILINE | re.DOTALL)
    for element in plivoxml.ResponseElement._nestable:
        assert re.search(rf"\b{element}\b", table), element


def test_every_option_of_the_command_is_in_the_readme() -> None:
    command = (PROJECT / "core" / "cli" / "sandbox.py").read_text(encoding="utf-8")
    options = set(re.findall(r'add_argument\(\s*"(--[\w-]+)"', command))
    assert options == set(re.findall(r"^\| `(--[\w-]+)`", README, re.MULTILINE))


def test_every_effect_and_field_of_chaos_is_in_the_readme() -> None:
    section = README[README.index("## Chaos") : README.index("## Reset")]
    rows = re.findall(r"^\| `(\w+)` \|(.*)$", section, re.MULTILINE)
    cells = {name: rest.split(" | ") for name, rest in rows}
    fields = {field.name for field in dataclasses.fields(ChaosDocument)}
    assert set(cells) == {*fields, *COMMON, *EffectKind}
    for effect in EffectKind:
        parameters, aspect, _ = cells[effect]
        names = [name for name in re.findall(r"`(\w+)`", parameters) if name not in STATES]
        assert names == list(PARAMETERS.get(effect, ()))
        assert aspect == effect.aspect
