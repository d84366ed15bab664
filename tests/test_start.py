"""What a start must not wait for."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
#: The entry, and what the first page imports.
START = """
import sys
import dashboard
import pages.components.badge, pages.components.verify.form, pages.components.verify.running
from pages.components.shared import services
print(*{"pandas", "numpy", "plivo", "fastapi", "phonenumbers.carrier"} & set(sys.modules))
services().close()
"""


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
    assert started.stdout.split() == []
