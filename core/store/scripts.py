"""The Lua scripts: one a file in `lua/`, loaded by name, each atomic on one Cluster slot.

A file whose name begins with `_` is a library: a line `-- include _name` is replaced by its text,
since a script cannot load another one. Headers give keys, arguments, results and invariants.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import redis

from core.store.client import Client, RawClient
from core.store.connection import store_errors

_FOLDER = Path(__file__).parent / "lua"
_INCLUDE = re.compile(r"^-- include (_\w+)$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """The text of `lua/<name>.lua` with its libraries in place."""
    text = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda match: source(match[1]), text)


class Scripts:
    """Runs scripts by name on one Redis; a script the server has forgotten is loaded again.

    Results are in text or in bytes, as the client answers.
    """

    def __init__(self, client: Client | RawClient) -> None:
        self._client = client
        names = (path.stem for path in _FOLDER.glob("[!_]*.lua"))
        # EVALSHA names a script by the SHA-1 of its text.
        self._sha = {name: hashlib.sha1(source(name).encode()).hexdigest() for name in names}  # noqa: S324

    def run(self, name: str, keys: list[str], args: list[str | int]) -> Any:
        """The script's result: strings, integers and lists of them. Raises StoreUnavailable."""
        with store_errors():
            try:
                return self._client.evalsha(self._sha[name], len(keys), *keys, *args)
            except redis.exceptions.NoScriptError:
                # Nothing ran: the server only knows scripts since its last start.
                return self._client.eval(source(name), len(keys), *keys, *args)

    def run_all(self, name: str, calls: Sequence[tuple[list[str], list[str | int]]]) -> list[Any]:
        """The results of many runs of one script (keys and arguments of each), in their order, in
        one round trip. Each is atomic by itself. Raises StoreUnavailable: some may have run."""
        if len(calls) == 1:
            return [self.run(name, *calls[0])]
        with store_errors():
            results = self._run_all(name, calls)
            # Those did not run. Others of the same calls may have: whoever else needs the script
            # may have loaded it between two of them, and what ran must not run again.
            unknown = [i for i, result in enumerate(results) if _is_unknown(result)]
            if unknown:
                self._client.script_load(source(name))
                again = self._run_all(name, [calls[i] for i in unknown])
                for i, result in zip(unknown, again, strict=True):
                    results[i] = result
            for result in results:
                if isinstance(result, Exception):
                    raise result
        return results

    def _run_all(self, name: str, calls: Sequence[tuple[list[str], list[str | int]]]) -> list[Any]:
        """The results, errors of single runs among them."""
        with self._client.pipeline(transaction=False) as pipe:
            for keys, args in calls:
                pipe.evalsha(self._sha[name], len(keys), *keys, *args)
            results: list[Any] = pipe.execute(raise_on_error=False)
        return results


def _is_unknown(result: Any) -> bool:
    return isinstance(result, redis.exceptions.NoScriptError)
