"""Runs the Lua scripts: one per file in `lua/`, run by name, each atomic on one Cluster slot.

A file whose name begins with `_` is a library: a line `-- include _name` is replaced by its text,
since a script cannot load another one. Headers give keys, arguments, results and invariants.

Arguments are named: a dictionary is sent as one JSON object, which the library `_arguments`
decodes. Where a measurement shows the need, a list of texts and integers is sent as it is.

Redis does not roll back what a script wrote before an error. Memory, disk and replicas are checked
before the first write of a script and hold to its end; the user's rights are checked at each
command. So each script begins by checking that the user may run all of its commands. It does so at
every run, since ACL SETUSER may take a right away at any moment. (Redis 6.2 has no such check:
there a user without the rights may leave a script half done.) On the embedded server the check is
left out: its only user may run everything, and its socket is private. This saves a sixth of
check_code.lua.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import redis

from core.store.client import Client, RawClient
from core.store.failures import store_errors
from core.store.own_connections import OwnConnections

_FOLDER = Path(__file__).parent / "lua"
_INCLUDE = re.compile(r"^-- include (_\w+)$", re.MULTILINE)
# Names the scripts without which this one must not begin: what has been sent must also be recorded.
_CONTINUES = re.compile(r"^-- Continues with: ([\w ]+)$", re.MULTILINE)
_COMMAND = re.compile(r'redis\.call\("([A-Z]+)"')

#: By name, or as the list that the script's header describes. None stands for "left out".
Arguments = dict[str, Any] | Sequence[str | int | bytes]
Call = tuple[Sequence[str], Arguments]


@cache
def source(name: str, *, checks_rights: bool = True) -> str:
    """The text of `lua/<name>.lua` with its libraries in place, and the check of rights before it.
    A library has no check: it is part of a script."""
    text = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
    text = _INCLUDE.sub(lambda match: source(match[1]), text)
    if name.startswith("_") or not checks_rights:
        return text
    commands = set(commands_of(text))
    if match := _CONTINUES.search(text):
        commands.update(*(commands_of(source(script)) for script in match[1].split()))
    return _rights(sorted(commands)) + text


def script_names() -> list[str]:
    """The scripts that can be run."""
    return sorted(path.stem for path in _FOLDER.glob("[!_]*.lua"))


def commands_of(text: str) -> list[str]:
    """The commands that a script needs."""
    return sorted(set(_COMMAND.findall(text)))


def _rights(commands: list[str]) -> str:
    allowed = " and ".join(f'redis.acl_check_cmd("{name}", KEYS[1])' for name in commands)
    if not allowed:
        return ""
    return (
        f"if redis.acl_check_cmd and not ({allowed}) then\n"
        '    return redis.error_reply("NOPERM the user may not run all commands of this script")\n'
        "end\n"
    )


class _Script(NamedTuple):
    """The text of a script, and its SHA-1, by which EVALSHA names it."""

    text: str
    sha: str


@cache
def _all_scripts(*, checks_rights: bool) -> dict[str, _Script]:
    """All scripts by name. They are read at once, so that a process never mixes two versions."""
    texts = {name: source(name, checks_rights=checks_rights) for name in script_names()}
    return {
        name: _Script(text, hashlib.sha1(text.encode()).hexdigest())  # noqa: S324
        for name, text in texts.items()
    }


class Scripts:
    """Runs scripts by name on one Redis; a script the server has forgotten is loaded again.

    Results are in text or in bytes, as the client answers. `own` runs single scripts faster than
    the client. `checks_rights` may be False where the user can never lack a right.
    """

    def __init__(
        self,
        client: Client | RawClient,
        own: OwnConnections | None = None,
        *,
        checks_rights: bool = True,
    ) -> None:
        self._client = client
        self._own = own
        self._command: Callable[..., Any] = own.run if own else client.execute_command
        self._scripts = _all_scripts(checks_rights=checks_rights)

    def run(self, name: str, keys: Sequence[str], arguments: Arguments) -> Any:
        """The script's result: strings, integers and lists of them. Raises StoreUnavailable."""
        args = _encoded(arguments)
        script = self._scripts[name]
        try:
            return self._command("EVALSHA", script.sha, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            # Nothing ran: the server only knows scripts since its last start.
            return self._command("EVAL", script.text, len(keys), *keys, *args)

    def run_all(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """The results of many runs of one script (keys and arguments of each), in their order, in
        one round trip. Each is atomic by itself. Raises StoreUnavailable: some may have run."""
        if len(calls) == 1:
            return [self.run(name, *calls[0])]
        with store_errors():
            results = self._run_all(name, calls)
            # Those did not run. Others of the same calls may have run: another client may have
            # loaded the script between two of them. What ran must not run again.
            unknown = [i for i, result in enumerate(results) if _is_unknown(result)]
            if unknown:
                self._client.script_load(self._scripts[name].text)
                again = self._run_all(name, [calls[i] for i in unknown])
                for i, result in zip(unknown, again, strict=True):
                    results[i] = result
            for result in results:
                if isinstance(result, Exception):
                    raise result
        return results

    def _run_all(self, name: str, calls: Sequence[Call]) -> list[Any]:
        """The results, errors of single runs among them."""
        commands = [
            ("EVALSHA", self._scripts[name].sha, len(keys), *keys, *_encoded(arguments))
            for keys, arguments in calls
        ]
        if self._own is not None:
            return self._own.run_all(commands)
        with self._client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            results: list[Any] = pipe.execute(raise_on_error=False)
        return results


def encoded(arguments: dict[str, Any]) -> str:
    """Named arguments as the library `_arguments` decodes them; None stands for "left out"."""
    named = {name: value for name, value in arguments.items() if value is not None}
    return json.dumps(named, ensure_ascii=False, separators=(",", ":"))


def _encoded(arguments: Arguments) -> Sequence[str | int | bytes]:
    return [encoded(arguments)] if isinstance(arguments, dict) else arguments


def _is_unknown(result: Any) -> bool:
    return isinstance(result, redis.exceptions.NoScriptError)
