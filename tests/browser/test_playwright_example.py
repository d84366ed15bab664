"""The example for Playwright for Node in core/lab/README.md runs as it is written."""

import shutil
from pathlib import Path

from tests.browser.conftest import App, chromium
from tests.lab.test_readme import block
from tests.node import run_node

NODE = Path(__file__).parent / "node"


def test_the_playwright_example_verifies_a_number(app: App, tmp_path: Path) -> None:
    shutil.copytree(NODE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "verify.test.mjs").write_text(block("js", "node:test"), encoding="utf-8")
    output = run_node(
        tmp_path,
        "verify.test.mjs",
        "--test",
        APP=app.address,
        SANDBOX=f"{app.address}/sandbox",
        CHROMIUM=chromium() or "",
    )
    assert "pass 1" in output
