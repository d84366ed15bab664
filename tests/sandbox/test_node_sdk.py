"""Plivo's Node SDK runs its resources against the sandbox, redirected as the README says."""

import shutil
from pathlib import Path

from tests.node import run_node

from .support import AUTH_ID, AUTH_TOKEN, Api
from .test_readme import blocks

FOLDER = Path(__file__).parent / "node"


def test_the_node_sdk_uses_every_resource_that_is_simulated(api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    shutil.copytree(FOLDER, folder)
    (redirect,) = blocks("js")
    (folder / "plivo-sandbox.cjs").write_text(redirect, encoding="utf-8")
    output = run_node(
        folder,
        "resources.cjs",
        "--require=./plivo-sandbox.cjs",
        PLIVO_SANDBOX=api.base,
        AUTH_ID=AUTH_ID,
        AUTH_TOKEN=AUTH_TOKEN,
    )
    assert output.split() == ["messages", "calls", "cancel", "phlo", "account", "signatures"]


def test_the_packages_are_pinned_and_their_list_names_no_address() -> None:
    lock = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"plivo": "4.79.0"' in (FOLDER / "package.json").read_text(encoding="utf-8")
