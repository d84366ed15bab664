"""Changes the chaos of the sandbox, also while others change it."""

from collections.abc import Callable

from core.lab.chaos_rules import Document
from core.lab.sandbox_client import SandboxClient, SandboxError

#: How often a change is repeated when others change chaos at the same time.
_TRIES = 5
CHANGED = 409


def change_chaos(sandbox: SandboxClient, change: Callable[[Document], Document]) -> None:
    """Change the document as it is now, whatever others have changed. Raises SandboxError."""
    for tries_left in reversed(range(_TRIES)):
        document = sandbox.chaos()
        try:
            sandbox.set_chaos(change(document))
        except SandboxError as error:
            if error.status != CHANGED or not tries_left:
                raise
        else:
            break
