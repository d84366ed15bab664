"""What a start must not wait for."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
#: The entry, and the first page.
START = """
import sys
from streamlit.testing.v1 import AppTest
import dashboard
print("imported", file=sys.stderr)
from pages.components.shared import services
page = AppTest.from_file(dashboard.__file__).run(timeout=60)
assert not page.exception
assert [field.label for field in page.text_input] == ["Phone number"]
print(*sys.modules)
services().close()
"""
#: What is loaded when it is first needed, or after the first page has been drawn.
LATE = {
    *("pandas", "numpy", "pyarrow", "PIL", "altair"),
    *("plivo", "requests", "httpx", "lxml", "phonenumbers.carrier"),
    *("fastapi", "core.web.rest.application", "core.reports", "core.sandbox.app"),
}


def test_a_start_and_the_first_page_load_no_library_that_only_later_work_needs(
    tmp_path: Path,
) -> None:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PLIVO_", "REDIS_URL"))
    }
    started = subprocess.run(  # noqa: S603
        [sys.executable, "-c", START],
        cwd=PROJECT,
        env=inherited | {"DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert LATE & set(started.stdout.split()) == set()
    # Lines that a newcomer would take for faults.
    assert "ScriptRunContext" not in started.stderr.partition("imported")[0]
