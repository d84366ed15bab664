"""Writes a request to Plivo as a curl command and as a program for the SDK.

Both are for a live account: the credentials and masked numbers are variables of the environment.
Other masked parts, such as the code, stay dots.
"""

import ast
import json
import re
import shlex
from typing import Any
from urllib.parse import urlencode

from core.model.exchange import Exchange
from core.plivo.masking import DOTS

#: The variable for a masked number, by the name of the parameter.
_NUMBERS = {"src": "FROM", "from": "FROM", "from_": "FROM"} | dict.fromkeys(
    ("dst", "to", "to_", "to_number"), "TO"
)
_ACCOUNT = re.compile(rf"\b(?:MA|SA){DOTS}")
# A letter that no text has: it stands for a variable until the text is quoted.
_VARIABLE = re.compile("\ue000(\\w+)\ue000")
_SIMULATED = "# Simulated: this request went to the sandbox. On a live account it is:"


def curl(exchange: Exchange, *, simulated: bool) -> str:
    """A command that makes the same request."""
    url, sent = exchange.url, {k: _with_variable(k, v) for k, v in exchange.sent.items()}
    lines = ['curl -u "$PLIVO_AUTH_ID:$PLIVO_AUTH_TOKEN"']
    if exchange.method == "GET":
        url = f"{url}?{urlencode(sent)}" if sent else url
    else:
        lines.append(f"-X {exchange.method}")
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d {_quoted(json.dumps(sent, indent=2, ensure_ascii=False))}")
    lines.append(_quoted(_ACCOUNT.sub("\ue000PLIVO_AUTH_ID\ue000", url)))
    command = " \\\n  ".join(lines)
    return f"{_SIMULATED}\n{command}" if simulated else command


def sdk_program(exchange: Exchange, *, simulated: bool) -> str:
    """A program that makes the same call of the SDK."""
    module = "plivo.phlo" if exchange.call.startswith("client.phlo.") else "plivo"
    call, has_numbers = _call(exchange.call)
    lines = [
        *([_SIMULATED] if simulated else []),
        *(["import os", ""] if has_numbers else []),
        "import plivo",
        "",
        "# Reads PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN from the environment.",
        f"client = {module}.RestClient()",
        f"print({call})",
    ]
    return "\n".join(lines)


def _call(text: str) -> tuple[str, bool]:
    """The call with an argument on each line, and whether a variable replaces a number."""
    try:
        call = ast.parse(text, mode="eval").body
    except SyntaxError:
        return text, False
    if not isinstance(call, ast.Call):
        return text, False
    arguments = []
    for keyword in call.keywords:
        if keyword.arg is None:
            keyword.value = _with_variables(keyword.value)
            arguments.append(f"**{ast.unparse(keyword.value)}")
        else:
            value = _as_variable(keyword.arg, keyword.value)
            arguments.append(f"{keyword.arg}={ast.unparse(value)}")
    inside = "".join(f"\n    {argument}," for argument in arguments)
    written = f"{ast.unparse(call.func)}({inside}\n)"
    return written, "os.environ[" in written


def _with_variables(node: ast.expr) -> ast.expr:
    """A dict of arguments with variables in place of masked numbers."""
    if not isinstance(node, ast.Dict):
        return node
    values = [
        _as_variable(str(key.value), value) if isinstance(key, ast.Constant) else value
        for key, value in zip(node.keys, node.values, strict=True)
    ]
    return ast.Dict(node.keys, values)


def _as_variable(name: str, value: ast.expr) -> ast.expr:
    text = _with_variable(name, value.value) if isinstance(value, ast.Constant) else None
    match = _VARIABLE.fullmatch(text) if isinstance(text, str) else None
    return ast.parse(f"os.environ[{match[1]!r}]", mode="eval").body if match else value


def _with_variable(name: str, value: Any) -> Any:
    """The value; a marked variable in place of a masked number."""
    variable = _NUMBERS.get(name)
    is_masked = isinstance(value, str) and "•" in value
    return f"\ue000{variable}\ue000" if variable and is_masked else value


def _quoted(text: str) -> str:
    """The text as one word of a shell command, with its variables outside the quotes."""
    return _VARIABLE.sub(r"""'"$\1"'""", shlex.quote(text))
