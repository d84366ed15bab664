"""The walk-through of the API page and of the README: pasted into a shell, it does what it says."""

import json
import subprocess

from core.panels.api import EXAMPLE_NUMBER, handset, walk_through
from tests.world import PATIENCE_SECONDS, World, until


def pasted(at: World, *lines: str) -> str:
    """What a shell prints last, in which TOKEN is set."""
    script = "\n".join([f"TOKEN={at.services.tokens.sandbox_token}", *lines])
    ran = subprocess.run(  # noqa: S603
        ["/bin/bash", "-e", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    return ran.stdout.strip().splitlines()[-1]


def test_each_step_does_what_it_says(at: World) -> None:
    start, read, check, resend, ask = (step.lines for step in walk_through(at.address))
    verification = pasted(at, start)
    assert at.look(verification).verification.to.e164 == EXAMPLE_NUMBER
    variables = f"VERIFICATION={verification}"

    verification_json = json.loads(pasted(at, variables, read))
    assert (verification_json["id"], verification_json["status"]) == (verification, "pending")

    messages = until(lambda: json.loads(pasted(at, handset(at.address).lines))["messages"])
    code = at.code(verification)
    assert code in messages[0]["text"]

    resend_json = json.loads(pasted(at, variables, resend))
    assert resend_json["code"] == "too_soon"

    wrong_check = json.loads(pasted(at, variables, check))
    assert wrong_check == {"outcome": "wrong_code", "checks_left": 4}
    right_check = json.loads(pasted(at, variables, check.replace("123456", code)))
    assert right_check["outcome"] == "approved"

    attempts_json = json.loads(pasted(at, variables, ask))
    assert attempts_json["attempts"][0]["verification"] == verification
