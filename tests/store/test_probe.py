"""The commands whose rights the probe checks are all that the product sends."""

import re
from pathlib import Path

from core.store.probe import commands_needed

CORE = Path(__file__).parents[2] / "core"
#: Calls of redis-py's clients and pipelines.
_CALL = re.compile(r"\b(?:pipe|_?client|_?raw)\.([a-z_]+)\(")
#: `probe.lua` checks PUBLISH, SUBSCRIBE and the loading of scripts itself. Only a reset of
#: the sandbox scans, so a live user may lack that right.
_NOT_IN_THE_LIST = {
    *("pipeline", "execute", "execute_command"),
    *("pubsub", "publish", "script_load", "scan_iter"),
}


def test_the_probe_knows_every_command_that_is_sent_outside_of_scripts() -> None:
    sources = [path.read_text(encoding="utf-8") for path in CORE.rglob("*.py")]
    calls = {
        name
        for text in sources
        if "from core.store.client import" in text
        for name in _CALL.findall(text)
    }
    sent = {name.upper().replace("DELETE", "DEL") for name in calls - _NOT_IN_THE_LIST}
    assert "HGETALL" in sent
    assert sent <= set(commands_needed())
